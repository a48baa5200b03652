"""All checks, in the order in which one would look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from infra.doctor.clickhouse import check_clickhouse, check_migrations
from infra.doctor.finding import Check, Finding
from infra.doctor.kafka import check_brokers, check_topics
from infra.doctor.machine import check_disk, check_packages, check_ports, check_python
from infra.doctor.progress import check_lag
from infra.doctor.surroundings import Surroundings
from schemas.errors import VenuecodeError

CHECKS: tuple[tuple[str, Check, str | None], ...] = (
    ("Python", check_python, None),
    ("packages", check_packages, None),
    ("disk", check_disk, None),
    ("ports", check_ports, None),
    ("Kafka", check_brokers, None),
    ("topics", check_topics, "Kafka"),
    ("ClickHouse", check_clickhouse, None),
    ("migrations", check_migrations, "ClickHouse"),
    ("lag", check_lag, "Kafka"),
)
"""Subject, check, and the subject without which it cannot be looked at."""


def examine(surroundings: Surroundings, checks: Sequence[tuple[str, Check, str | None]] = CHECKS) -> Iterator[Finding]:
    """Run the checks; one that rests on a failed one is not run, and says so."""
    failed: set[str] = set()
    for subject, check, needs in checks:
        if needs in failed:
            yield Finding(subject, "warn", f"not looked at, as {needs} failed", f"mend {needs} first")
            continue
        try:
            findings: Iterable[Finding] = list(check(surroundings))
        except VenuecodeError as error:
            findings = [Finding(subject, "fail", str(error), _remedy(subject))]
            failed.add(subject)
        yield from findings


def _remedy(subject: str) -> str:
    if subject in ("Kafka", "ClickHouse"):
        return (
            f"venuecode platform up, or point VENUECODE_{subject.upper()}__* at a running one (venuecode config show)"
        )
    return "mend what the message names, and ask again"
