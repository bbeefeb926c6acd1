"""Held against an agreed time: did a pipeline end well by then, day by day?

A run serves the agreed time that is at most eighteen hours after its beginning, or at most six before it. While one is
not met, what a person starts in the hours after that, or a rerun, still serves it: a repair in the afternoon does not
pass for the run of the next day.
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
LEAD, DELAY = timedelta(hours=18), timedelta(hours=6)  # together a day: every run serves one agreed time
REPAIR = timedelta(hours=18)
READ_BEFORE = LEAD  # runs from before the period that may serve its first agreed time
MANUAL = "manual"


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


@dataclass(frozen=True, slots=True)
class Kept:
    """The days of one pipeline held against the agreed time."""

    factory: str
    pipeline: str
    agreed: time
    zone: str
    days: tuple[Held, ...]


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
        left = [run for run in runs if run.run_id not in taken]
        own = [run for run in left if run.start and due - LEAD < run.start <= due + DELAY]
        one = _held(day, due, own, _repairs(left, own, due), now)
        found.append(one)
        if one.run is not None and one.run not in own:
            taken.add(one.run.run_id)
    return found


def _repairs(runs: Sequence[PipelineRun], own: Sequence[PipelineRun], due: datetime) -> list[PipelineRun]:
    groups = {run.group_id for run in own if run.group_id}
    after = (run for run in runs if run.start and due + DELAY < run.start <= due + REPAIR)
    return [run for run in after if run.group_id in groups or run.invoked_by.type.casefold() == MANUAL]


def _held(day: date, due: datetime, own: Sequence[PipelineRun], repairs: Sequence[PipelineRun], now: datetime) -> Held:
    good = _first_good(own) or _first_good(repairs)
    if good is not None:
        end, run = good
        return Held(day, due, "met" if end <= due else "late", run)
    newest = max(own, key=_began, default=None)
    return Held(day, due, "open" if due > now else "missed", newest)


def _first_good(runs: Sequence[PipelineRun]) -> tuple[datetime, PipelineRun] | None:
    ends = [(end, run) for run in runs if run.status == SUCCEEDED and (end := ended_at(run)) is not None]
    return min(ends, key=lambda each: each[0], default=None)


def ended_at(run: PipelineRun) -> datetime | None:
    """ADF leaves the end out now and then: the duration tells it too."""
    if run.end is not None or run.start is None or run.duration_ms is None or run.unfinished:
        return run.end
    return run.start + timedelta(milliseconds=run.duration_ms)


def _began(run: PipelineRun) -> datetime:
    return run.start or datetime.min.replace(tzinfo=UTC)
