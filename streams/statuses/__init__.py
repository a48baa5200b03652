"""The parts of the status store: tokens by hash, packed rows, one partition, its snapshot on disk."""
