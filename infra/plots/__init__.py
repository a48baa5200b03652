"""Pictures of answers: stays and meetings in time, a chain of contacts as a graph (matplotlib, no display)."""
