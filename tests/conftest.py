"""Fixtures that all tests share; the servers they start are in `tests/support`."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A test process beside another finds a width of 80 here, and rich would keep to it whatever a test asks for.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)

# How long an example took says how busy the machine is, and nothing about what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

pytest_plugins = ["tests.support.kafka_fixtures", "tests.support.clickhouse_fixtures", "tests.support.clusters"]


_SLOWEST_FIRST = ("e2e", "faults", "integration", "contract", "property")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folders of long tests first: no process shall begin a long file when the others have nothing left."""
    order = {name: place for place, name in enumerate(_SLOWEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many tests were skipped for want of Docker, so that their absence is seen."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "docker" in report.keywords]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests skipped for want of Docker: run them where it is at hand")


@pytest.fixture(autouse=True)
def _no_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the default settings, whatever is set where they run."""
    for name in os.environ:
        if name.startswith("VENUECODE_"):
            monkeypatch.delenv(name)
