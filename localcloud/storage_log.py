"""Azurite's access log as it grows: whoever waits for a message of a queue is told at once, and need not ask for it.

A queue cannot be listened to, only asked. Twenty queues asked often enough to feel quick cost two cores more than the
work itself; a line of this log costs nothing. Messages that show up later (put with a delay, or hidden by somebody who
died) leave no line, so that everybody still asks now and then.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

LOOK_SECONDS = 0.003
PUT = re.compile(rb'"POST /[^/ ]+/([^/ ]+)/messages[ ?][^"]*" 201')


class StorageLog:
    """What is in the file before `follow` begins is not told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listeners: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)

    def when_put(self, queue: str, tell: Callable[[], None]) -> None:
        self._listeners[queue].append(tell)

    async def follow(self) -> None:
        """For ever."""
        with self._path.open("rb") as log:
            log.seek(0, 2)
            rest = b""
            while True:
                news = log.read()
                if not news:
                    await asyncio.sleep(LOOK_SECONDS)
                    continue
                *lines, rest = (rest + news).split(b"\n")
                self._tell(lines)

    def _tell(self, lines: list[bytes]) -> None:
        queues = {put[1].decode() for line in lines if (put := PUT.search(line))}
        for queue in queues:
            for tell in self._listeners.get(queue, ()):
                tell()
