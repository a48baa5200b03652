"""Runs a measurement in a process of its own: what one leaves in memory is none of the next one's business."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from schemas.errors import FatalError


def run_apart(module: str, arguments: list[str], what: str) -> dict[str, Any]:
    """The JSON object that a module prints on its last line; it is ended with this process's own interruption.

    Args:
        module: what is run, as after `python -m`.
        arguments: of it.
        what: is measured, for the message.

    Raises:
        FatalError: it ended with an exit code other than 0; its message is on standard error already.
    """
    with subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True) as child:
        try:
            printed, _ = child.communicate()
        except BaseException:
            child.terminate()
            raise
    if child.returncode != 0:
        raise FatalError(f"{what} ended with exit code {child.returncode}; its message is above")
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found
