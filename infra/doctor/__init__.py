"""`venuecode doctor`: small checks of machine, Kafka, ClickHouse and progress; each says what it saw and what to do."""

from infra.doctor.finding import Finding
from infra.doctor.run import CHECKS, examine
from infra.doctor.surroundings import Surroundings

__all__ = ["CHECKS", "Finding", "Surroundings", "examine"]
