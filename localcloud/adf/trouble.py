"""Trouble on the wire, made to order: throttling, server errors, delays, connections that break, bodies cut short."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.adf.arm import bad_request

KINDS = ("status", "delay", "reset", "partial")


@dataclass(slots=True)
class Trouble:
    """Strikes `count` requests (None: without end), each with `probability`, of the named operation or of all."""

    kind: str
    status: int = 429
    retry_after: str | None = None
    seconds: float = 0.0
    operation: str | None = None
    count: int | None = None
    probability: float = 1.0


class Troubles:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.clear()

    def clear(self) -> None:
        self._dice = random.Random(self._seed)
        self._waiting: list[Trouble] = []
        self.struck: Counter[str] = Counter()

    def add(self, body: Mapping[str, Any]) -> None:
        """Raises ArmError."""
        try:
            trouble = Trouble(**{"kind": "status", **body})
        except TypeError as exc:
            raise bad_request(str(exc).split(") ")[-1]) from exc
        if trouble.kind not in KINDS:
            raise bad_request(f"'kind' is one of {', '.join(KINDS)}.")
        self._waiting.append(trouble)

    def next_for(self, operation: str) -> Trouble | None:
        for trouble in self._waiting:
            if trouble.operation in (None, operation) and self._dice.random() < trouble.probability:
                self._spend(trouble)
                return trouble
        return None

    def _spend(self, trouble: Trouble) -> None:
        self.struck[trouble.kind] += 1
        if trouble.count is not None:
            trouble.count -= 1
            if trouble.count <= 0:
                self._waiting.remove(trouble)
