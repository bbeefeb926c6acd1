"""adf_stuck_runs: runs that go on, or wait, far beyond their own usual time, and what they wait for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from tools_worker.datafactory.stall_words import told, within
from tools_worker.datafactory.stalls import Going, Step, fetch_going
from tools_worker.datafactory.survey import survey
from tools_worker.datafactory.wording import count, listed, sentences, stamp
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

MAX_TOLD = 5
MAX_UNKNOWN = 3
MAX_QUEUED = 100  # ADF refuses more queued runs of one pipeline
ORDER = {"stuck": 0, "queued": 1, "unknown": 2, "usual": 3}


class StuckRunsArguments(Arguments):
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")
    factor: float = Field(default=2.0, ge=1.1, le=100, description="How many times its 95th percentile is too long.")
    limit: int = Field(default=10, ge=1, le=40, description="How many runs to list, the worst first.")


async def adf_stuck_runs(context: ToolContext, args: StuckRunsArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    asked = await survey(factories, lambda factory: fetch_going(factory, args.factor, context.now))
    going = [each for _, found in asked.answers for each in found]
    going.sort(key=lambda each: (ORDER[each.verdict], each.run.start or context.now))
    stuck = [each for each in going if each.verdict != "usual"]
    return Reply(
        summary=sentences(
            _summary(going, stuck, [factory.name for factory, _ in asked.answers], context.now), asked.caveat
        ),
        data={
            "unfinished": dict(Counter(f"{each.factory}: {each.run.status}" for each in going)),
            "verdicts": dict(Counter(each.verdict for each in going)),
            "runs": [_shown(each, going, context.now) for each in going[: args.limit]],
            "left_out": max(0, len(going) - args.limit),
        },
        evidence=_evidence(going[: args.limit]),
        truncated=len(going) > args.limit,
        next=_next(stuck),
    )


def _evidence(going: Sequence[Going]) -> list[Evidence]:
    found = [Evidence("pipeline_run", each.run.run_id, each.factory) for each in going if each.run.run_id]
    for each in going:
        found += [Evidence("pipeline_run", step.run.run_id, each.factory) for step in each.chain[1:] if step.run.run_id]
        found += [Evidence("activity_run", step.activity.id, each.factory) for step in each.chain if step.activity.id]
    return list(dict.fromkeys(found))


def _next(stuck: Sequence[Going]) -> list[str]:
    """The activities of the run where it hangs; the runtime where something waits for it."""
    for each in stuck[:1]:
        run = each.deepest.run if each.deepest else each.run
        if each.reason == "integration_runtime_queue":
            return [f"adf_integration_runtimes factory={each.factory}"]
        return [f"adf_activity_runs run_id={run.run_id} factory={each.factory}"]
    return []


def _summary(going: Sequence[Going], stuck: Sequence[Going], factories: Sequence[str], now: datetime) -> str:
    where = listed([repr(name) for name in factories])
    if not going:
        return f"No run is queued or in progress in {where}."
    head = f"{count(len(going), 'unfinished run')} in {where}"
    bad = [each for each in stuck if each.verdict != "unknown"]
    verdict = f"{len(bad)} of them far beyond their usual time" if bad else "none known to be beyond its usual time"
    unknown = [each for each in stuck if each.verdict == "unknown"]
    outer = [each for each in bad if not within(each, bad)]
    below = len(bad) - len(outer)
    return sentences(
        f"{head}, {verdict}.",
        *(told(each, now) for each in outer[:MAX_TOLD]),
        f"{len(outer) - MAX_TOLD} more in the data." if len(outer) > MAX_TOLD else "",
        f"{below} of them {'is a child run' if below == 1 else 'are child runs'} of these." if below else "",
        f"{count(len(unknown), 'run')} cannot be judged, for want of successful runs to measure by." if unknown else "",
        *(told(each, now) for each in unknown[:MAX_UNKNOWN]),
        f"{len(unknown) - MAX_UNKNOWN} more in the data." if len(unknown) > MAX_UNKNOWN else "",
        *_full_queues(going),
    )


def _full_queues(going: Sequence[Going]) -> list[str]:
    queues = {(each.factory, each.run.pipeline): each.queued for each in going}
    return [
        f"The queue of {pipeline} in {factory} holds {number} runs: {MAX_QUEUED} are the most, more are refused."
        for (factory, pipeline), number in queues.items()
        if number >= MAX_QUEUED * 0.8
    ]


def _shown(each: Going, going: Sequence[Going], now: datetime) -> dict[str, Any]:
    run = each.run
    return {
        "factory": each.factory,
        "pipeline": run.pipeline,
        "run_id": run.run_id,
        "status": run.status,
        "verdict": each.verdict,
        "start": stamp(run.start),
        "age_s": round((now - run.start).total_seconds()) if run.start else None,
        "usual_p50_s": round(each.usual.p50) if each.usual else None,
        "usual_p95_s": round(each.usual.p95) if each.usual else None,
        "concurrency": each.concurrency,
        "behind": [other.run_id for other in each.ahead[:5]] if each.behind_concurrency else [],
        "reason": each.reason if each.verdict != "usual" else None,
        "in_progress": [] if within(each, going) else [_step(step) for step in each.chain],
        "waits_for_run": each.waits_for.run_id if each.waits_for else None,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "run_id": step.run.run_id,
        "pipeline": step.run.pipeline,
        "activity": step.activity.name,
        "type": step.activity.type or None,
        "status": step.activity.status,
        "since": stamp(step.activity.start),
    }


TOOL = ToolSpec(
    name="adf_stuck_runs",
    description=(
        "Finds Azure Data Factory runs that are stuck: queued or in progress far beyond their own usual time, what "
        "they wait for (pipeline concurrency, the integration runtime's queue, the deepest activity in progress of a "
        "child run), and queues that are nearly full, in all factories."
    ),
    arguments=StuckRunsArguments,
    run=adf_stuck_runs,
)
