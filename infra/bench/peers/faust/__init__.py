"""faust-streaming as it comes."""
