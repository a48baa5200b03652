"""Where the databases are: a folder with the city that fills it, which may be kept and used again."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from infra.bench.contacts.city import DAY_MS, City
from schemas.errors import ConfigurationError

ENGINES: Final = ("clickhouse", "duckdb", "postgresql")
_PEAK_BYTES: Final = {"clickhouse": 200, "duckdb": 200, "postgresql": 330}
"""A visit at most, while loading: parts before and after a merge, a sort's spilled rows, indexes being built."""
_LOAD_PER_S: Final = {"clickhouse": 150_000, "duckdb": 400_000, "postgresql": 100_000}
_RESERVE: Final = 2 * 2**30


@dataclass(slots=True)
class Ground:
    """A folder with databases in it.

    Attributes:
        folder: of everything.
        visits: about how many the city has.
        seed: of the city.
        last_day_ms: midnight UTC that begins the city's last day, ms since 1970.
        loaded: seconds that loading took, of the databases that are complete.
    """

    folder: Path
    visits: int
    seed: int
    last_day_ms: int
    loaded: dict[str, float] = field(default_factory=dict)

    @property
    def end_ms(self) -> int:
        """Midnight UTC that ends the city's last day, ms since 1970."""
        return self.last_day_ms + DAY_MS

    def city(self) -> City:
        """The city that the databases are filled with."""
        return City(self.visits, self.seed, self.last_day_ms)

    def fresh(self, engine: str) -> Path:
        """The folder of a database, without what an earlier attempt left behind."""
        folder = self.folder / engine
        if engine not in self.loaded:
            shutil.rmtree(folder, ignore_errors=True)
        return folder

    def mark(self, engine: str, seconds: float) -> None:
        """A database is complete."""
        self.loaded[engine] = round(seconds, 1)
        text = json.dumps({name: value for name, value in asdict(self).items() if name != "folder"})
        (self.folder / "city.json").write_text(text + "\n")


def estimate(visits: int, engines: Sequence[str]) -> tuple[int, float]:
    """Bytes of disk at most and minutes of loading, before anything has begun."""
    disk = visits * sum(_PEAK_BYTES[name] for name in engines)
    return disk, visits * sum(1 / _LOAD_PER_S[name] for name in engines) / 60


@contextmanager
def ground(visits: int, seed: int, last_day_ms: int, keep: Path | None) -> Iterator[Ground]:
    """A new folder that is gone afterwards, or one to keep, with what is already there.

    Raises:
        ConfigurationError: the folder holds another city.
    """
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="venuecode-bench-", ignore_cleanup_errors=True) as name:
            yield _opened(Path(name), visits, seed, last_day_ms)
    else:
        keep.mkdir(parents=True, exist_ok=True)
        yield _opened(keep.resolve(), visits, seed, last_day_ms)


def require_space(place: Ground, engines: Sequence[str]) -> None:
    """Check that what is still to be loaded fits.

    Raises:
        ConfigurationError: it does not; says how much there is and how much is needed.
    """
    missing = [name for name in engines if name not in place.loaded]
    needed, minutes = estimate(place.visits, missing)
    free = shutil.disk_usage(place.folder).free
    sys.stderr.write(
        f"{place.visits:,} visits into {', '.join(missing) or 'nothing new'}: up to {needed / 2**30:.1f} GiB of disk "
        f"in {place.folder} ({free / 2**30:.0f} GiB free), about {minutes:.0f} min of loading\n"
    )
    if missing and free < needed + _RESERVE:
        raise ConfigurationError(
            f"this needs {(needed + _RESERVE) / 2**30:.1f} GiB of disk and {place.folder} has {free / 2**30:.1f}; "
            "ask for fewer --visits or --engines, or point --keep (or TMPDIR) at another disk"
        )


def _opened(folder: Path, visits: int, seed: int, last_day_ms: int) -> Ground:
    # PostgreSQL may have to run as another user, who must be let through.
    folder.chmod(0o755)
    try:
        known = json.loads((folder / "city.json").read_text())
    except FileNotFoundError:
        return Ground(folder, visits, seed, last_day_ms)
    if (known["visits"], known["seed"]) != (visits, seed):
        raise ConfigurationError(
            f"{folder} holds a city of {known['visits']:,} visits with seed {known['seed']}: ask for that, or empty it"
        )
    return Ground(folder, **known)
