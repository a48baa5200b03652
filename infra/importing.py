"""From the options of `venuecode import` and the settings to an import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, cast, get_args

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from infra.cli.common import err
from infra.settings import Settings
from producers.importers.columns import parse_mapping
from producers.importers.fields import FIELDS, MAPPED, Kind
from producers.importers.importing import Importer
from producers.importers.kinds import Meaning, reader_maker
from producers.importers.ledger import content_hash
from producers.importers.persons import TokenOf
from producers.importers.places import read_places
from producers.importers.plan import Plan, dry_run
from producers.importers.reader import Limits
from producers.importers.rejects import rejects_path
from producers.importers.source import Layout
from producers.importers.table import delimiter_of
from producers.importers.times import AMBIGUOUS, Ambiguous, TimeReader, zone
from producers.importers.token_key import create_token_key, read_token_key
from schemas.errors import ConfigurationError
from schemas.ids import person_token

_NOT_IDENTITY = frozenset(
    ("path", "rejects", "max_bad", "again", "dry_run", "token_key_file", "create_token_key", "venues")
)
"""Options that do not decide which records a file becomes (files count by their content)."""

_SHOWN = 5


def import_file(kind: str, values: Mapping[str, Any], settings: Settings, *, quiet: bool) -> dict[str, Any]:
    """Import a file as the options say.

    Args:
        kind: of file.
        values: options of `venuecode import`, by their parameter names.
        settings: of the platform.
        quiet: no progress bar.

    Returns:
        `producers.importers.plan.ImportResult` as a dict.

    Raises:
        ConfigurationError: an option, the file or the token key is wrong.
        VenuecodeError: see `Importer.run`.
    """
    now = datetime.now(UTC)
    path: Path = values["path"]
    layout = Layout(
        encoding=values["encoding"],
        delimiter=None if values["delimiter"] is None else delimiter_of(values["delimiter"]),
        with_header=not values["no_header"],
        geojson=values["geojson"],
        more=tuple(name for key, name in values.items() if key.startswith("column_") and name),
    )
    options = {key: value for key, value in values.items() if key not in _NOT_IDENTITY}
    token_of = _token_of(values, options)
    tz = values.get("tz") or settings.timezone
    meaning = Meaning(
        times=_times(values, tz),
        limits=Limits(now, None if settings.retention.analysis else now - timedelta(days=settings.retention.days)),
        columns={name: values[f"column_{name}"] for name in FIELDS[kind]},
        maps={name: parse_mapping(values[f"map_{name}"]) for name in MAPPED[kind]},
        token_of=token_of,
        venue_of=read_places(values["venues"], layout).find if values.get("venues") else None,
        source=values.get("publisher", ""),
        keep_versions=values.get("keep_versions", False),
        keep_lossy=values.get("keep_lossy", False),
        default_category=values.get("default_category"),
        valid_for=timedelta(days=values["valid_days"]) if values.get("valid_days") else None,
        issuer=values.get("given_by", ""),
    )
    topics = settings.kafka.topics()
    topic = {
        "scans": topics.scans,
        "venues": topics.venues,
        "windows": topics.exposure_windows,
        "statuses": topics.statuses,
    }[kind]
    plan = Plan(
        path,
        layout,
        reader_maker(cast(Kind, kind), meaning),
        topic,
        rejects=values["rejects"] or rejects_path(path),
        max_bad=values["max_bad"],
        shift_to_now=values.get("shift_to_now", False),
        shift=timedelta(seconds=values.get("shift_by", 0.0)),
    )
    if plan.shift_to_now and plan.shift:
        raise ConfigurationError("give either --shift-to-now or --shift-by")
    if values.get("venues"):
        options["venues_content"] = content_hash(values["venues"])
    identity = {**options, "kind": kind, "tz": tz, "content": content_hash(path)}
    with _bar(path, quiet) as on_bytes:
        if values["dry_run"]:
            return asdict(dry_run(plan, identity, now, _SHOWN, on_bytes))
        importer = Importer(settings.kafka.librdkafka(), settings.data_dir / "imports", clock=lambda: datetime.now(UTC))
        return asdict(importer.run(plan, identity, again=values["again"], on_bytes=on_bytes))


def _times(values: Mapping[str, Any], tz: str) -> TimeReader:
    ambiguous = values.get("ambiguous", "first")
    if ambiguous not in AMBIGUOUS:
        raise ConfigurationError(f"--ambiguous {ambiguous}: give {', '.join(get_args(Ambiguous))}")
    return TimeReader(values.get("at_format", "auto"), zone(tz), ambiguous)


def _token_of(values: Mapping[str, Any], options: dict[str, Any]) -> TokenOf | None:
    """Turns ids into tokens with the key in the named file; another key makes other records."""
    path = values.get("token_key_file")
    if path is None:
        if values.get("create_token_key"):
            raise ConfigurationError("--create-token-key needs --token-key-file: where to keep the key")
        return None
    if values["create_token_key"] and create_token_key(path):
        err.print(f"Made a new token key: {path}. Keep it: without it the same people get other tokens.")
    key = read_token_key(path)
    options["token_key"] = sha256(b"venuecode import\xff" + key).hexdigest()
    return lru_cache(maxsize=200_000)(partial(person_token, key))


@contextmanager
def _bar(path: Path, quiet: bool) -> Iterator[Any]:
    """A progress bar over the file's bytes on standard error; yields what is told how many are read."""
    if quiet or not err.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as progress:
        task = progress.add_task(path.name, total=path.stat().st_size)
        yield lambda done: progress.update(task, completed=done)
