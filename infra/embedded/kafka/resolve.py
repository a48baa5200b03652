"""Maven Central through jgo: its pure-Python resolver, chosen explicitly, so that every machine takes the same way.

Neither Maven nor Java is looked for, and jgo's builder, which would try to download a JDK, is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver

from infra.embedded.kafka.pins import ROOTS
from schemas.errors import RetryableError

_TIMEOUT_S = 30
_AT_ONCE = 8


def _context(repository: Path) -> MavenContext:
    return MavenContext(resolver=PythonResolver(), repo_cache=repository, local_repos=[], timeout=_TIMEOUT_S)


def resolve_roots(repository: Path, roots: Sequence[str] = ROOTS) -> list[str]:
    """The coordinates of the roots and of everything that they need at run time.

    Args:
        repository: directory that the POM files are kept in.
        roots: Maven coordinates with exact versions.

    Raises:
        RetryableError: Maven Central cannot be reached.
    """
    context = _context(repository)
    try:
        # `!`: a root is a plain dependency; jgo would else let its build-time version management change the others.
        dependencies = [context.create_dependency(f"{root}!") for root in roots]
        inputs, transitive = context.resolver.resolve(dependencies)
    except (requests.RequestException, RuntimeError) as error:
        raise _unreachable(error) from error
    needed = [*inputs, *(dependency for dependency in transitive if dependency.scope in ("compile", "runtime"))]
    return sorted({_coordinates(dependency.artifact) for dependency in needed})


def download(
    coordinates: Iterable[str], repository: Path, on_jar: Callable[[Path], None] = lambda _: None
) -> dict[str, Path]:
    """Download jars, several at once.

    Args:
        coordinates: `group:artifact:version[:classifier]` of each.
        repository: directory that they are kept in, laid out as a Maven repository.
        on_jar: called after each jar, in this thread.

    Returns:
        The path of each jar by its coordinates.

    Raises:
        RetryableError: Maven Central cannot be reached, or does not have one of them.
    """
    context = _context(repository)
    paths = {}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="jar") as pool:
        pending = {pool.submit(_fetch, context, name): name for name in coordinates}
        try:
            for future in as_completed(pending):
                paths[pending[future]] = future.result()
                on_jar(future.result())
        except (requests.RequestException, RuntimeError) as error:
            raise _unreachable(error) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return paths


def _fetch(context: MavenContext, coordinates: str) -> Path:
    group, artifact, version, *classifier = coordinates.split(":")
    component = context.project(group, artifact).at_version(version)
    path: Path = component.artifact(classifier[0] if classifier else "", "jar").resolve()
    return path


def _coordinates(artifact: object) -> str:
    parts = (getattr(artifact, name) for name in ("groupId", "artifactId", "version", "classifier"))
    return ":".join(part for part in parts if part)


def _unreachable(error: Exception) -> RetryableError:
    return RetryableError(
        "Apache Kafka's jars are not on this machine yet, and Maven Central did not give them "
        f"({type(error).__name__}: {error}). They are needed once: connect to the network (a proxy goes into "
        "HTTPS_PROXY), and start again. A Kafka elsewhere: VENUECODE_KAFKA__BOOTSTRAP_SERVERS."
    )
