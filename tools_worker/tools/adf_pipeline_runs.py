"""adf_pipeline_runs: which runs there were, newest first, with exact counts by status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.survey import Survey, survey, with_pipeline
from tools_worker.datafactory.wording import at, count, lasted, listed, safe, sentences, stamp
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

RETENTION_DAYS = 45
MESSAGE_LENGTH = 160  # 100 rows of about 400 bytes stay under 48 KiB
_NEVER = datetime.min.replace(tzinfo=UTC)

Runs = Survey[Found[PipelineRun]]
Row = tuple[str, PipelineRun]


class PipelineRunsArguments(Arguments):
    pipeline: str | None = Field(
        default=None, max_length=260, description="Name of one pipeline, in any case. Omit for all pipelines."
    )
    status: Literal["Queued", "InProgress", "Succeeded", "Failed", "Canceling", "Cancelled"] | None = Field(
        default=None, description="Only runs in this status. Omit for all."
    )
    hours: int = Field(
        default=24,
        ge=1,
        le=24 * RETENTION_DAYS,
        description="How far back to look, in hours: 24 is a day, 168 a week, 1080 all that is kept.",
    )
    factory: str | None = Field(
        default=None, max_length=100, description="Name of one data factory. Omit to ask all of them."
    )
    limit: int = Field(default=20, ge=1, le=100, description="How many runs to list. The counts are of all runs.")


async def adf_pipeline_runs(context: ToolContext, args: PipelineRunsArguments) -> Reply:
    answers = await _ask(context, args)
    rows = [(factory.name, run) for factory, runs in answers.answers for run in runs]
    rows.sort(key=lambda row: row[1].start or _NEVER, reverse=True)
    shown = rows[: args.limit]
    return Reply(
        summary=_summary(answers, rows, args),
        data={
            "hours": args.hours,
            "total": len(rows),
            "exact": not answers.silent and all(runs.complete for _, runs in answers.answers),
            "by_factory": {factory.name: _statuses(runs.items) for factory, runs in answers.answers},
            "runs": [_shown(factory, run, context.now) for factory, run in shown],
            "left_out": len(rows) - len(shown),
        },
        evidence=[Evidence("pipeline_run", run.run_id, factory) for factory, run in shown if run.run_id],
        truncated=len(rows) > len(shown),
        next=_next(shown),
    )


async def _ask(context: ToolContext, args: PipelineRunsArguments) -> Runs:
    factories = await context.factories.chosen(args.factory)
    since = context.now - timedelta(hours=args.hours)
    if args.pipeline is None:
        return await survey(factories, lambda factory: factory.pipeline_runs(since, status=args.status))
    holders = await with_pipeline(factories, args.pipeline)
    spelling = {factory.name: name for factory, name in holders.answers}

    async def runs(factory: DataFactory) -> Found[PipelineRun]:
        return await factory.pipeline_runs(since, status=args.status, pipeline=spelling[factory.name])

    found = await survey([factory for factory, _ in holders.answers], runs)
    return Survey(found.answers, (*holders.silent, *found.silent))


def _statuses(runs: Sequence[PipelineRun]) -> dict[str, int]:
    return dict(Counter(run.status or "unknown" for run in runs).most_common())


def _summary(answers: Runs, rows: Sequence[Row], args: PipelineRunsArguments) -> str:
    of = f" of pipeline {rows[0][1].pipeline or args.pipeline!r}" if args.pipeline and rows else ""
    of = of or (f" of pipeline {args.pipeline!r}" if args.pipeline else "")
    status = f"{args.status} " if args.status else ""
    window = f"the last {count(args.hours, 'hour')}"
    where = listed([repr(factory.name) for factory, _ in answers.answers])
    if not rows:
        return sentences(f"No {status}runs{of} in {where} in {window}.", answers.caveat)
    exact = all(runs.complete for _, runs in answers.answers)
    head = f"{count(len(rows), status + 'run', exact)}{of} in {where} in {window}"
    by_status = "" if args.status else f": {_told(_statuses([run for _, run in rows]))}"
    per_factory = ", ".join(f"{factory.name} {len(runs)}" for factory, runs in answers.answers)
    spread = f" By factory: {per_factory}." if len(answers.answers) > 1 else ""
    return sentences(f"{head}{by_status}.{spread} {_newest(rows)}", answers.caveat)


def _newest(rows: Sequence[Row]) -> str:
    sentences = []
    for factory, run in rows[:3]:
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
        "end": stamp(run.end),
        "duration_s": round(run.duration_ms / 1000) if run.duration_ms is not None else None,
        "started_by": run.invoked_by.name or None,
        "parent_run_id": run.invoked_by.run_id or None,
        "message": safe(run.message, MESSAGE_LENGTH) or None,
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
        "Filter by pipeline, status, hours back and factory. Use it for status, history and counting questions."
    ),
    arguments=PipelineRunsArguments,
    run=adf_pipeline_runs,
)
