"""One broker: a node and the Java process that runs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.embedded.kafka.diagnosis import explain, log_size
from infra.embedded.kafka.java import java_environment, kafka_command
from infra.embedded.kafka.properties import Node
from infra.embedded.process import ChildProcess, ending
from schemas.errors import FatalError

START_S = 120.0
"""A minute was not enough where others use all processors; a broker that ends is noticed at once all the same."""
_STOP_S = 20.0
_POLL_S = 0.03


class Broker:
    """A broker of the embedded cluster.

    Args:
        node: its number, ports and directory.
        jars: Kafka's class path.
        heap_mb: of the Java machine, in MiB.
        lock: an open file that it inherits, so that the data directory stays locked for as long as it lives.
        java_options: of the Java machine.
        sustained: see `EmbeddedKafka`.
    """

    def __init__(
        self,
        node: Node,
        jars: Sequence[Path],
        heap_mb: int,
        lock: int,
        *,
        java_options: Sequence[str] = (),
        sustained: bool = False,
    ) -> None:
        self.node = node
        self.child = ChildProcess(
            f"kafka-{node.number}",
            kafka_command(node, jars, heap_mb, java_options, sustained=sustained),
            node.output,
            env=java_environment(),
            pass_fds=(lock,),
        )
        self._log_began = 0

    def start(self) -> None:
        """Start it; `wait_for` tells when it is up.

        Raises:
            FatalError: it runs already.
        """
        self._log_began = log_size(self.node)
        self.child.start()

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds.

        Args:
            condition: asked about 30 times a second.
            what: in words, such as "listen".

        Raises:
            FatalError: the broker ended meanwhile, or two minutes have passed; says why as far as the logs tell.
        """
        deadline = time.monotonic() + START_S
        while not condition():
            if (code := self.child.poll()) is not None:
                raise explain(self.node, f"{ending(code)} at its start", self._log_began)
            if time.monotonic() > deadline:
                raise explain(self.node, f"did not {what} within {START_S:.0f} s", self._log_began)
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop it cleanly, by force after 20 s; harmless when it has ended."""
        self.child.stop(_STOP_S)

    def why_it_ended(self) -> FatalError | None:
        """The error for a broker that ended by itself, or None while it runs or when nobody started it."""
        code = self.child.poll()
        return None if code is None else explain(self.node, ending(code), self._log_began)
