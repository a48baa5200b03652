"""Composes producers, streams and sinks into processes: settings, command line, embedded servers, topics."""
