"""Run a coroutine until it ends or somebody wants it to: Ctrl-C, a signal, a closed terminal, a `make` that is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ECHO_SECONDS = 1.0  # make passes on the SIGTERM that its whole process group got: one wish, heard twice


def run(main: Coroutine[Any, Any, int]) -> int:
    """The exit code of `main`, or 128 + N after signal N, once `main` has cleaned up.

    A second signal ends us at once; the children then see their stdin close.
    """
    return asyncio.run(_watched(main))


async def _watched(main: Coroutine[Any, Any, int]) -> int:
    working = asyncio.create_task(main)
    orphaned = asyncio.create_task(parent_gone())
    wish = Wish(working)
    for signum in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(signum, wish.hear, signum)
    orphaned.add_done_callback(lambda ended: None if ended.cancelled() else wish.hear(signal.SIGHUP))
    with suppress(asyncio.CancelledError):
        return await working
    return 128 + wish.signum


class Wish:
    """Somebody's wish that we end. Cancels the work when first heard, ends the process when insisted on."""

    def __init__(self, working: asyncio.Task[int]) -> None:
        self.signum = 0
        self._working = working
        self._heard = 0.0

    def hear(self, signum: int) -> None:
        now = time.monotonic()
        if self.signum and now - self._heard > ECHO_SECONDS:
            os._exit(128 + signum)
        if not self.signum:
            self.signum, self._heard = signum, now
            self._working.cancel()


async def parent_gone() -> None:
    """Returns when the `make` that started us has died; never when no make did."""
    if "MAKELEVEL" not in os.environ:
        await asyncio.Event().wait()
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(1)
