"""Spans and metrics of requests to Data Factory. They tell which operation it was, never of what: no name, no id."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from urllib.parse import urlsplit

from core.telemetry import metrics, names
from core.telemetry.setup import providers
from core.telemetry.spans import Attributes, Span, begin, span

NO_ANSWER = 0
OURS = ("microsoft.datafactory", "factories")
_WORD = re.compile(r"[A-Za-z]{1,40}")


def operation_of(path: str) -> str:
    """Of a path or a whole URL: `queryPipelineRuns`, `pipelines/{name}`, `getStatus`, `factories`."""
    parts = [part for part in urlsplit(path).path.split("/") if part]
    below = _below_factories(parts)
    if below is None:
        return "activity_log" if "eventtypes" in (part.lower() for part in parts) else "other"
    if len(below) < 2:
        return "factories/{name}" if below else "factories"
    told = [below[1]] if len(below) == 2 else [below[1], "{name}"] if len(below) == 3 else [below[-1]]
    known = all(_WORD.fullmatch(part) or part == "{name}" for part in told)
    return "/".join(told) if known else "other"


def _below_factories(parts: list[str]) -> list[str] | None:
    """Behind the provider's own word: a resource group may be called `factories` too."""
    pairs = pairwise(parts)
    found = (index for index, (one, two) in enumerate(pairs) if (one.lower(), two.lower()) == OURS)
    return next((parts[index + 2 :] for index in found), None)


class Asked:
    """What became of one request; see `asking`."""

    def __init__(self, traced: Span) -> None:
        self._traced = traced
        self.status = NO_ANSWER

    def answered(self, status: int) -> None:
        self.status = status
        self._traced.set({names.STATUS: status, names.THROTTLED: status == 429})
        if status >= 400:
            self._traced.failed(str(status))


@contextmanager
def asking(method: str, path: str, endpoint: str) -> Iterator[Asked]:
    """Around one request. Whoever asks tells the status of the answer; without one there was none."""
    operation = operation_of(path)
    about = {**_about(method, operation), names.REUSED: False, names.ADDRESS: f"{endpoint}/{operation}"}
    started = time.monotonic()
    with span(names.asking(method, operation), "client", about) as traced:
        asked = Asked(traced)
        try:
            yield asked
        finally:
            seconds = time.monotonic() - started
            told: Attributes = {names.DATA_FACTORY_OPERATION: operation, names.STATUS: asked.status}
            metrics.record(names.DATA_FACTORY_SECONDS, seconds, told)


class Reuse:
    """Notes where an answer came from memory, or from somebody else's request that was under way."""

    def __init__(self, method: str, path: str) -> None:
        self._method, self._path = method, path
        self._since = datetime.now(UTC) if providers() else None
        self.asked = False  # set by whoever asks after all

    def over(self) -> None:
        if self._since is None or self.asked:
            return
        operation = operation_of(self._path)
        about = {**_about(self._method, operation), names.REUSED: True}
        begin(names.asking(self._method, operation), "client", about, at=self._since).end()
        metrics.count(names.DATA_FACTORY_REUSED, 1, {names.DATA_FACTORY_OPERATION: operation})


def _about(method: str, operation: str) -> Attributes:
    return {names.METHOD: method, names.DATA_FACTORY_OPERATION: operation}
