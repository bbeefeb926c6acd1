"""How long the stand-in had anything to answer: what a caller who is alone waits for it, whatever it asks at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Busy:
    """Requests under way at the same time count once."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock, self._under_way, self._since = clock, 0, 0.0
        self.seconds = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        if not self._under_way:
            self._since = self._clock()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self.seconds += self._clock() - self._since
