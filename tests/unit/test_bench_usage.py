"""What the benchmarks say that a process has used."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.bench.usage import open_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_open_files_are_counted_but_those_on_proc_that_threads_keep_of_themselves(tmp_path: Path) -> None:
    before = open_files(os.getpid())
    with ExitStack() as opened:
        for name in "one", "two":
            opened.enter_context((tmp_path / name).open("w"))
        for _ in range(3):
            opened.enter_context(Path("/proc/self/stat").open())
        assert open_files(os.getpid()) == before + 2
    assert open_files(os.getpid()) == before


def test_a_process_that_is_gone_has_none() -> None:
    assert open_files(2**22 + 1) == 0
