"""What the proxy can do to a request, and to which one: by kind, a pattern on its name, a count or a probability."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from localcloud.storageproxy.wire import Request

KINDS = {
    "delay": "hold the request back for `ms`, then do it",
    "reset": "drop the connection before anything is done",
    "error": "answer `status` before anything is done",
    "reset_after": "do it, then drop the connection",
    "error_after": "do it, then answer `status`",
    "partial": "do it, then send half of the answer and drop the connection",
    "strike": "call `then` before anything is done, and drop the connection",
    "strike_after": "do it, call `then`, and drop the connection",
    "swallow": "say that the message was put, and do nothing",
    "double": "do it twice and tell the second answer",
}
AFTER = ("reset_after", "error_after", "partial", "strike_after")


@dataclass
class Fault:
    """`also` narrows the choice further; what it says no to uses up nothing."""

    kind: str
    match: str = ""
    count: int | None = 1
    probability: float = 1.0
    ms: float = 500.0
    status: int = 503
    name: str = ""  # under which it is counted; its kind where empty
    also: Callable[[Request], bool] = lambda _: True
    then: Callable[[Request], None] = lambda _: None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Unknown fault {self.kind!r}. Known: {', '.join(KINDS)}.")
        self._pattern = re.compile(self.match)

    def fits(self, request: Request) -> bool:
        return self.count != 0 and bool(self._pattern.search(request.name)) and self.also(request)


@dataclass
class Faults:
    seed: int = 7
    armed: list[Fault] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def arm(self, fault: Fault) -> None:
        self.armed.append(fault)

    def clear(self) -> None:
        self.armed.clear()

    def take(self, request: Request) -> Fault | None:
        """The fault that strikes this request, at most one. A counted fault is used up by striking."""
        for fault in self.armed:
            if fault.fits(request) and (fault.probability >= 1 or self._random.random() < fault.probability):
                self._spend(fault)
                return fault
        return None

    def _spend(self, fault: Fault) -> None:
        self.struck[fault.name or fault.kind] += 1
        if fault.count is not None:
            fault.count -= 1
            if not fault.count:
                self.armed.remove(fault)
