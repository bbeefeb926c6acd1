"""adf_run_history: one pipeline over time: counts by day, success rate, usual durations, and since when it changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from pydantic import Field

from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.history import Drift, Usual, by_day, drift, failing_since, rerun_groups, shift
from tools_worker.datafactory.models import SUCCEEDED, PipelineRun
from tools_worker.datafactory.period import RETENTION_DAYS, Period
from tools_worker.datafactory.survey import with_pipeline
from tools_worker.datafactory.wording import at, count, lasted, sentences, stamp
from tools_worker.runtime.periods import HoursOrDates, nothing_kept
from tools_worker.runtime.tools import Evidence, Reply, ToolContext, ToolSpec

MAX_GROUPS = 10


class RunHistoryArguments(HoursOrDates):
    pipeline: str = Field(max_length=260, description="Name of the pipeline, in any case.")
    hours: int = Field(
        default=24 * 14,
        ge=1,
        le=24 * RETENTION_DAYS,
        description="How far back to look, in hours: 336 is two weeks. Not used when since or until is given.",
    )
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")


async def adf_run_history(context: ToolContext, args: RunHistoryArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    period = args.period(context.now)
    if period.gone:
        return nothing_kept(period, context.now)
    holders = await with_pipeline(factories, args.pipeline)
    answers = await asyncio.gather(*(_runs(factory, name, period) for factory, name in holders.answers))
    told = [(factory.name, name, runs) for (factory, name), runs in zip(holders.answers, answers, strict=True)]
    return Reply(
        summary=sentences(*(_told(*each, period) for each in told), period.caveat, holders.caveat),
        data={
            "window": period.as_data(context.now),
            "factories": {factory: _shown(runs, period) for factory, _, runs in told},
        },
        evidence=[Evidence("pipeline_run", run.run_id, factory) for factory, _, runs in told for run in _named(runs)],
        next=[
            f"adf_diagnose_run run_id={since[0].run_id} factory={factory}"
            for factory, _, runs in told
            if (since := failing_since(runs.items))
        ],
    )


async def _runs(factory: DataFactory, name: str, period: Period) -> Found[PipelineRun]:
    """Those that started in the period: a run is counted on the day it started."""
    found = await factory.pipeline_runs(period.since, period.until, pipeline=name)
    return Found(tuple(run for run in found if period.holds(run.start)), found.complete)


def _told(factory: str, name: str, runs: Found[PipelineRun], period: Period) -> str:
    where = f"of {name!r} in {factory!r} {period.words}"
    if not runs.items:
        return f"No runs {where}."
    statuses = Counter(run.status or "unknown" for run in runs)
    counts = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
    head = f"{count(len(runs), 'run', runs.complete)} {where}: {counts}{_rate(statuses)}."
    return sentences(head, _durations(runs.items), _trend(runs.items), _streak(runs.items), _reruns(runs.items))


def _rate(statuses: Counter[str]) -> str:
    ended = statuses[SUCCEEDED] + statuses["Failed"]
    return f" (success rate {100 * statuses[SUCCEEDED] / ended:.0f}%)" if ended else ""


def _durations(runs: tuple[PipelineRun, ...]) -> str:
    usual = Usual.of(runs)
    if usual is None:
        return "No successful run tells how long it took."
    p50, p95, longest = (lasted(round(each * 1000)) for each in (usual.p50, usual.p95, usual.longest))
    return f"Successful runs took {p50} in the median, {p95} at the 95th percentile and {longest} at most."


def _trend(runs: tuple[PipelineRun, ...]) -> str:
    changed = shift(runs)
    steady = drift(runs)
    if changed is None and steady is not None:
        return _drift(steady)
    if changed is None:
        usual = Usual.of(runs)
        return "No lasting change of duration shows." if usual and usual.number >= 10 else "Too few for a trend."
    before, after = lasted(round(changed.before * 1000)), lasted(round(changed.after * 1000))
    word = "slower" if changed.slower else "faster"
    return f"It is {word} since {at(changed.since)} (run {changed.run_id}): {after} in the median, before {before}."


def _drift(steady: Drift) -> str:
    first, last = lasted(round(steady.first * 1000)), lasted(round(steady.last * 1000))
    word = "slower" if steady.slower else "faster"
    return f"It gets steadily {word}: from about {first} to about {last} in {count(steady.days, 'day')}."


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


def _shown(runs: Found[PipelineRun], period: Period) -> dict[str, Any]:
    usual, changed, groups = Usual.of(runs.items), shift(runs.items), rerun_groups(runs.items)
    steady = drift(runs.items)
    return {
        "total": len(runs),
        "exact": runs.complete,
        "by_status": dict(Counter(run.status or "unknown" for run in runs)),
        "by_day": {day: dict(counts) for day, counts in by_day(runs.items, period.zone.info).items()},
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
        "drift": {"days": steady.days, "first_s": round(steady.first), "last_s": round(steady.last)}
        if steady
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
