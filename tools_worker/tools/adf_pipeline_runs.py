"""adf_pipeline_runs: which runs there were, newest first, with exact counts by status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.failures import peel
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.period import Period
from tools_worker.datafactory.survey import Survey, survey, with_pipeline
from tools_worker.datafactory.wording import at, count, lasted, listed, safe, sentences, stamp
from tools_worker.runtime.periods import HoursOrDates, nothing_kept
from tools_worker.runtime.tables import table
from tools_worker.runtime.tools import Evidence, Reply, ToolContext, ToolSpec

MESSAGE_LENGTH = 80  # 100 rows of about 250 bytes stay under 48 KiB
MAX_TOLD = 3
_NEVER = datetime.min.replace(tzinfo=UTC)

Row = tuple[str, PipelineRun]


@dataclass(frozen=True, slots=True)
class Counted:
    """Runs of one factory. Of a dated period those that began in it; `earlier` began before and went on into it."""

    items: tuple[PipelineRun, ...]
    complete: bool
    earlier: tuple[PipelineRun, ...] = ()

    @classmethod
    def of(cls, found: Found[PipelineRun], period: Period) -> Counted:
        if not period.dated:
            return cls(found.items, found.complete)
        inside = tuple(run for run in found if period.holds(run.start))
        return cls(inside, found.complete, tuple(run for run in found if not period.holds(run.start)))


Runs = Survey[Counted]


class PipelineRunsArguments(HoursOrDates):
    pipeline: str | None = Field(
        default=None, max_length=260, description="Name of one pipeline, in any case. Omit for all pipelines."
    )
    status: Literal["Queued", "InProgress", "Succeeded", "Failed", "Canceling", "Cancelled"] | None = Field(
        default=None, description="Only runs in this status. Omit for all."
    )
    factory: str | None = Field(
        default=None, max_length=100, description="Name of one data factory. Omit to ask all of them."
    )
    limit: int = Field(default=10, ge=1, le=100, description="How many runs to list. The counts are of all runs.")


async def adf_pipeline_runs(context: ToolContext, args: PipelineRunsArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    period = args.period(context.now)
    if period.gone:
        return nothing_kept(period, context.now)
    answers = await _ask(factories, args, period)
    rows = [(factory.name, run) for factory, runs in answers.answers for run in runs.items]
    rows.sort(key=lambda row: row[1].start or _NEVER, reverse=True)
    shown = rows[: args.limit]
    earlier = [run for _, runs in answers.answers for run in runs.earlier]
    return Reply(
        summary=sentences(_summary(answers, rows, args, period), _earlier(earlier), answers.caveat, period.caveat),
        data={
            "window": period.as_data(context.now),
            "total": len(rows),
            "exact": not answers.silent and all(runs.complete for _, runs in answers.answers),
            "by_factory": _by_factory(answers),
            "runs": table([_shown(factory, run, context.now) for factory, run in shown]),
            "left_out": len(rows) - len(shown),
            **({"began_before": len(earlier)} if earlier else {}),
        },
        evidence=[Evidence("pipeline_run", run.run_id, factory) for factory, run in shown[:MAX_TOLD] if run.run_id],
        truncated=len(rows) > len(shown),
        next=_next(shown),
    )


async def _ask(factories: Sequence[DataFactory], args: PipelineRunsArguments, period: Period) -> Runs:
    if args.pipeline is None:
        return await survey(factories, lambda factory: _runs(factory, args, period, None))
    holders = await with_pipeline(factories, args.pipeline)
    spelling = {factory.name: name for factory, name in holders.answers}
    named = [factory for factory, _ in holders.answers]
    found = await survey(named, lambda factory: _runs(factory, args, period, spelling[factory.name]))
    return Survey(found.answers, (*holders.silent, *found.silent))


async def _runs(factory: DataFactory, args: PipelineRunsArguments, period: Period, pipeline: str | None) -> Counted:
    found = await factory.pipeline_runs(period.since, period.until, status=args.status, pipeline=pipeline)
    return Counted.of(found, period)


def _by_factory(answers: Runs) -> dict[str, dict[str, int]]:
    """Of one factory the summary tells all."""
    several = answers.answers if len(answers.answers) > 1 else ()
    return {factory.name: _statuses(runs.items) for factory, runs in several}


def _statuses(runs: Sequence[PipelineRun]) -> dict[str, int]:
    return dict(Counter(run.status or "unknown" for run in runs).most_common())


def _summary(answers: Runs, rows: Sequence[Row], args: PipelineRunsArguments, period: Period) -> str:
    of = f" of pipeline {rows[0][1].pipeline or args.pipeline!r}" if args.pipeline and rows else ""
    of = of or (f" of pipeline {args.pipeline!r}" if args.pipeline else "")
    status = f"{args.status} " if args.status else ""
    began = " began" if period.dated else ""
    where = listed([repr(factory.name) for factory, _ in answers.answers])
    exact = all(runs.complete for _, runs in answers.answers)
    if not rows:
        unread = "" if exact else " Not all runs could be read."
        return f"No {status}runs{of}{began} in {where} {period.words}.{unread}"
    head = f"{count(len(rows), status + 'run', exact)}{of}{began} in {where} {period.words}"
    by_status = "" if args.status else f": {_told(_statuses([run for _, run in rows]))}"
    per_factory = ", ".join(f"{factory.name} {len(runs.items)}" for factory, runs in answers.answers)
    spread = f"By factory: {per_factory}." if len(answers.answers) > 1 else ""
    return sentences(f"{head}{by_status}.", spread, _newest(rows))


def _earlier(runs: Sequence[PipelineRun]) -> str:
    if not runs:
        return ""
    named = listed([f"{run.pipeline} (started {at(run.start)}, run {run.run_id})" for run in runs], 3)
    return f"{count(len(runs), 'run')} more began before it and went on into it, not counted here: {named}."


def _newest(rows: Sequence[Row]) -> str:
    sentences = []
    for factory, run in rows[:MAX_TOLD]:
        ended = f", took {lasted(run.duration_ms)}" if run.duration_ms is not None else ""
        sentences.append(f"{run.pipeline} in {factory} {run.status} (started {at(run.start)}{ended}, run {run.run_id})")
    return ("The newest: " if len(rows) > 1 else "It is: ") + "; ".join(sentences) + "."


def _told(statuses: dict[str, int]) -> str:
    return ", ".join(f"{number} {status}" for status, number in statuses.items())


def _shown(factory: str, run: PipelineRun, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "factory": factory,
        "pipeline": run.pipeline,
        "run_id": run.run_id,
        "status": run.status,
        "start": stamp(run.start),
        "end": stamp(run.end) if run.duration_ms is None else None,
        "duration_s": round(run.duration_ms / 1000) if run.duration_ms is not None else None,
        "started_by": run.invoked_by.name or None,
        "parent_run_id": run.invoked_by.run_id or None,
        "message": safe(peel(run.message).message, MESSAGE_LENGTH) or None,
    }
    if run.unfinished and run.start is not None:
        row["running_for_s"] = max(0, round((now - run.start).total_seconds()))
    return {key: value for key, value in row.items() if value is not None}


def _next(shown: Sequence[Row]) -> list[str]:
    failed = next((row for row in shown if row[1].failed and row[1].run_id), None)
    if failed is not None:
        return [f"adf_diagnose_run run_id={failed[1].run_id} factory={failed[0]}"]
    return [f"adf_activity_runs run_id={run.run_id} factory={factory}" for factory, run in shown[:1] if run.run_id]


TOOL = ToolSpec(
    name="adf_pipeline_runs",
    description=(
        "Lists Azure Data Factory pipeline runs, newest first, with exact counts by status: what ran, when it started "
        "and ended, how long it took, whether it succeeded, failed, was cancelled, or is still running or queued. "
        "Filter by pipeline, status, hours back or dates in any time zone, and factory. Use it for status, history "
        "and counting questions."
    ),
    arguments=PipelineRunsArguments,
    run=adf_pipeline_runs,
)
