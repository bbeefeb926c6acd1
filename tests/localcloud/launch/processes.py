"""Whether processes are really gone."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psutil


def ended(processes: Sequence[psutil.Process], within_seconds: float = 15) -> bool:
    """Whether all end in time. A zombie has ended: in a container nobody may collect orphans."""
    deadline = time.monotonic() + within_seconds
    while any(alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
