"""A circuit breaker: an upstream that keeps failing is left alone for a while, and everybody is told since when.

One per upstream and process. Calls fail at once while it is open; after a rest one call may try, and its outcome
decides for all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from core.errors import AppError, UpstreamUnavailable

log = logging.getLogger("breaker")
FAILURES = 5  # calls in a row, each with its own retries: a blip does not open it
REST_SECONDS = 5.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Breaker:
    """Not for refusals or throttling: an upstream that says no is answering."""

    def __init__(
        self,
        upstream: str,
        *,
        failures: int = FAILURES,
        rest_seconds: float = REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._upstream = upstream
        self._allowed = failures
        self._rest = rest_seconds
        self._clock = clock
        self._now = now
        self._in_a_row = 0
        self._since: datetime | None = None  # the first of the failures in a row
        self._next_try = 0.0

    @property
    def open(self) -> bool:
        return self._in_a_row >= self._allowed

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Around a call whose failures are translated into core.errors: asks first, and counts how it went."""
        self.check()
        try:
            yield
        except UpstreamUnavailable:
            self.failed()
            raise
        except AppError:  # it said no, so it is there
            self.succeeded()
            raise
        self.succeeded()

    def check(self) -> None:
        """Before a call. Raises UpstreamUnavailable while the upstream is left alone; lets one call through when it
        has rested."""
        if not self.open:
            return
        wait = self._next_try - self._clock()
        if wait > 0:
            raise UpstreamUnavailable(
                f"{self._upstream} is not answering since {self._told}; it is left alone for a moment.",
                hint=f"Try again in {max(1, round(wait))} seconds.",
            )
        self._next_try = self._clock() + self._rest  # the others go on waiting while this one tries

    def succeeded(self) -> None:
        if self.open:
            log.warning("outcome=answers_again upstream=%s", self._upstream)
        self._in_a_row = 0
        self._since = None

    def failed(self) -> None:
        self._in_a_row += 1
        self._since = self._since or self._now()
        if self._in_a_row == self._allowed:
            log.warning("outcome=left_alone failures=%d upstream=%s", self._in_a_row, self._upstream)
        if self.open:
            self._next_try = self._clock() + self._rest

    @property
    def _told(self) -> str:
        return self._since.strftime("%H:%M:%S UTC") if self._since else "a moment ago"
