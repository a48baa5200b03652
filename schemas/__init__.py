"""What crosses a topic, a table or an API: records, topic names, ids. Imports nothing else of this project."""
