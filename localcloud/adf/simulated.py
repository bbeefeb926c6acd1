"""What a simulation yields: pipeline runs and activity runs with all their times, known from the start.

Nothing here changes. A run "lives" because it is looked at through a clock: what has not begun at that moment does not
exist yet, what has not ended is in progress. An end of None means: never, unless somebody cancels it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from localcloud.adf.definitions import Activity, Pipeline


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    message: str
    type: str = "UserError"


@dataclass(frozen=True, slots=True)
class Invoker:
    """What started a run."""

    name: str
    id: str
    type: str
    pipeline: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The run at the top of a tree of runs: scenarios aim at it. `label` names runs that nothing scheduled."""

    pipeline: str
    moment: datetime
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A pipeline run that was asked for."""

    run_id: str
    group_id: str
    pipeline: Pipeline
    queued_at: datetime
    invoker: Invoker
    origin: Origin
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dimension: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] | None = None  # a rerun: the top-level activities that run again
    depth: int = 0


@dataclass(frozen=True, slots=True)
class ActivityRun:
    id: str
    activity: Activity
    start: datetime
    end: datetime | None
    status: str
    failure: Failure | None = None
    attempt: int = 0
    iteration: int | None = None
    iteration_hash: str = ""
    child: PipelineRun | None = None
    rows: int | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    queued: timedelta = timedelta()  # of its time: in the queue of its integration runtime

    def status_at(self, now: datetime) -> str:
        if self.end is not None and self.end <= now:
            return self.status
        return "Queued" if now < self.start + self.queued else "InProgress"


@dataclass(frozen=True, slots=True)
class PipelineRun:
    order: Order
    start: datetime | None
    end: datetime | None
    status: str
    message: str = ""
    activities: tuple[ActivityRun, ...] = ()
    end_unrecorded: bool = False

    @property
    def id(self) -> str:
        return self.order.run_id

    def status_at(self, now: datetime) -> str:
        if self.end is not None and self.end <= now:
            return self.status
        return "InProgress" if self.start is not None and self.start <= now else "Queued"

    def last_updated(self, now: datetime) -> datetime:
        """The time of the latest event that has happened by now."""
        if self.end is not None and self.end <= now:
            return self.end
        events = [self.order.queued_at]
        if self.start is not None:
            events.append(self.start)
        for run in self.activities:
            events += [run.start] if run.end is None else [run.start, run.end]
        return max(event for event in events if event <= now)

    def family(self) -> Iterator[PipelineRun]:
        """This run and all that it called, at any depth."""
        yield self
        for run in self.activities:
            if run.child is not None:
                yield from run.child.family()
