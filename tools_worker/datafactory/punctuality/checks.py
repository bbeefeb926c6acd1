"""Triggers held against their runs, and runs against their own history."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import AppError
from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.history import Usual
from tools_worker.datafactory.lateness import GRACE, missed, pipelines_of, scheduled
from tools_worker.datafactory.models import FAILED, SUCCEEDED, Change, PipelineRun, Trigger, TriggerRun
from tools_worker.datafactory.period import RETENTION_DAYS, Period
from tools_worker.datafactory.punctuality.backlog import Backlog, backlog_of
from tools_worker.datafactory.schedules import Due, Recurrence, Tumbling

BESIDE = timedelta(hours=2)  # runs fire late, and a clock change moves them by an hour
DEEP = timedelta(days=RETENTION_DAYS - 1)  # how far back the window is looked for that blocks all others
MAX_DEEP = 10  # triggers whose older runs are read, one query each
BEFORE = timedelta(days=7)  # where no firing is known
LOG_SECONDS = 10.0  # what was missed does not wait for who did it
USUAL_DAYS = timedelta(days=14)
USUAL_RUNS = 100
MIN_USUAL = 5  # successful runs from which a usual duration is known
MAX_USUAL = 40  # pipelines whose history is read, one query each
LATE_RATIO, LATE_SECONDS = 1.5, 600.0  # beyond the 95th percentile, and by ten minutes at least


@dataclass(frozen=True, slots=True)
class Checked:
    """One trigger held against its runs. `last` is its newest firing, looked up where times were missed."""

    factory: str
    trigger: Trigger
    runs: tuple[TriggerRun, ...] = ()
    missed: tuple[Due, ...] = ()
    backlog: Backlog | None = None
    last: TriggerRun | None = None
    last_known: bool = False  # false: not looked up, so nothing may be said about it
    doubt: str = ""
    deeds: tuple[Change, ...] = ()  # who stopped and started it, newest first

    @property
    def started(self) -> bool:
        return self.trigger.state == "Started"

    @property
    def failed(self) -> list[TriggerRun]:
        """Firings that failed; a failed tumbling window is told as a window."""
        windows = self.trigger.type == "TumblingWindowTrigger"
        return [] if windows else [run for run in self.runs if run.status == FAILED]

    @property
    def silence(self) -> tuple[TriggerRun | None, TriggerRun] | None:
        """The firings before and after the missed times, where it fired again and nothing fired between them."""
        if len(self.missed) < 2:
            return None
        begin, end = self.missed[0].at, self.missed[-1].at
        timed = [(when, run) for run in self.runs if (when := scheduled(run)) is not None]
        if any(begin < when < end for when, _ in timed):
            return None
        before = max((each for each in timed if each[0] <= begin), key=_when, default=(None, None))[1]
        after = min((each for each in timed if each[0] >= end), key=_when, default=None)
        return (before, after[1]) if after is not None else None

    @property
    def open_windows(self) -> int:
        return len(self.backlog.open) if self.backlog else 0

    @property
    def troubled(self) -> bool:
        return bool(self.missed or self.open_windows or self.failed or self.doubt)


@dataclass(frozen=True, slots=True)
class Late:
    factory: str
    run: PipelineRun
    took: float
    usual: Usual


@dataclass(frozen=True, slots=True)
class Answer:
    """`unjudged`: pipelines with long runs whose history was not read, for there are too many."""

    checked: tuple[Checked, ...]
    late: tuple[Late, ...]
    complete: bool
    unjudged: int = 0
    log_gap: str = ""  # why it is not known who stopped a trigger


def _when(each: tuple[datetime, TriggerRun]) -> datetime:
    return each[0]


async def check(
    factory: DataFactory, period: Period, now: datetime, *, trigger: str | None = None, pipeline: str | None = None
) -> Answer:
    """The triggers of one factory, or those of this name or that start this pipeline, in any case."""
    triggers = await factory.triggers()
    chosen = [each for each in triggers if _chosen(each, trigger, pipeline)]
    if not chosen:
        return Answer((), (), complete=True)
    end = now if period.until is None else min(now, period.until + GRACE)
    fired, runs = await asyncio.gather(_fired(factory, chosen, period, end), _runs(factory, chosen, period))
    checked = [_held(factory.name, each, triggers, fired, period.since, end) for each in chosen]
    checked = await _looked_deeper(factory, checked, triggers, end, now)
    (late, unjudged), (checked, gap) = await asyncio.gather(
        _late(factory, runs.items, period, now), _with_deeds(factory, checked, period, now)
    )
    return Answer(tuple(checked), tuple(late), fired.complete and runs.complete, unjudged, gap)


async def _with_deeds(
    factory: DataFactory, checked: Sequence[Checked], period: Period, now: datetime
) -> tuple[list[Checked], str]:
    """Who stopped those that were silent, from the Activity Log; asked only where something was missed."""
    silent = [each for each in checked if each.missed]
    if not silent:
        return list(checked), ""
    fired = [run.at for each in silent for run in (each.last, *(each.silence or ())) if run is not None and run.at]
    since = min(fired, default=period.since - BEFORE) - BESIDE
    try:
        async with asyncio.timeout(LOG_SECONDS):
            found = await factory.changes(since, now)
    except (AppError, TimeoutError) as exc:
        return list(checked), f"Who stopped or started it is not known: {exc or 'the Activity Log takes too long'}."
    deeds = [each for each in found if each.kind == "triggers" and each.operation in ("stop", "start")]
    return [replace(each, deeds=_of(each.trigger, deeds) if each.missed else ()) for each in checked], ""


def _of(trigger: Trigger, deeds: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(
        each for each in deeds if each.name.casefold() == trigger.name.casefold() and each.status.lower() != "failed"
    )


def _chosen(trigger: Trigger, name: str | None, pipeline: str | None) -> bool:
    if name and trigger.name.casefold() != name.strip().casefold():
        return False
    return not pipeline or pipeline.strip().casefold() in {each.casefold() for each in pipelines_of(trigger)}


async def _fired(factory: DataFactory, chosen: Sequence[Trigger], period: Period, end: datetime) -> Found[TriggerRun]:
    """Of one trigger alone, unless it is judged by others that it waits for."""
    alone = len(chosen) == 1 and not _depends(chosen[0])
    return await factory.trigger_runs(
        period.since - BESIDE, end + BESIDE if period.until else None, trigger=chosen[0].name if alone else None
    )


def _depends(trigger: Trigger) -> bool:
    tumbling = Tumbling.of(trigger.definition) if trigger.type == "TumblingWindowTrigger" else None
    return tumbling is not None and any(each.trigger for each in tumbling.depends_on)


async def _runs(factory: DataFactory, chosen: Sequence[Trigger], period: Period) -> Found[PipelineRun]:
    """Those that began in the period, of the pipelines that these triggers start."""
    names = {name for trigger in chosen for name in pipelines_of(trigger)}
    only = next(iter(names)) if len(names) == 1 else None
    found = await factory.pipeline_runs(period.since, period.until, pipeline=only)
    wanted = {name.casefold() for name in names}
    inside = (run for run in found if run.start and period.holds(run.start))
    return Found(tuple(run for run in inside if run.pipeline.casefold() in wanted), found.complete)


def _held(
    factory: str,
    trigger: Trigger,
    triggers: Sequence[Trigger],
    fired: Found[TriggerRun],
    since: datetime,
    end: datetime,
) -> Checked:
    runs = tuple(run for run in fired if run.trigger == trigger.name)
    recent = tuple(run for run in runs if run.at is None or run.at >= since)
    checked = Checked(factory, trigger, recent, last=next(iter(runs), None), last_known=bool(runs))
    if trigger.type == "ScheduleTrigger":
        recurrence = Recurrence.of(trigger.definition)
        if recurrence is None:
            return replace(checked, doubt="its recurrence cannot be read")
        gone = tuple(missed(recurrence, runs, since, end))
        return replace(checked, missed=gone, doubt=recurrence.zone.caveat)
    if trigger.type == "TumblingWindowTrigger":
        tumbling = Tumbling.of(trigger.definition)
        if tumbling is None:
            return replace(checked, doubt="its windows cannot be read")
        return replace(checked, backlog=backlog_of(tumbling, runs, since, end, triggers, fired))
    return checked


async def _looked_deeper(
    factory: DataFactory, checked: Sequence[Checked], triggers: Sequence[Trigger], end: datetime, now: datetime
) -> list[Checked]:
    """What blocks the windows of today may have failed weeks ago; since when a trigger is silent lies before today."""
    unclear = [each for each in checked if each.open_windows or (each.missed and not each.last_known)][:MAX_DEEP]
    found = await asyncio.gather(*(_deeper(factory, each, triggers, end, now) for each in unclear))
    deeper = {each.trigger.name: each for each in found}
    return [deeper.get(each.trigger.name, each) for each in checked]


async def _deeper(
    factory: DataFactory, checked: Checked, triggers: Sequence[Trigger], end: datetime, now: datetime
) -> Checked:
    since, name = now - DEEP, checked.trigger.name
    if checked.backlog is None:
        older = await factory.trigger_runs(since, trigger=name, limit=1)
        return replace(checked, last=next(iter(older), checked.last), last_known=True)
    tumbling = checked.backlog.tumbling
    names = [name, *dict.fromkeys(each.trigger for each in tumbling.depends_on if each.trigger not in ("", name))]
    found = await asyncio.gather(*(factory.trigger_runs(since, trigger=each) for each in names))
    older = found[0]
    all_runs = [run for runs in found for run in runs]
    whole = backlog_of(tumbling, older, since, end, triggers, all_runs, on_record=True)
    backlog = whole if whole.open else checked.backlog
    return replace(checked, backlog=backlog, last=next(iter(older), checked.last), last_known=True)


async def _late(
    factory: DataFactory, runs: Iterable[PipelineRun], period: Period, now: datetime
) -> tuple[list[Late], int]:
    """Runs that ended, or still go on, beyond their usual time. Only long ones can: their history alone is read."""
    long = [(run, seconds) for run in runs if (seconds := took(run, now)) > LATE_SECONDS]
    names = sorted({run.pipeline for run, _ in long})
    usuals = await asyncio.gather(*(_usual(factory, name, period.since) for name in names[:MAX_USUAL]))
    usual = dict(zip(names, usuals, strict=False))
    found = [Late(factory.name, run, seconds, known) for run, seconds in long if (known := usual.get(run.pipeline))]
    return [each for each in found if beyond(each)], len(names[MAX_USUAL:])


def took(run: PipelineRun, now: datetime) -> float:
    """Seconds until its end, or until now."""
    if run.unfinished and run.start is not None:
        return (now - run.start).total_seconds()
    return (run.duration_ms or 0) / 1000


def beyond(late: Late) -> bool:
    return late.took > max(late.usual.p95 * LATE_RATIO, late.usual.p95 + LATE_SECONDS)


async def _usual(factory: DataFactory, pipeline: str, before: datetime) -> Usual | None:
    runs = await factory.pipeline_runs(
        before - USUAL_DAYS, before, status=SUCCEEDED, pipeline=pipeline, limit=USUAL_RUNS
    )
    usual = Usual.of(run for run in runs if run.start and run.start < before)
    return usual if usual and usual.number >= MIN_USUAL else None
