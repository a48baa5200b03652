"""A bare confluent-kafka loop: the floor, no stream processor at all."""
