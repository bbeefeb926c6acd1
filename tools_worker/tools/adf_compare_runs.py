"""adf_compare_runs: two runs side by side, or a run beside the last one that went well."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from core.errors import NotFound
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.comparison import Difference, as_row, changed_parameters, compare
from tools_worker.datafactory.diagnosis.history import WINDOW_DAYS, fetch_history
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.wording import at, lasted, listed, safe, sentences, stamp
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

MAX_DIFFERENCES = 40
MAX_VALUE = 120


class CompareRunsArguments(Arguments):
    run_id: str = Field(min_length=1, max_length=100, description="Id of the pipeline run to compare (a GUID).")
    with_run_id: str | None = Field(
        default=None,
        max_length=100,
        description="Id of the run to compare it with. Omit for the last one that went well.",
    )
    factory: str | None = Field(default=None, max_length=100, description="Name of the data factory, if known.")


async def adf_compare_runs(context: ToolContext, args: CompareRunsArguments) -> Reply:
    found = await context.factories.find_run(args.run_id, args.factory)
    factory, one = found.factory, found.run
    other = await _other(context, factory, one, args)
    left, right = await asyncio.gather(factory.activity_runs(one), factory.activity_runs(other))
    differences = compare(left, right)
    parameters = changed_parameters(one, other)
    shown = differences[:MAX_DIFFERENCES]
    return Reply(
        summary=_summary(factory.name, one, other, differences, list(parameters)),
        data={
            "one": _about(one),
            "other": _about(other),
            "differences": [as_row(difference) for difference in shown],
            "parameters": {name: [_value(value) for value in pair] for name, pair in list(parameters.items())[:20]},
            "left_out": len(differences) - len(shown),
            "exact": left.complete and right.complete,
        },
        evidence=[Evidence("pipeline_run", run.run_id, factory.name) for run in (one, other)],
        truncated=len(differences) > len(shown),
        next=[f"adf_diagnose_run run_id={one.run_id} factory={factory.name}"] if one.failed else [],
    )


async def _other(
    context: ToolContext, factory: DataFactory, one: PipelineRun, args: CompareRunsArguments
) -> PipelineRun:
    if args.with_run_id:
        return await factory.pipeline_run(args.with_run_id)
    history = await fetch_history(factory, one, context.now)
    if history.last_good is None:
        raise NotFound(
            f"{one.pipeline} has no run that went well in the {WINDOW_DAYS} days before run {one.run_id}.",
            hint="Name the run to compare with as with_run_id.",
        )
    return history.last_good


def _summary(
    factory: str, one: PipelineRun, other: PipelineRun, differences: Sequence[Difference], parameters: Sequence[str]
) -> str:
    return sentences(
        f"{one.pipeline} in {factory}: {_told(one)} against {_told(other)}.",
        "" if one.pipeline == other.pipeline else f"They are of different pipelines: the other is {other.pipeline}.",
        _parted(differences),
        _timed(differences),
        _moved(differences),
        f"Parameters that differ: {listed(list(parameters))}." if parameters else "",
        "" if differences or parameters else "Nothing of substance differs between them.",
    )


def _told(run: PipelineRun) -> str:
    took = f" after {lasted(run.duration_ms)}" if run.duration_ms is not None else ""
    return f"run {run.run_id} ({run.status}{took}, started {at(run.start)})"


def _parted(differences: Sequence[Difference]) -> str:
    parted = [_status(difference) for difference in differences if difference.status_differs]
    return f"Their ways part at {listed(parted, 3)}." if parted else ""


def _status(difference: Difference) -> str:
    one = difference.one.status if difference.one else "not run"
    other = difference.other.status if difference.other else "not run"
    return f"{difference.name} ({one}, was {other})"


def _timed(differences: Sequence[Difference]) -> str:
    changed = sorted((d for d in differences if d.longer_by_ms), key=lambda d: -abs(d.longer_by_ms))
    told = [
        f"{d.name} {lasted(d.one.duration_ms)}, was {lasted(d.other.duration_ms)}" for d in changed if d.one and d.other
    ]
    return f"Time: {listed(told, 3)}." if told else ""


def _moved(differences: Sequence[Difference]) -> str:
    told = [
        f"{d.name} {d.one.rows:,}, was {d.other.rows:,}" for d in differences if d.rows_differ and d.one and d.other
    ]
    return f"Rows: {listed(told, 3)}." if told else ""


def _about(run: PipelineRun) -> dict[str, Any]:
    return {"run_id": run.run_id, "pipeline": run.pipeline, "status": run.status, "start": stamp(run.start)}


def _value(value: Any) -> str | None:
    return None if value is None else safe(str(value), MAX_VALUE)


TOOL = ToolSpec(
    name="adf_compare_runs",
    description=(
        "Compares two Azure Data Factory pipeline runs activity by activity, or one run with the last that went well: "
        "where they part, what took longer, what moved more or fewer rows, which parameters differ. Use it for "
        "questions such as what changed, what is different from yesterday's run, why did it take longer this time."
    ),
    arguments=CompareRunsArguments,
    run=adf_compare_runs,
)
