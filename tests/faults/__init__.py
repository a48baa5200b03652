"""The fault harness: kills, pauses, cuts and fills, and counts afterwards what is missing. `make faults`."""
