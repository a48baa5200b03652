"""Measurements of the parts, each on an embedded platform of its own."""
