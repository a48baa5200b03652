"""`python -m infra.embedded.kafka.pin`: resolve Kafka's jars again and write their SHA-256 to `jars.sha256`.

For whoever raises a version in `pins.py`; look at the difference before committing it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from infra.embedded.kafka.pins import PIN_FILE, Pin, sha256_of, write_pins
from infra.embedded.kafka.resolve import download, resolve_roots


def main() -> None:
    """Resolve, download, hash, write."""
    with tempfile.TemporaryDirectory() as directory:
        repository = Path(directory)
        paths = download(resolve_roots(repository), repository)
        write_pins([Pin(coordinates, sha256_of(path)) for coordinates, path in paths.items()])
    sys.stdout.write(f"{len(paths)} jars: {PIN_FILE}\n")


if __name__ == "__main__":
    main()
