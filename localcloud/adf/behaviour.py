"""What a simulation asks of its world: which pipelines exist, how long things take, and what goes wrong where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from localcloud.adf.definitions import Activity, Pipeline
from localcloud.adf.simulated import Failure, Origin

Rounds = tuple[int, ...]  # the iterations one is in, from the outermost container inwards


@dataclass(frozen=True, slots=True)
class Spot:
    """One activity of one run, in one iteration."""

    origin: Origin
    run_id: str
    pipeline: str
    activity: Activity
    rounds: Rounds
    start: datetime


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong at a spot. `attempts` None: every attempt fails; `failure` None: it does not fail at all.
    `earlier` are the failures of the first attempts, where they differ from the last one's."""

    failure: Failure | None = None
    attempts: int | None = None
    seconds: float | None = None
    hangs: bool = False
    slower: float = 1.0
    rows: int | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    earlier: tuple[Failure, ...] = ()

    def failure_at(self, attempt: int) -> Failure | None:
        return self.earlier[attempt] if attempt < len(self.earlier) else self.failure

    def strikes(self, attempt: int) -> bool:
        return self.failure is not None and (self.attempts is None or attempt < self.attempts)


@dataclass(frozen=True, slots=True)
class Cancellation:
    moment: datetime
    recursive: bool = False
    end_unrecorded: bool = False


class Behaviour(Protocol):
    def pipeline(self, name: str) -> Pipeline | None: ...

    def mishap(self, spot: Spot) -> Mishap | None: ...

    def seconds(self, spot: Spot) -> float:
        """How long it takes when nothing is wrong."""

    def queue_seconds(self, spot: Spot) -> float:
        """How long it waits until its integration runtime has a place for it."""

    def rows(self, spot: Spot) -> int: ...

    def rounds(self, spot: Spot) -> int:
        """How many iterations a ForEach or an Until makes."""

    def branch(self, spot: Spot) -> str:
        """Which branch of an IfCondition or a Switch is taken."""

    def cancellation(self, run_id: str) -> Cancellation | None: ...
