"""The demo: a whole platform with a living city in front of it, on one machine, gone without a trace at the end."""
