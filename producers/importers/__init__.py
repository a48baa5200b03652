"""Importers: files that somebody else wrote, put on the topics as if their rows had just happened."""
