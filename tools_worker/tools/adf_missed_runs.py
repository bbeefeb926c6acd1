"""adf_missed_runs: what should have started and did not, which windows wait and for what, and what ended late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.history import Usual
from tools_worker.datafactory.lateness import (
    Window,
    blocker,
    certain,
    missed,
    open_windows,
    pipelines_of,
)
from tools_worker.datafactory.models import FAILED, PipelineRun, Trigger, TriggerRun
from tools_worker.datafactory.schedules import Due, Recurrence, Tumbling
from tools_worker.datafactory.survey import survey
from tools_worker.datafactory.wording import at, count, lasted, listed, sentences, stamp
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

MAX_TRIGGERS = 25  # with six times each they stay under 16 KiB
MAX_TIMES = 6
USUAL_DAYS = 14
MIN_USUAL = 5  # successful runs from which a usual duration is known
LATE_RATIO, LATE_SECONDS = 1.5, 600.0  # beyond the 95th percentile, and by ten minutes at least


class MissedRunsArguments(Arguments):
    hours: int = Field(default=24, ge=1, le=24 * 30, description="How far back to look, in hours.")
    trigger: str | None = Field(
        default=None, max_length=260, description="Name of one trigger, in any case. Omit for all of them."
    )
    pipeline: str | None = Field(
        default=None, max_length=260, description="Only triggers that start this pipeline. Omit for all."
    )
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")


@dataclass(frozen=True, slots=True)
class Checked:
    """One trigger held against its runs."""

    factory: str
    trigger: Trigger
    runs: tuple[TriggerRun, ...] = ()
    missed: tuple[Due, ...] = ()
    open: tuple[Window, ...] = ()
    blocker: Window | None = None
    upstream: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def started(self) -> bool:
        return self.trigger.state == "Started"

    @property
    def failed(self) -> list[TriggerRun]:
        """Firings that failed; a failed tumbling window is told as a window."""
        windows = self.trigger.type == "TumblingWindowTrigger"
        return [] if windows else [run for run in self.runs if run.status == FAILED]

    @property
    def troubled(self) -> bool:
        return bool(self.missed or self.open or self.failed or self.doubt)


@dataclass(frozen=True, slots=True)
class Late:
    factory: str
    run: PipelineRun
    took: float
    usual: Usual = field(default_factory=lambda: Usual(0, 0, 0, 0))


@dataclass(frozen=True, slots=True)
class Answer:
    checked: tuple[Checked, ...]
    late: tuple[Late, ...]
    complete: bool


async def adf_missed_runs(context: ToolContext, args: MissedRunsArguments) -> Reply:
    since = context.now - timedelta(hours=args.hours)
    factories = await context.factories.chosen(args.factory)
    asked = await survey(factories, lambda factory: _check(factory, args, since, context.now))
    checked = [each for _, answer in asked.answers for each in answer.checked]
    late = [each for _, answer in asked.answers for each in answer.late]
    troubled = sorted((each for each in checked if each.troubled), key=lambda each: (not each.started, -_weight(each)))
    complete = all(answer.complete for _, answer in asked.answers)
    cut = "" if complete else "Not all runs could be read, so a time told as missed may have run."
    window = f"in the last {count(args.hours, 'hour')}"
    names = listed([repr(factory.name) for factory, _ in asked.answers])
    head = f"{count(len(checked), 'trigger')} in {names} checked {window}."
    quiet = "" if troubled else f"No due time of a schedule or window was missed{' or is open' if checked else ''}."
    return Reply(
        summary=sentences(head, quiet, *_told_all(troubled), _late_told(late), cut, asked.caveat),
        data={
            "hours": args.hours,
            "exact": complete and not asked.silent,
            "checked": len(checked),
            "triggers": [_shown(each) for each in troubled[:MAX_TRIGGERS]],
            "triggers_left_out": max(0, len(troubled) - MAX_TRIGGERS),
            "late": [_late_shown(each) for each in late[:MAX_TRIGGERS]],
            "late_left_out": max(0, len(late) - MAX_TRIGGERS),
        },
        evidence=[*_evidence(troubled[:MAX_TRIGGERS]), *_late_evidence(late[:MAX_TRIGGERS])],
        truncated=len(troubled) > MAX_TRIGGERS or len(late) > MAX_TRIGGERS,
        next=[f"adf_triggers trigger={each.trigger.name} factory={each.factory}" for each in troubled[:1]],
    )


async def _check(factory: DataFactory, args: MissedRunsArguments, since: datetime, now: datetime) -> Answer:
    triggers, fired, runs = await asyncio.gather(
        factory.triggers(),
        factory.trigger_runs(since - timedelta(days=1)),
        factory.pipeline_runs(now - timedelta(days=USUAL_DAYS), pipeline=None),
    )
    chosen = [trigger for trigger in triggers if _chosen(trigger, args)]
    checked = tuple(_held(factory.name, trigger, triggers, fired, since, now) for trigger in chosen)
    started = {name.casefold() for trigger in chosen for name in pipelines_of(trigger)}
    ended = [run for run in runs if run.pipeline.casefold() in started]
    return Answer(checked, tuple(_late(factory.name, ended, since, now)), fired.complete and runs.complete)


def _chosen(trigger: Trigger, args: MissedRunsArguments) -> bool:
    if args.trigger and trigger.name.casefold() != args.trigger.casefold():
        return False
    starts = {name.casefold() for name in pipelines_of(trigger)}
    return not args.pipeline or args.pipeline.casefold() in starts


def _held(
    factory: str,
    trigger: Trigger,
    triggers: Sequence[Trigger],
    fired: Found[TriggerRun],
    since: datetime,
    now: datetime,
) -> Checked:
    runs = tuple(run for run in fired if run.trigger == trigger.name)
    recent = tuple(run for run in runs if run.at is None or run.at >= since)
    if trigger.type == "ScheduleTrigger":
        recurrence = Recurrence.of(trigger.definition)
        if recurrence is None:
            return Checked(factory, trigger, recent, doubt="its recurrence cannot be read")
        gone = tuple(missed(recurrence, runs, since, now))
        return Checked(factory, trigger, recent, missed=gone, doubt=recurrence.zone.caveat)
    if trigger.type == "TumblingWindowTrigger":
        tumbling = Tumbling.of(trigger.definition)
        if tumbling is None:
            return Checked(factory, trigger, recent, doubt="its windows cannot be read")
        windows = open_windows(tumbling, runs, since, now)
        upstream = _upstream(tumbling, triggers, fired, since, now) if windows else ()
        return Checked(
            factory, trigger, recent, open=tuple(windows), blocker=blocker(tumbling, windows), upstream=upstream
        )
    return Checked(factory, trigger, recent)


def _upstream(
    tumbling: Tumbling, triggers: Sequence[Trigger], fired: Found[TriggerRun], since: datetime, now: datetime
) -> tuple[str, ...]:
    """What is wrong with the triggers that this one waits for."""
    found = []
    for dependency in tumbling.depends_on:
        other = next((each for each in triggers if each.name == dependency.trigger), None)
        if dependency.trigger and other is None:
            found.append(f"{dependency.trigger!r}, which does not exist")
        windows = Tumbling.of(other.definition) if other else None
        if other is None or windows is None:
            continue
        runs = [run for run in fired if run.trigger == other.name]
        failed = [window for window in open_windows(windows, runs, since, now) if window.status == FAILED]
        if other.state != "Started":
            found.append(f"{other.name!r}, which is {(other.state or 'in an unknown state').lower()}")
        elif failed:
            found.append(f"{other.name!r}, whose window from {at(failed[0].begin)} failed")
    return tuple(found)


def _late(factory: str, runs: Sequence[PipelineRun], since: datetime, now: datetime) -> Iterable[Late]:
    """Runs that ended, or still go on, beyond their usual time, which the runs before the window tell."""
    for run in runs:
        if run.start is None or run.start < since or not (run.unfinished or run.duration_ms):
            continue
        earlier = Usual.of(each for each in runs if each.pipeline == run.pipeline and each.start and each.start < since)
        took = (run.duration_ms or 0) / 1000 if not run.unfinished else (now - run.start).total_seconds()
        if earlier and earlier.number >= MIN_USUAL and took > max(earlier.p95 * LATE_RATIO, earlier.p95 + LATE_SECONDS):
            yield Late(factory, run, took, earlier)


def _weight(each: Checked) -> int:
    return len(each.missed) + len(each.open) + len(each.failed)


def _told_all(troubled: Sequence[Checked]) -> list[str]:
    told = [_told(each) for each in troubled[:MAX_TIMES]]
    more = len(troubled) - len(told)
    return [*told, f"{count(more, 'more trigger')} with trouble in the data." if more else ""]


def _told(each: Checked) -> str:
    name = f"{each.trigger.name!r} in {each.factory!r}"
    starts = f", which starts {listed(list(pipelines_of(each.trigger)))}" if pipelines_of(each.trigger) else ""
    state = "" if each.started else f" is {(each.trigger.state or 'in an unknown state').lower()};"
    parts = [_missed_told(each), _windows_told(each), _failed_told(each)]
    told = "; ".join(part for part in parts if part)
    doubt = each.doubt.rstrip(".")
    body = f"{name}{starts}:{state} {told}" if told else f"{name}{starts}:{state} cannot be judged, {doubt}"
    return f"{body}{f' ({doubt})' if told and doubt else ''}."


def _missed_told(each: Checked) -> str:
    sure = certain(each.missed)
    unsure = len(each.missed) - len(sure)
    parts = []
    if sure:
        times = listed([at(due.at) for due in sure[:MAX_TIMES]] + [""] * (len(sure) - MAX_TIMES), MAX_TIMES)
        parts.append(f"{count(len(sure), 'due time')} without a run, at {times}")
    if unsure:
        parts.append(f"{count(unsure, 'time')} that a clock change or an undocumented rule makes unsure had no run")
    return "; ".join(parts)


def _windows_told(each: Checked) -> str:
    if not each.open:
        return ""
    statuses = sorted({window.status for window in each.open})
    counts = ", ".join(f"{sum(window.status == status for window in each.open)} {status}" for status in statuses)
    head = (
        f"{count(len(each.open), 'window')} due and not succeeded ({counts}), the oldest from {at(each.open[0].begin)}"
    )
    blocked = each.blocker
    run = f", trigger run {blocked.run.id}" if blocked and blocked.run else ""
    held = (
        f"; those after it wait for the window from {at(blocked.begin)}, which {_word(blocked)}{run}" if blocked else ""
    )
    waits = f"; it waits for {listed(each.upstream)}" if each.upstream else ""
    return head + held + waits


def _word(window: Window) -> str:
    return "failed" if window.status == FAILED else f"is {window.status}"


def _failed_told(each: Checked) -> str:
    if not each.failed:
        return ""
    newest = each.failed[0]
    head = f"{count(len(each.failed), 'firing')} failed to start its pipelines"
    return f"{head}, the newest at {at(newest.at)} (trigger run {newest.id})"


def _late_told(late: Sequence[Late]) -> str:
    told = [
        f"{each.run.pipeline} in {each.factory} run {each.run.run_id} "
        f"{'has run' if each.run.unfinished else 'took'} {lasted(round(each.took * 1000))} "
        f"(usually {lasted(round(each.usual.p50 * 1000))})"
        for each in late[:3]
    ]
    more = f"; {len(late) - 3} more" if len(late) > 3 else ""
    return f"Late by their own history: {'; '.join(told)}{more}." if told else ""


def _shown(each: Checked) -> dict[str, Any]:
    return {
        "factory": each.factory,
        "trigger": each.trigger.name,
        "state": each.trigger.state or None,
        "pipelines": list(pipelines_of(each.trigger))[:MAX_TIMES],
        "missed": len(each.missed),
        "missed_at": [stamp(due.at) for due in each.missed[:MAX_TIMES]],
        "open_windows": len(each.open),
        "windows": [
            {"from": stamp(window.begin), "status": window.status, "trigger_run": window.run.id if window.run else None}
            for window in each.open[:MAX_TIMES]
        ],
        "blocked_by": stamp(each.blocker.begin) if each.blocker else None,
        "failed_firings": [run.id for run in each.failed[:MAX_TIMES]],
    }


def _late_shown(each: Late) -> dict[str, Any]:
    return {
        "factory": each.factory,
        "pipeline": each.run.pipeline,
        "run_id": each.run.run_id,
        "status": each.run.status,
        "took_s": round(each.took),
        "usual_p50_s": round(each.usual.p50),
        "usual_p95_s": round(each.usual.p95),
    }


def _evidence(troubled: Sequence[Checked]) -> list[Evidence]:
    return [
        Evidence("trigger_run", run.id, each.factory)
        for each in troubled
        for run in [*(window.run for window in each.open[:MAX_TIMES]), *each.failed[:MAX_TIMES]]
        if run is not None and run.id
    ]


def _late_evidence(late: Sequence[Late]) -> list[Evidence]:
    return [Evidence("pipeline_run", each.run.run_id, each.factory) for each in late if each.run.run_id]


TOOL = ToolSpec(
    name="adf_missed_runs",
    description=(
        "Finds Azure Data Factory runs that should have started and did not: due times of schedule triggers without a "
        "run (with time zones), tumbling windows that wait, are blocked or failed, stopped triggers, and runs that "
        "are late by their own history. Use it for 'did everything start on time' and 'why did it not run'."
    ),
    arguments=MissedRunsArguments,
    run=adf_missed_runs,
)
