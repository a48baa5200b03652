"""PostgreSQL's own server programs: a server in a folder, on a socket, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

from schemas.errors import ConfigurationError

_START_S = 60.0


def find_programs() -> Path:
    """The folder of PostgreSQL's server programs.

    Raises:
        ConfigurationError: there are none here.
    """
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not folders:
        raise ConfigurationError("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    return folders[-1].parent


class PostgresServer:
    """A server of its own, on a socket in a folder of its own; ends with `close`.

    Args:
        folder: with the data; filled when it is empty or not there.
        memory_mb: for its cache.
    """

    def __init__(self, folder: Path, memory_mb: int) -> None:
        self._programs, self.folder = find_programs(), folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The server refuses to run as root; there its package's own user runs it.
        self._user: str | None = None
        if os.geteuid() == 0:
            self._user = "postgres"
            account = pwd.getpwnam(self._user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._data = folder / "data"
        if not self._data.exists():
            self._run("initdb", "-D", str(self._data), "-U", "bench", "-A", "trust", "--no-sync", "-E", "UTF8")
            self._configure(memory_mb)
        self._run("pg_ctl", "-D", str(self._data), "-l", str(folder / "log"), "-w", "-t", str(_START_S), "start")

    def _configure(self, memory_mb: int) -> None:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "shared_buffers": f"{memory_mb}MB",
            "maintenance_work_mem": f"{memory_mb // 2}MB",
            "work_mem": "256MB",
            "max_wal_size": "8GB",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "synchronous_commit": "off",
            "effective_cache_size": f"{4 * memory_mb}MB",
            "random_page_cost": "1.1",
            "jit": "off",
        }
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in options.items())

    def connect(self) -> Any:
        """A connection, committing after every statement."""
        import psycopg

        return psycopg.connect(host=str(self.folder), user="bench", dbname="postgres", autocommit=True)

    def close(self) -> None:
        """Stop the server and wait for its end."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ConfigurationError(f"PostgreSQL's {program} failed: {done.stderr.strip()[-500:]}")
