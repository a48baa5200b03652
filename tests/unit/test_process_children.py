"""Child processes: they die with their parent, their output is kept, and they are never mistaken for another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.identity import ProcessIdentity, identify
from infra.embedded.process import DEFAULT_BOND, Bond, ChildProcess, ending
from schemas.errors import FatalError
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
SLEEPER = "import signal; print('ready', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPER
BONDS: list[Bond] = [DEFAULT_BOND] if DEFAULT_BOND == "pipe" else ["linux", "pipe"]

PARENT = """
import signal, sys, threading
from pathlib import Path
from infra.embedded.process import ChildProcess
child = ChildProcess("child", [sys.executable, "-c", {code!r}], Path({log!r}), bond={bond!r})
thread = threading.Thread(target=child.start)
thread.start(); thread.join()
print(child.pid, flush=True)
signal.pause()
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


@pytest.fixture
def children() -> Iterator[list[ChildProcess]]:
    started: list[ChildProcess] = []
    yield started
    for child in started:
        child.kill()


def python(code: str, log: Path, children: list[ChildProcess], bond: Bond = DEFAULT_BOND) -> ChildProcess:
    child = ChildProcess("child", [sys.executable, "-c", code], log, bond=bond)
    children.append(child)
    return child


def await_ready(child: ChildProcess) -> None:
    wait_until(lambda: "ready" in child.log_tail(), 10, "the child to be ready")


@pytest.mark.parametrize("bond", BONDS)
def test_a_child_dies_with_a_parent_that_is_killed_with_minus_9(log: Path, bond: Bond) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(code=STUBBORN, log=str(log), bond=bond)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with parent:
        assert parent.stdout is not None
        child = identify(int(parent.stdout.readline()))
        assert child is not None
        wait_until(lambda: log.exists() and "ready" in log.read_text(), 10, "the child to be ready")
        parent.kill()
    wait_until(lambda: not child.is_alive(), 10, "the child to be gone")


@pytest.mark.parametrize("bond", BONDS)
def test_a_child_outlives_the_thread_that_started_it(log: Path, bond: Bond, children: list[ChildProcess]) -> None:
    child = python(f"import time; print('ready', flush=True); {SLEEPER}", log, children, bond)
    thread = threading.Thread(target=child.start)
    thread.start()
    thread.join()
    await_ready(child)
    second = python("pass", log, children, bond)
    second.start()
    assert second.wait(10) == 0
    assert child.is_running()


def test_an_unbound_child_outlives_its_parent(log: Path) -> None:
    code = PARENT.format(code=SLEEPER, log=str(log), bond="none")
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    with parent:
        assert parent.stdout is not None
        child = identify(int(parent.stdout.readline()))
        wait_until(lambda: log.exists() and "ready" in log.read_text(), 10, "the child to be ready")
        parent.kill()
    assert child is not None
    assert child.is_alive()
    os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: not child.is_alive(), 10, "the child to be gone")


@pytest.mark.parametrize("bond", [*BONDS, "none"])
def test_the_process_id_is_the_programs_own(log: Path, bond: Bond, children: list[ChildProcess]) -> None:
    child = python("import os; print(os.getpid())", log, children, bond).start()
    assert child.wait(10) == 0
    assert child.log_tail() == str(child.pid)


def test_stop_asks_first_and_hands_back_the_exit_code(log: Path, children: list[ChildProcess]) -> None:
    child = python(f"import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); {SLEEPER}", log, children).start()
    await_ready(child)
    assert child.stop(timeout=10) == 7
    assert child.poll() == 7
    assert child.stop() == 7


def test_stop_kills_after_the_deadline(log: Path, children: list[ChildProcess]) -> None:
    child = python(STUBBORN, log, children).start()
    await_ready(child)
    assert child.stop(timeout=0.05) == -signal.SIGKILL


def test_stop_also_ends_what_the_child_left_behind(log: Path, children: list[ChildProcess]) -> None:
    grandchild_code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]);"
    child = python(f"{grandchild_code} print('pid', p.pid, flush=True); p.wait()", log, children).start()
    await_ready(child)
    line = next(line for line in child.log_tail().splitlines() if line.startswith("pid"))
    grandchild = identify(int(line.split()[1]))
    assert grandchild is not None
    child.stop()
    wait_until(lambda: not grandchild.is_alive(), 10, "the grandchild to be gone")


def test_output_is_appended_to_the_log_over_restarts(log: Path, children: list[ChildProcess]) -> None:
    child = python("import sys; print('out', flush=True); print('err', file=sys.stderr)", log, children)
    for _ in range(2):
        child.start()
        assert child.wait(10) == 0
    assert child.log_tail().splitlines() == ["out", "err"] * 2
    assert child.log_tail(1) == "err"


def test_a_program_that_is_not_there_is_named_in_the_log(log: Path, children: list[ChildProcess]) -> None:
    child = ChildProcess("child", ["/nonexistent/program"], log)
    children.append(child)
    child.start()
    assert child.wait(10) == 127
    assert "cannot run /nonexistent/program" in child.log_tail()


def test_a_nice_child_stands_back_within_its_session_and_as_a_session(log: Path, children: list[ChildProcess]) -> None:
    child = ChildProcess("child", [sys.executable, "-c", SLEEPER], log, niceness=7)
    children.append(child.start())
    await_ready(child)
    assert os.getpriority(os.PRIO_PROCESS, child.pid) == 7
    group = Path(f"/proc/{child.pid}/autogroup")
    if group.exists():
        assert group.read_text().endswith("nice 7\n")


def test_a_running_child_is_not_started_twice(log: Path, children: list[ChildProcess]) -> None:
    child = python(SLEEPER, log, children).start()
    with pytest.raises(FatalError, match=f"already running as process {child.pid}"):
        child.start()


def test_a_child_that_was_never_started_is_harmless(log: Path) -> None:
    child = ChildProcess("child", [sys.executable], log)
    assert (child.poll(), child.stop(), child.kill(), child.wait(1), child.log_tail()) == (None, None, None, None, "")
    with pytest.raises(FatalError, match="was not started"):
        _ = child.pid


def test_a_process_id_that_was_used_again_is_another_process() -> None:
    own = identify(os.getpid())
    assert own is not None
    assert own.is_alive()
    assert not ProcessIdentity(own.pid, "long ago").is_alive()


def test_a_process_that_ended_but_was_not_reaped_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", SLEEPER], stdout=subprocess.DEVNULL) as process:
        identity = identify(process.pid)
        assert identity is not None
        process.kill()
        wait_until(lambda: not identity.is_alive(), 10, "the zombie to be seen as ended")
        assert process.returncode is None


def test_an_ending_is_told_in_words() -> None:
    assert ending(3) == "ended with exit code 3"
    assert ending(-9) == "was ended by SIGKILL"
