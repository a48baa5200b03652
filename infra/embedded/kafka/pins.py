"""Which jars make Apache Kafka here: exact versions, and the SHA-256 that each must have."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigurationError

KAFKA_VERSION = "4.3.1"
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    # Kafka logs through SLF4J 1.7 and brings log4j-core 2.25.4; this binds the two, so that its log is readable.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)
PIN_FILE = Path(__file__).with_name("jars.sha256")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One jar: Maven coordinates `group:artifact:version[:classifier]` and its SHA-256 in hexadecimal."""

    coordinates: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its file name, as in every Maven repository."""
        _, artifact, version, *classifier = self.coordinates.split(":")
        return "-".join((artifact, version, *classifier)) + ".jar"


def read_pins(path: Path = PIN_FILE) -> list[Pin]:
    """The committed pins.

    Raises:
        ConfigurationError: the file is missing or has a line that is no pin.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise ConfigurationError(f"cannot read the list of Kafka's jars {path}: {error.strerror}") from error
    pins = []
    for number, line in enumerate(lines, 1):
        sha256, _, coordinates = line.partition("  ")
        if len(sha256) != 64 or not 3 <= len(coordinates.split(":")) <= 4:
            raise ConfigurationError(f"{path}, line {number}: want 'sha256  group:artifact:version[:classifier]'")
        pins.append(Pin(coordinates, sha256))
    return pins


def write_pins(pins: list[Pin], path: Path = PIN_FILE) -> None:
    """Write pins, sorted by coordinates, in the format of sha256sum(1) with coordinates for file names."""
    path.write_text("".join(f"{pin.sha256}  {pin.coordinates}\n" for pin in sorted(pins)))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
