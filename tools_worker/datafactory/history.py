"""A pipeline's runs over time: counts, usual durations, and since when it is slower or failing."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from tools_worker.datafactory.models import SUCCEEDED, PipelineRun

MIN_SIDE = 5  # runs before and after a change: fewer are chance
MIN_RATIO = 1.5  # of the medians
MIN_SECONDS = 30.0  # a second becoming two is no news
MIN_DAYS = 7  # with runs: a trend over fewer is chance
END = 3  # days at either end that tell how long it took then
MIN_AGREEMENT = 0.6  # of all pairs of days, those in order less those in disorder
MIN_GROWTH = 1.25  # from the first day to the last
COARSE = 32  # places tried at each step of the search
SPREADS = 3.0  # the change must stand out from the ordinary spread of both sides


@dataclass(frozen=True, slots=True)
class Usual:
    """Durations of runs that succeeded, in seconds."""

    number: int
    p50: float
    p95: float
    longest: float

    @classmethod
    def of(cls, runs: Iterable[PipelineRun]) -> Usual | None:
        times = sorted(seconds for _, seconds in timed(runs))
        if not times:
            return None
        return cls(len(times), statistics.median(times), times[-(-95 * len(times) // 100) - 1], times[-1])


@dataclass(frozen=True, slots=True)
class Shift:
    """A lasting change of the duration: the medians before and since `since`, the start of the first changed run."""

    since: datetime
    run_id: str
    before: float
    after: float

    @property
    def slower(self) -> bool:
        return self.after > self.before


@dataclass(frozen=True, slots=True)
class Drift:
    """A duration that grows or shrinks day by day: the median seconds of its first and of its last days."""

    since: datetime
    first: float
    last: float
    days: int

    @property
    def slower(self) -> bool:
        return self.last > self.first


def timed(runs: Iterable[PipelineRun]) -> list[tuple[PipelineRun, float]]:
    """Runs that succeeded and tell their time, oldest first. A time that ADF left out is not worked out."""
    found = [
        (run, run.duration_ms / 1000)
        for run in runs
        if run.status == SUCCEEDED and run.start is not None and run.duration_ms is not None and run.duration_ms >= 0
    ]
    return sorted(found, key=_by_start)


def shift(runs: Iterable[PipelineRun]) -> Shift | None:
    """The one place where durations before and after differ most, if they differ beyond their spread."""
    known = timed(runs)
    times = [seconds for _, seconds in known]
    best = _best_place(times)
    if best is None:
        return None
    before, after = statistics.median(times[:best]), statistics.median(times[best:])
    run = known[best][0]
    if not _stands_out(times[:best], times[best:]) or run.start is None:
        return None
    return Shift(run.start, run.run_id, before, after)


def drift(runs: Iterable[PipelineRun]) -> Drift | None:
    """A steady trend of the daily medians: nearly all later days are longer (or shorter) than earlier ones."""
    days = _daily(runs)
    if len(days) < MIN_DAYS:
        return None
    pairs = [(one, other) for place, one in enumerate(days) for other in days[place + 1 :]]
    rising = sum((other[1] > one[1]) - (other[1] < one[1]) for one, other in pairs)
    if abs(rising) < MIN_AGREEMENT * len(pairs):
        return None
    first, last = (statistics.median(seconds for _, seconds in end) for end in (days[:END], days[-END:]))
    low, high = sorted((first, last))
    if high - low < MIN_SECONDS or high < low * MIN_GROWTH or (last > first) != (rising > 0):
        return None
    return Drift(datetime.combine(days[0][0], time(), UTC), first, last, (days[-1][0] - days[0][0]).days)


def _daily(runs: Iterable[PipelineRun]) -> list[tuple[date, float]]:
    days: dict[date, list[float]] = {}
    for run, seconds in timed(runs):
        if run.start is not None:
            days.setdefault(run.start.date(), []).append(seconds)
    return [(day, statistics.median(times)) for day, times in sorted(days.items())]


def failing_since(runs: Sequence[PipelineRun]) -> tuple[PipelineRun, int] | None:
    """The first of the failures that have not stopped, and how many there are; None when the newest end was none."""
    ended = [run for run in sorted(runs, key=_newest, reverse=True) if not run.unfinished]
    streak: list[PipelineRun] = []
    for run in ended:
        if not run.failed:
            break
        streak.append(run)
    return (streak[-1], len(streak)) if streak else None


def by_day(runs: Iterable[PipelineRun], zone: tzinfo) -> dict[str, Counter[str]]:
    """Counts by status for each day of the zone on which a run started, oldest first."""
    days: dict[str, Counter[str]] = {}
    for run in sorted(runs, key=_newest):
        day = run.start.astimezone(zone).date().isoformat() if run.start else "unknown"
        days.setdefault(day, Counter())[run.status or "unknown"] += 1
    return days


def rerun_groups(runs: Iterable[PipelineRun]) -> list[list[PipelineRun]]:
    """Runs that are reruns of each other, each group oldest first, newest group first."""
    groups: dict[str, list[PipelineRun]] = {}
    for run in sorted(runs, key=_newest):
        if run.group_id:
            groups.setdefault(run.group_id, []).append(run)
    found = [group for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda group: _newest(group[-1]), reverse=True)


def _best_place(times: Sequence[float]) -> int | None:
    """Coarse first, then finer around the best: thousands of runs are not split at every one of them."""
    low, high = MIN_SIDE, len(times) - MIN_SIDE
    best: int | None = None
    while low <= high:
        step = max(1, (high - low) // COARSE)
        places = range(low, high + 1, step)
        best = max(places, key=lambda place: _gain(times[:place], times[place:]))
        if step == 1:
            break
        low, high = max(low, best - step), min(high, best + step)
    return best


def _stands_out(before: Sequence[float], after: Sequence[float]) -> bool:
    low, high = sorted((statistics.median(before), statistics.median(after)))
    spread = max(_spread(before), _spread(after))
    return high - low >= max(MIN_SECONDS, SPREADS * spread) and high >= low * MIN_RATIO


def _gain(before: Sequence[float], after: Sequence[float]) -> float:
    """How much better two medians tell the times than one does. Absolute distances: one odd run weighs little."""
    return -(_distance(before) + _distance(after))


def _distance(times: Sequence[float]) -> float:
    middle = statistics.median(times)
    return sum(abs(each - middle) for each in times)


def _spread(times: Sequence[float]) -> float:
    middle = statistics.median(times)
    return statistics.median(abs(each - middle) for each in times)


def _by_start(row: tuple[PipelineRun, float]) -> float:
    return _newest(row[0])


def _newest(run: PipelineRun) -> float:
    return run.start.timestamp() if run.start else 0.0
