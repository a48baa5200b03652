"""What is installed is what was locked, whichever package was unpacked last (docs/upstream.md)."""

from __future__ import annotations

from importlib.metadata import distributions


def test_the_engine_belongs_to_one_distribution_alone() -> None:
    owners = [
        distribution.name
        for distribution in distributions()
        if any(str(path) == "chdb/__init__.py" for path in distribution.files or ())
    ]
    assert owners == ["chdb-core"]
