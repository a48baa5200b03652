"""The data directory of a node as Kafka's own tool formats it: the tool runs once on a machine, not once a node.

It is a Java program of a second and a half. Of the two files that it writes, one holds the features of a new cluster,
alike in all of one version; the other says whose the directory is (docs/decisions/0003-real-servers-embedded.md).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from infra.embedded.kafka.broker import START_S
from infra.embedded.kafka.diagnosis import explain
from infra.embedded.kafka.directory import random_id
from infra.embedded.kafka.java import format_command, java_environment
from infra.embedded.kafka.properties import Node
from infra.embedded.process import ChildProcess

_FEATURES: Final = "bootstrap.checkpoint"
_OWNER: Final = "meta.properties"
"""Written last: a directory with it is complete."""


def format_nodes(
    nodes: Sequence[Node], jars: Sequence[Path], cluster_id: str, java_options: Sequence[str] = ()
) -> None:
    """Give every node that has none yet a data directory of the cluster.

    What the tool wrote for the first is kept beside the directory of the jars, where that can be written. One that is
    damaged is not used, and replaced.

    Raises:
        FatalError: Kafka's tool failed; says why as far as it tells.
    """
    new = [node for node in nodes if not (node.data / _OWNER).exists()]
    if not new:
        return
    kept = jars[0].parent.with_name(f"{jars[0].parent.name}.{_FEATURES}")
    features = _read(kept)
    if features is None:
        node = new.pop(0)
        _run_tool(node, jars, cluster_id, java_options)
        features = (node.data / _FEATURES).read_bytes()
        _keep(kept, features)
    for node in new:
        _fill(node, cluster_id, features)


def _fill(node: Node, cluster_id: str, features: bytes) -> None:
    node.data.mkdir(parents=True, exist_ok=True)
    (node.data / _FEATURES).write_bytes(features)
    owner = {"version": 1, "cluster.id": cluster_id, "node.id": node.number, "directory.id": random_id()}
    temporary = node.data / f"{_OWNER}.new"
    temporary.write_text("".join(f"{name}={value}\n" for name, value in owner.items()), "ascii")
    temporary.replace(node.data / _OWNER)


def _run_tool(node: Node, jars: Sequence[Path], cluster_id: str, java_options: Sequence[str]) -> None:
    command = format_command(node, jars, cluster_id, java_options)
    tool = ChildProcess(f"kafka-format-{node.number}", command, node.output, env=java_environment())
    try:
        tool.start()
        if (code := tool.wait(START_S)) != 0:
            raise explain(node, "did not get a data directory" + (f" (exit code {code})" if code else " in time"))
    finally:
        tool.kill()


def _read(kept: Path) -> bytes | None:
    try:
        digest, _, features = kept.read_bytes().partition(b"\n")
    except OSError:
        return None
    return features if digest == sha256(features).hexdigest().encode() else None


def _keep(kept: Path, features: bytes) -> None:
    temporary = kept.with_name(f".{kept.name}-{secrets.token_hex(8)}")
    with suppress(OSError):
        try:
            temporary.write_bytes(sha256(features).hexdigest().encode() + b"\n" + features)
            temporary.replace(kept)
        finally:
            temporary.unlink(missing_ok=True)
