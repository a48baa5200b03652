"""The worker's own layer over Faust (`streams.batching`) with nothing on it but the job that all peers do."""
