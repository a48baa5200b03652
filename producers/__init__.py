"""Whatever puts events on a topic. Imports schemas."""
