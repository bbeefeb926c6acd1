"""Held against an agreed time: did a pipeline end well by then, day by day?

A run serves the first agreed time after it began. While one is not met, what begins in the twelve hours after it, or is
a rerun of what began before it, still serves that one: so a late repair does not pass for the next day's run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from core.errors import InvalidArguments
from tools_worker.datafactory.models import SUCCEEDED, PipelineRun
from tools_worker.datafactory.period import Period

State = Literal["met", "late", "missed", "open"]
REPAIR = timedelta(hours=12)
READ_BEFORE = timedelta(days=2)  # runs from before the period that may serve its first agreed time


@dataclass(frozen=True, slots=True)
class Held:
    """One day. `run` ended well; where none did, it is the newest that tried. `open`: the time has not come yet."""

    day: date
    due: datetime
    state: State
    run: PipelineRun | None = None

    @property
    def late_by(self) -> timedelta | None:
        ended = ended_at(self.run) if self.run and self.state == "late" else None
        return ended - self.due if ended else None


def clock(text: str) -> time:
    """HH:MM. Raises InvalidArguments."""
    try:
        hour, minute = (int(part) for part in text.split(":"))
        return time(hour, minute)
    except ValueError as exc:
        raise InvalidArguments(
            f"agreed_finish {text[:20]!r} is no time of day.", hint="Give HH:MM, such as 06:30."
        ) from exc


def due_times(agreed: time, period: Period, now: datetime) -> list[tuple[date, datetime]]:
    """The agreed times in the period; today's too when it is still to come."""
    zone = period.zone.info
    last = (period.until or now).astimezone(zone).date()
    day = period.since.astimezone(zone).date()
    found = []
    while day <= last:
        due = datetime.combine(day, agreed, zone).astimezone(UTC)
        if due >= period.since and (period.until is None or due < period.until):
            found.append((day, due))
        day += timedelta(days=1)
    return found


def held(runs: Sequence[PipelineRun], dues: Sequence[tuple[date, datetime]], now: datetime) -> list[Held]:
    """One for each agreed time, in order."""
    found: list[Held] = []
    taken: set[str] = set()
    for day, due in dues:
        mine = [run for run in runs if run.start and run.run_id not in taken and due - timedelta(days=1) < run.start]
        before = [run for run in mine if run.start and run.start <= due]
        groups = {run.group_id for run in before if run.group_id}
        serving = [run for run in mine if _serves(run, due, groups)]
        one = _held(day, due, before, serving, now)
        found.append(one)
        if one.state in ("late", "missed"):
            taken |= {run.run_id for run in serving if one.run and _began(run) <= _began(one.run)}
    return found


def _serves(run: PipelineRun, due: datetime, groups: set[str]) -> bool:
    return run.start is not None and (run.start <= due + REPAIR or run.group_id in groups)


def _held(
    day: date, due: datetime, before: Sequence[PipelineRun], serving: Sequence[PipelineRun], now: datetime
) -> Held:
    ends = [(end, run) for run in serving if run.status == SUCCEEDED and (end := ended_at(run)) is not None]
    good = min(ends, key=lambda each: each[0], default=None)
    if good is not None:
        return Held(day, due, "met" if good[0] <= due else "late", good[1])
    newest = max(before if due > now else serving, key=_began, default=None)
    return Held(day, due, "open" if due > now else "missed", newest)


def ended_at(run: PipelineRun) -> datetime | None:
    """ADF leaves the end out now and then: the duration tells it too."""
    if run.end is not None or run.start is None or run.duration_ms is None or run.unfinished:
        return run.end
    return run.start + timedelta(milliseconds=run.duration_ms)


def _began(run: PipelineRun) -> datetime:
    return run.start or datetime.min.replace(tzinfo=UTC)
