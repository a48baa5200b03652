"""The same job in other stream processors, on one broker: how fast, for how much CPU, with the same output."""
