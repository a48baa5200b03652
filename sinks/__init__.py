"""Whatever takes events off a topic. Imports schemas."""
