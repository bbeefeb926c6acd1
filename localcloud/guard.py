"""`python -m localcloud.guard -- COMMAND…`: run a foreign program that ends when our standard input closes.

Our own servers watch their stdin themselves; Node and the real Functions host do not. Whoever starts a guard holds the
other end of its stdin, so the program is gone soon after its starter, however the starter died. The exit code is the
program's own, 128 + N when signal N ended it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

GRACE_SECONDS = 5.0


def guard(command: Sequence[str], grace_seconds: float = GRACE_SECONDS) -> int:
    """Run `command` until it ends, a signal comes, or stdin closes. Leaves nothing of its process group behind."""
    lead_a_group()
    stop = threading.Event()

    def on_signal(_signum: int, _frame: FrameType | None) -> None:
        stop.set()

    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, on_signal)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for over in (drain_stdin, process.wait):
        in_background(over, stop)
    stop.wait()
    end(process, grace_seconds)
    return exit_code(process.returncode)


def lead_a_group() -> None:
    """A group of our own: signalling it reaches grandchildren (a Functions host has many) and nobody else."""
    if os.getpgrp() != os.getpid():
        os.setpgrp()


def in_background(wait: Callable[[], object], then: threading.Event) -> None:
    def work() -> None:
        wait()
        then.set()

    threading.Thread(target=work, daemon=True).start()


def drain_stdin() -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass


def end(process: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """Ask the whole group to end, then insist. We belong to it, and ignore the request but not the insistence."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(os.getpgrp(), signal.SIGTERM)
    try:
        process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(os.getpgrp(), signal.SIGKILL)


def exit_code(returncode: int) -> int:
    return returncode if returncode >= 0 else 128 - returncode


def main(arguments: Sequence[str]) -> int:
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        print("Usage: python -m localcloud.guard -- COMMAND [ARGUMENT…]", file=sys.stderr)
        return 2
    try:
        return guard(command)
    except OSError as exc:
        print(f"Cannot run {command[0]!r}: {exc.strerror}.", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
