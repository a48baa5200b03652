"""`venuecode top`: what workers and sinks say about themselves, live."""
