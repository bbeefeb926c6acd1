"""Due times held against trigger runs: which were missed, and which tumbling windows wait, for what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools_worker.datafactory import fields
from tools_worker.datafactory.models import FAILED, SUCCEEDED, Trigger, TriggerRun
from tools_worker.datafactory.schedules import Due, Recurrence, Tumbling
from tools_worker.datafactory.schedules.tumbling import moment_of

GRACE = timedelta(minutes=10)  # a trigger fires some minutes late now and then, and its record comes later still
CLOSE = timedelta(minutes=5)
CLOSE_UNSURE = timedelta(minutes=70)  # a clock change moves a time by an hour
OVER = frozenset({SUCCEEDED, FAILED, "Cancelled"})


@dataclass(frozen=True, slots=True)
class Window:
    """A tumbling window that is due. `run` is its newest trigger run."""

    begin: datetime
    end: datetime
    run: TriggerRun | None

    @property
    def status(self) -> str:
        return (self.run.status or "unknown") if self.run else "not started"

    @property
    def word(self) -> str:
        """For a sentence: `failed`, `was cancelled`, `waits for what it depends on`, `is Inprogress`."""
        words = {FAILED: "failed", "Cancelled": "was cancelled", "WaitingOnDependency": "waits for what it depends on"}
        return words.get(self.status, f"is {self.status}")


def scheduled(run: TriggerRun) -> datetime | None:
    """When it was meant to fire, where it tells; else when it did."""
    return moment_of(fields.text(run.properties, "ScheduleTime")) or run.at


def missed(recurrence: Recurrence, runs: Iterable[TriggerRun], since: datetime, now: datetime) -> list[Due]:
    """Due times without a trigger run. What fell due in the last minutes is left to come."""
    fired = sorted(when for run in runs if (when := scheduled(run)) is not None)
    found = []
    for due in recurrence.due(since, now - GRACE):
        near = next((when for when in fired if abs(when - due.at) <= (CLOSE_UNSURE if due.unsure else CLOSE)), None)
        if near is None:
            found.append(due)
        else:
            fired.remove(near)  # one firing answers one due time
    return found


def certain(dues: Iterable[Due]) -> list[Due]:
    return [due for due in dues if not due.unsure]


def open_windows(tumbling: Tumbling, runs: Iterable[TriggerRun], since: datetime, now: datetime) -> list[Window]:
    """Windows that are due and have not succeeded, oldest first."""
    newest: dict[datetime, TriggerRun] = {}
    for run in sorted(runs, key=lambda each: each.at.timestamp() if each.at else 0.0):
        begin = window_start(run)
        if begin is not None:
            newest[begin] = run
    due = (Window(begin, end, newest.get(begin)) for begin, end in tumbling.windows(since, now - GRACE))
    return [window for window in due if window.status != SUCCEEDED]


def window_start(run: TriggerRun) -> datetime | None:
    for source in (run.properties, run.dimension):
        for key in ("windowStartTime", "WindowStartTime"):
            found = moment_of(fields.text(source, key))
            if found is not None:
                return found
    return None


def pipelines_of(trigger: Trigger) -> dict[str, list[str]]:
    """The pipelines that a trigger starts, each with the names of the parameters it hands over."""
    references = [*fields.items(trigger.definition, "pipelines"), trigger.definition.get("pipeline")]
    named = ((fields.text(fields.mapping(each, "pipelineReference"), "referenceName"), each) for each in references)
    return {name: sorted(map(str, fields.mapping(each, "parameters"))) for name, each in named if name}
