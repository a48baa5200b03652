"""Where peers are installed: a virtual environment or a set of jars each, pinned by hash, in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.bench.rounds import tell
from infra.embedded.kafka.jars import cache_dir, ensure_jars
from infra.embedded.kafka.java import java_environment, java_program
from infra.embedded.kafka.pins import read_pins
from schemas.errors import RetryableError, VenuecodeError

HERE = Path(__file__).parent
_INSTALL_S = 1200
_COMPILE_S = 120
_LAST_LINES = 3


class PeerUnavailableError(VenuecodeError):
    """A peer that cannot be installed or run on this machine; the message says why."""


def environment(name: str) -> Path:
    """The Python of a peer's virtual environment; makes it when it is not there yet.

    The environment belongs to the requirements file's content and this Python's version: another of either makes
    another one.

    Raises:
        PeerUnavailableError: its packages cannot be installed.
    """
    requirements = HERE / name / "requirements.txt"
    home = _home(f"{name}-py{platform.python_version()}", requirements.read_bytes())
    python = home / "bin" / "python"
    with _made_once(home) as needed:
        if needed:
            tell(f"installing {name} into {home}")
            _run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(home)], _INSTALL_S)
            _run([*_installer(python), "--require-hashes", "-r", str(requirements)], _INSTALL_S)
    return python


def jars(name: str) -> list[Path]:
    """A peer's jars, each with the SHA-256 committed in its `jars.sha256`.

    Raises:
        PeerUnavailableError: they cannot be downloaded.
        ConfigurationError: one was changed.
    """
    pin_file = HERE / name / "jars.sha256"
    home = _home(f"{name}-jars", pin_file.read_bytes())
    try:
        return ensure_jars(home, read_pins(pin_file), name)
    except RetryableError as error:
        raise PeerUnavailableError(str(error)) from error


def classes(name: str, class_path: Sequence[Path]) -> Path:
    """The directory of a peer's compiled Java sources; compiles them when they have changed.

    A Java runtime has no compiler: Eclipse's, which is a jar, does it.

    Args:
        name: of the peer's folder, with its `.java` files.
        class_path: jars that they need.

    Raises:
        PeerUnavailableError: there is no compiler, or they do not compile.
    """
    sources = sorted((HERE / name).glob("*.java"))
    home = _home(
        f"{name}-classes", *(path.read_bytes() for path in sources), *(str(path).encode() for path in class_path)
    )
    with _made_once(home) as needed:
        if needed:
            compiler = ["-cp", str(jars("compiler")[0]), "org.eclipse.jdt.internal.compiler.batch.Main"]
            options = ["-17", "-nowarn", "-proc:none", "-cp", ":".join(map(str, class_path)), "-d", str(home)]
            _run([str(java_program()), *compiler, *options, *map(str, sources)], _COMPILE_S)
    return home


def _home(name: str, *contents: bytes) -> Path:
    digest = hashlib.sha256(b"\0".join(contents)).hexdigest()[:12]
    return cache_dir() / "peers" / f"{name}-{digest}"


@contextmanager
def _made_once(home: Path) -> Iterator[bool]:
    """Whether the directory still has to be made; one process at a time makes it, and a failed one is made again."""
    home.parent.mkdir(parents=True, exist_ok=True)
    complete = home / ".complete"
    with home.with_name(f".{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        needed = not complete.exists()
        if needed:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
        yield needed
        complete.touch()


def _installer(python: Path) -> list[str]:
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if Path(uv).exists():
        return [uv, "pip", "install", "--quiet", "--python", str(python)]
    return [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _run(argv: list[str], seconds: float) -> None:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=seconds, check=False, env=java_environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerUnavailableError(f"{argv[0]}: {error}") from error
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-_LAST_LINES:]
        raise PeerUnavailableError(f"{Path(argv[0]).name} ended with exit code {done.returncode}: {' / '.join(lines)}")
