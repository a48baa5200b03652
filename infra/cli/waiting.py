"""While a question is on its way: what is shown on a terminal, and what Ctrl-C does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from infra.cli.common import err

if TYPE_CHECKING:
    from sinks.clickhouse.target import ClickHouseTarget

_PATIENCE_S: Final = 0.7
_EVERY_S: Final = 0.3
_CANCEL_S: Final = 5.0


@contextmanager
def watched(target: ClickHouseTarget) -> Iterator[None]:
    """Shows on a terminal that a question is on its way, for how long, and after a moment how much has been read.

    Ctrl-C has the server end the question as well: closing the connection alone ends it on some servers only.

    Args:
        target: where it is asked.
    """
    try:
        with _shown(target):
            yield
    except KeyboardInterrupt:
        _cancel(target)
        raise


def _cancel(target: ClickHouseTarget) -> None:
    from sinks.clickhouse import asking

    # Whoever pressed it wants to leave: a server that does not answer either is left alone.
    with suppress(Exception):
        client = target.client(timeout=_CANCEL_S, connect_timeout=_CANCEL_S)
        try:
            asking.cancel(client)
        finally:
            client.close()


@contextmanager
def _shown(target: ClickHouseTarget) -> Iterator[None]:
    if not err.is_terminal:
        yield
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("asking ClickHouse (Ctrl-C to stop)"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    over = threading.Event()
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=None)
        follower = threading.Thread(target=_follow, args=(target, progress, task, over), daemon=True)
        follower.start()
        try:
            yield
        finally:
            over.set()
            follower.join(_CANCEL_S)


def _follow(target: ClickHouseTarget, progress: Any, task: Any, over: threading.Event) -> None:
    """Show how much the server has read, until `over`; by a connection of its own, and only once it takes a while."""
    if over.wait(_PATIENCE_S):
        return
    from sinks.clickhouse import asking

    # A bar is worth no error: without one, the time goes on being shown.
    with suppress(Exception):
        client = target.client(timeout=_CANCEL_S, connect_timeout=_CANCEL_S)
        try:
            while not over.wait(_EVERY_S):
                if (found := asking.read_so_far(client)) is not None:
                    read, total = found
                    progress.update(task, completed=read, total=total, description=f"{read:,} rows read")
        finally:
            client.close()
