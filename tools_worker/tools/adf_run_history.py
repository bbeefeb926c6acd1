"""adf_run_history: one pipeline over time: counts by day, success rate, usual durations, and since when it changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pydantic import Field

from core.errors import InvalidArguments
from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.history import Usual, by_day, failing_since, rerun_groups, shift
from tools_worker.datafactory.models import SUCCEEDED, PipelineRun
from tools_worker.datafactory.schedules import Zone, zone_of
from tools_worker.datafactory.survey import with_pipeline
from tools_worker.datafactory.wording import at, count, lasted, sentences, stamp
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

RETENTION_DAYS = 45
MAX_GROUPS = 10


class RunHistoryArguments(Arguments):
    pipeline: str = Field(max_length=260, description="Name of the pipeline, in any case.")
    days: int = Field(default=14, ge=1, le=RETENTION_DAYS, description="How many days back, if no dates are given.")
    from_date: date | None = Field(default=None, description="First day (YYYY-MM-DD) to count.")
    to_date: date | None = Field(default=None, description="Last day (YYYY-MM-DD) to count, itself included.")
    timezone: str = Field(
        default="UTC", max_length=60, description="Time zone in which days begin, such as Europe/Berlin."
    )
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")


@dataclass(frozen=True, slots=True)
class Window:
    since: datetime
    until: datetime | None
    zone: Zone
    caveat: str


async def adf_run_history(context: ToolContext, args: RunHistoryArguments) -> Reply:
    window = _window(args, context.now)
    holders = await with_pipeline(await context.factories.chosen(args.factory), args.pipeline)
    answers = await asyncio.gather(*(_runs(factory, name, window) for factory, name in holders.answers))
    told = [(factory.name, name, runs) for (factory, name), runs in zip(holders.answers, answers, strict=True)]
    return Reply(
        summary=sentences(*(_told(*each, window) for each in told), window.caveat, holders.caveat),
        data={
            "since": stamp(window.since),
            "until": stamp(window.until or context.now),
            "timezone": window.zone.name,
            "factories": {factory: _shown(runs, window) for factory, _, runs in told},
        },
        evidence=[Evidence("pipeline_run", run.run_id, factory) for factory, _, runs in told for run in _named(runs)],
        next=[
            f"adf_diagnose_run run_id={since[0].run_id} factory={factory}"
            for factory, _, runs in told
            if (since := failing_since(runs.items))
        ],
    )


async def _runs(factory: DataFactory, name: str, window: Window) -> Found[PipelineRun]:
    """Those that started in the window: a run is counted on the day it started."""
    found = await factory.pipeline_runs(window.since, window.until, pipeline=name)
    return Found(tuple(run for run in found if run.start is None or run.start >= window.since), found.complete)


def _window(args: RunHistoryArguments, now: datetime) -> Window:
    zone = zone_of(args.timezone)
    if args.from_date is None and args.to_date is None:
        return Window(now - timedelta(days=args.days), None, zone, zone.caveat)
    last = args.to_date or now.astimezone(zone.info).date()
    first = args.from_date or last - timedelta(days=args.days - 1)
    if first > last:
        raise InvalidArguments(f"from_date {first} is after to_date {last}.", hint="Give the earlier day first.")
    since = _midnight(first, zone)
    if since > now:
        raise InvalidArguments(f"{first} has not begun yet: it is {at(now)}.")
    old = now - since > timedelta(days=RETENTION_DAYS)
    gone = f"Data Factory keeps runs for {RETENTION_DAYS} days: older ones cannot be counted." if old else ""
    return Window(since, _midnight(last + timedelta(days=1), zone), zone, sentences(zone.caveat, gone))


def _midnight(day: date, zone: Zone) -> datetime:
    return datetime.combine(day, time(), zone.info)


def _told(factory: str, name: str, runs: Found[PipelineRun], window: Window) -> str:
    until = f" until {at(window.until.astimezone(UTC))}" if window.until else ""
    where = f"of {name!r} in {factory!r} since {at(window.since.astimezone(UTC))}{until}"
    if not runs.items:
        return f"No runs {where}."
    statuses = Counter(run.status or "unknown" for run in runs)
    counts = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
    head = f"{count(len(runs), 'run', runs.complete)} {where}: {counts}{_rate(statuses)}."
    return sentences(head, _durations(runs.items), _trend(runs.items), _streak(runs.items), _reruns(runs.items))


def _rate(statuses: Counter[str]) -> str:
    ended = statuses[SUCCEEDED] + statuses["Failed"]
    return f" ({100 * statuses[SUCCEEDED] / ended:.0f}% of those that ended well or badly succeeded)" if ended else ""


def _durations(runs: tuple[PipelineRun, ...]) -> str:
    usual = Usual.of(runs)
    if usual is None:
        return "No successful run tells how long it took."
    p50, p95, longest = (lasted(round(each * 1000)) for each in (usual.p50, usual.p95, usual.longest))
    return f"Successful runs took {p50} in the median, {p95} at the 95th percentile and {longest} at most."


def _trend(runs: tuple[PipelineRun, ...]) -> str:
    changed = shift(runs)
    if changed is None:
        usual = Usual.of(runs)
        return "No lasting change of duration shows." if usual and usual.number >= 10 else "Too few for a trend."
    before, after = lasted(round(changed.before * 1000)), lasted(round(changed.after * 1000))
    word = "slower" if changed.slower else "faster"
    return f"It is {word} since {at(changed.since)} (run {changed.run_id}): {after} in the median, before {before}."


def _streak(runs: tuple[PipelineRun, ...]) -> str:
    failing = failing_since(runs)
    if failing is None:
        return ""
    first, number = failing
    return f"The newest {count(number, 'ended run')} failed, the first at {at(first.start)} (run {first.run_id})."


def _reruns(runs: tuple[PipelineRun, ...]) -> str:
    groups = rerun_groups(runs)
    if not groups:
        return ""
    last = groups[0][-1]
    head = f"{count(len(groups), 'run')} had reruns; the newest rerun of run {groups[0][0].run_id} is {last.run_id}"
    return f"{head}: {last.status or 'status unknown'}."


def _named(runs: Found[PipelineRun]) -> list[PipelineRun]:
    failing, changed, groups = failing_since(runs.items), shift(runs.items), rerun_groups(runs.items)
    ids = {failing[0].run_id if failing else "", changed.run_id if changed else ""}
    ids |= {run.run_id for group in groups[:MAX_GROUPS] for run in (group[0], group[-1])}
    return [run for run in runs if run.run_id and run.run_id in ids]


def _shown(runs: Found[PipelineRun], window: Window) -> dict[str, Any]:
    usual, changed, groups = Usual.of(runs.items), shift(runs.items), rerun_groups(runs.items)
    return {
        "total": len(runs),
        "exact": runs.complete,
        "by_status": dict(Counter(run.status or "unknown" for run in runs)),
        "by_day": {day: dict(counts) for day, counts in by_day(runs.items, window.zone.info).items()},
        "duration_s": {"p50": round(usual.p50), "p95": round(usual.p95), "max": round(usual.longest)}
        if usual
        else None,
        "shift": {
            "since": stamp(changed.since),
            "run_id": changed.run_id,
            "median_before_s": round(changed.before),
            "median_after_s": round(changed.after),
        }
        if changed
        else None,
        "reruns": [[{"run_id": run.run_id, "status": run.status} for run in group] for group in groups[:MAX_GROUPS]],
        "reruns_left_out": max(0, len(groups) - MAX_GROUPS),
    }


TOOL = ToolSpec(
    name="adf_run_history",
    description=(
        "The history and trend of one Azure Data Factory pipeline: exact counts by status and day between two dates "
        "in any time zone, success rate, usual and longest duration, since when it is slower or keeps failing, and "
        "which rerun belongs to which run and whether it passed."
    ),
    arguments=RunHistoryArguments,
    run=adf_run_history,
)
