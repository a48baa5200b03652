"""What became of the records nobody could process: reads the dead letters, and puts them back after a fix."""
