"""Why a broker did not start or ended: what its logs say, in words that help."""

from __future__ import annotations

import re
import shutil

from infra.embedded.kafka.properties import Node
from infra.embedded.process import tail
from schemas.errors import ConfigurationError, FatalError

_LINES = 12
_NOTHING_LEFT = 1 << 20
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_TAKEN = re.compile(r"Address already in use|BindException")
_FOREIGN = re.compile(r"Invalid cluster\.id|InconsistentClusterIdException|doesn't match stored clusterId")
_IN_USE = re.compile(r"Failed to acquire lock on file")


class PortTakenError(ConfigurationError):
    """A port that Kafka should listen on belongs to another program."""


def explain(node: Node, what: str, since: int = 0) -> FatalError:
    """The error to raise for a broker.

    Args:
        node: whose logs to read.
        what: what happened, such as "ended with exit code 1".
        since: the size of its log when it was started; older lines are another run's.

    Returns:
        An error that names the reason when the log tells it, the log's path and its last lines.
    """
    log = tail(node.log, 400) if since == 0 else _after(node, since)
    output = tail(node.output, _LINES)
    last = "\n".join((log or output).splitlines()[-_LINES:])
    kept = f"Its log: {node.log}" + (f" and {node.output}" if output else "")
    details = f"{kept}; the last lines:\n{last}" if last else f"{kept} (empty)"
    name = f"Kafka's broker {node.number}"
    text = log + output
    # On a disk that is full to the last byte the log does not say so.
    if _FULL.search(text) or shutil.disk_usage(node.directory).free < _NOTHING_LEFT:
        return ConfigurationError(
            f"{name} {what}: the disk under {node.data} is full. Free some space and start again. {details}"
        )
    if _TAKEN.search(text):
        return PortTakenError(
            f"{name} {what}: port {node.port} or {node.controller_port} is taken by another program. {details}"
        )
    if _FOREIGN.search(text):
        return ConfigurationError(f"{name} {what}: {node.data} belongs to another cluster. {details}")
    if _IN_USE.search(text):
        return ConfigurationError(f"{name} {what}: another Kafka still uses {node.data}. {details}")
    return FatalError(f"{name} {what}. {details}")


def log_size(node: Node) -> int:
    """How long the node's log is now, in bytes; 0 when there is none."""
    return node.log.stat().st_size if node.log.exists() else 0


def _after(node: Node, since: int) -> str:
    if log_size(node) < since:  # it was turned over meanwhile
        return tail(node.log, 400)
    with node.log.open("rb") as file:
        file.seek(since)
        return file.read().decode(errors="replace")
