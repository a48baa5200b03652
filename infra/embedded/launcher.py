"""Starts a program that dies with the process that asked for it; run as a script, knows only the standard library.

    python launcher.py linux PARENT_PID -- PROGRAM ARGUMENT...
    python launcher.py pipe READ_FD -- PROGRAM ARGUMENT...

`linux`: the kernel kills the program when the *thread* that started it ends (prctl(2), PR_SET_PDEATHSIG, which stays
in force over execve). `pipe`: for every other system. The parent holds the other end of a pipe; when the kernel closes
it, however the parent ended, a small guard process kills the program's group. In both ways the program keeps the
process id of this launcher.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys

_PR_SET_PDEATHSIG = 1
_POLL_S = 1.0


def die_with_thread(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends; end now if that is already so."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        os._exit(1)


def die_with_pipe(read_end: int) -> None:
    """Fork a guard that kills this process (and its group) when the pipe's other end is closed."""
    program = os.getpid()
    os.set_inheritable(read_end, False)
    if os.fork():
        return
    os.setsid()
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    while os.getppid() == program:
        if select.select([read_end], [], [], _POLL_S)[0]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(program, signal.SIGKILL)
            break
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then become the program."""
    way, handle, _, *program = arguments
    if way == "linux":
        die_with_thread(int(handle))
    else:
        die_with_pipe(int(handle))
    try:
        os.execvp(program[0], program)  # noqa: S606 - becoming another program is this file's purpose
    except OSError as error:
        sys.stderr.write(f"cannot run {program[0]}: {error.strerror}\n")
        os._exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
