"""Eclipse's Java compiler, a jar that runs on a Java runtime."""
