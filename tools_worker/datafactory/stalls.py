"""Runs that have not ended: which go on far beyond their usual time, and what each of them waits for.

What holds a run up is one of three: other runs of its pipeline (the definition's `concurrency`), the queue of an
integration runtime, or an activity that does not come to its end, perhaps that of a child run, however deep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from core.errors import AppError
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.history import Usual
from tools_worker.datafactory.models import SUCCEEDED, UNFINISHED, ActivityRun, Pipeline, PipelineRun

LOOK_BACK = timedelta(days=45)  # a stuck run is not updated: only all that is kept is sure to hold it
USUAL_DAYS = timedelta(days=14)
USUAL_RUNS = 100
MIN_USUAL = 3
LONG_UNKNOWN = timedelta(hours=12)  # without history: longer than most runs, shorter than a lost day
LITTLE_MORE = 300.0  # seconds: a minute becoming three is not stuck
MAX_PIPELINES = 40  # histories read per factory where not told otherwise: one call each
MAX_LOOKED_INTO = 10  # runs whose activities are read
MAX_DEPTH = 10  # children of children; a circle ends earlier
CONTAINERS = frozenset({"ForEach", "Until", "IfCondition", "Switch"})
_NEVER = datetime.max.replace(tzinfo=UTC)

Verdict = Literal["stuck", "queued", "unknown", "usual"]
Reason = Literal["concurrency", "integration_runtime_queue", "activity", "nothing_in_progress", "unknown"]


@dataclass(frozen=True, slots=True)
class Step:
    """An activity that has not ended, and the run it belongs to."""

    run: PipelineRun
    activity: ActivityRun


@dataclass(frozen=True, slots=True)
class Going:
    """A run that has not ended. `chain` leads from it to the deepest activity in progress; empty when not looked at."""

    factory: str
    run: PipelineRun
    usual: Usual | None
    verdict: Verdict
    concurrency: int | None = None
    unlimited: bool = False  # the definition is known and sets no concurrency
    ahead: tuple[PipelineRun, ...] = ()  # runs in progress of the same pipeline, oldest first
    queued: int = 0  # of the same pipeline
    chain: tuple[Step, ...] = ()
    looked_into: bool = False
    waits_for: PipelineRun | None = None  # the queued child that the chain ends at
    held_by: Going | None = None  # how that child stands

    @property
    def behind_concurrency(self) -> bool:
        return self.run.status == "Queued" and self.concurrency is not None and len(self.ahead) >= self.concurrency

    @property
    def deepest(self) -> Step | None:
        return self.chain[-1] if self.chain else None

    @property
    def reason(self) -> Reason:
        if self.behind_concurrency or (self.held_by is not None and self.held_by.behind_concurrency):
            return "concurrency"
        if self.deepest is not None and self.deepest.activity.status == "Queued":
            return "integration_runtime_queue"
        if self.deepest is not None:
            return "activity"
        return "nothing_in_progress" if self.looked_into and self.run.status == "InProgress" else "unknown"


async def fetch_going(factory: DataFactory, factor: float, now: datetime, most: int = MAX_PIPELINES) -> list[Going]:
    """`factor`: how many times its 95th percentile is too long. `most`: how many histories are read, of the pipelines
    first whose runs have gone on longest."""
    found = await factory.pipeline_runs(now - LOOK_BACK, status=sorted(UNFINISHED), newest_first=False)
    if not found.items:
        return []
    oldest = sorted(found, key=lambda run: run.start or _NEVER)
    names = list(dict.fromkeys(run.pipeline for run in oldest if run.pipeline))
    definitions, usuals = await asyncio.gather(
        _definitions(factory), asyncio.gather(*(_usual(factory, name, now) for name in names[:most]))
    )
    usual = dict(zip(names, usuals, strict=False))
    judged = [_judged(factory.name, run, found.items, usual, definitions, factor, now) for run in found]
    worst = sorted((each for each in judged if each.verdict != "usual"), key=_worst)[:MAX_LOOKED_INTO]
    by_id = {each.run.run_id: each for each in judged}
    looked = await asyncio.gather(*(_descended(factory, each, by_id) for each in worst))
    deeper = {each.run.run_id: each for each in looked}
    return [deeper.get(each.run.run_id, each) for each in judged]


def _worst(each: Going) -> tuple[bool, datetime]:
    return each.verdict == "unknown", each.run.start or _NEVER


async def _definitions(factory: DataFactory) -> dict[str, Pipeline]:
    return {pipeline.name: pipeline for pipeline in await factory.pipelines()}


async def _usual(factory: DataFactory, pipeline: str, now: datetime) -> Usual | None:
    runs = await factory.pipeline_runs(now - USUAL_DAYS, status=SUCCEEDED, pipeline=pipeline, limit=USUAL_RUNS)
    usual = Usual.of(runs)
    return usual if usual and usual.number >= MIN_USUAL else None


def _judged(
    factory: str,
    run: PipelineRun,
    unfinished: Sequence[PipelineRun],
    usual: Mapping[str, Usual | None],
    definitions: Mapping[str, Pipeline],
    factor: float,
    now: datetime,
) -> Going:
    same = [each for each in unfinished if each.pipeline == run.pipeline and each.run_id != run.run_id]
    definition = definitions.get(run.pipeline)
    return Going(
        factory=factory,
        run=run,
        usual=usual.get(run.pipeline),
        verdict=verdict(run, usual.get(run.pipeline), factor, now),
        concurrency=_limit(definition) if definition else None,
        unlimited=definition is not None and definition.definition.get("concurrency") is None,
        ahead=tuple(each for each in same if each.status != "Queued"),
        queued=sum(each.status == "Queued" for each in (run, *same)),
    )


def _limit(pipeline: Pipeline) -> int | None:
    found = fields.whole(pipeline.definition, "concurrency")
    return found if found is not None and found > 0 else None


def verdict(run: PipelineRun, usual: Usual | None, factor: float, now: datetime) -> Verdict:
    """Its age against its own history; the time in the queue is part of a run's time."""
    if run.start is None:
        return "unknown"
    old = (now - run.start).total_seconds()
    if usual is not None and old <= max(usual.p95 * factor, usual.p95 + LITTLE_MORE):
        return "usual"
    if usual is None and old <= LONG_UNKNOWN.total_seconds():
        return "unknown"
    return "queued" if run.status == "Queued" else "stuck"


async def _descended(factory: DataFactory, each: Going, by_id: Mapping[str, Going]) -> Going:
    """Down to the deepest activity in progress, or to a child that is queued itself."""
    if each.run.status == "Queued":  # nothing of it has begun
        return each
    chain: list[Step] = []
    seen = {each.run.run_id}
    run = each.run
    for _ in range(MAX_DEPTH):
        step, child = _where(run, await _open_activities(factory, run), by_id)
        if step is not None:
            chain.append(step)
        if child is None or child.run.run_id in seen:
            break
        if child.run.status == "Queued":
            return replace(each, chain=tuple(chain), looked_into=True, waits_for=child.run, held_by=child)
        seen.add(child.run.run_id)
        run = child.run
    return replace(each, chain=tuple(chain), looked_into=True)


async def _open_activities(factory: DataFactory, run: PipelineRun) -> list[ActivityRun]:
    try:
        found = await factory.activity_runs(run)
    except AppError:  # what one run waits for is a detail: the others are told all the same
        return []
    return [activity for activity in found if activity.status in ("InProgress", "Queued")]


def _where(
    run: PipelineRun, activities: Sequence[ActivityRun], by_id: Mapping[str, Going]
) -> tuple[Step | None, Going | None]:
    """The activity that the run is in, the one begun first, and the child run that it waits for, if that goes on."""
    inner = [activity for activity in activities if activity.type not in CONTAINERS] or list(activities)
    if not inner:
        return None, None
    activity = min(inner, key=lambda each: each.start or _NEVER)
    return Step(run, activity), _child(run, activity, by_id.values(), by_id)


def _child(run: PipelineRun, activity: ActivityRun, going: Iterable[Going], by_id: Mapping[str, Going]) -> Going | None:
    if activity.type != "ExecutePipeline":
        return None
    if activity.child_run_id:
        return by_id.get(activity.child_run_id)
    named = fields.text(fields.mapping(activity.input, "pipeline"), "referenceName")
    children = [each for each in going if each.run.invoked_by.run_id == run.run_id]
    return next((each for each in children if named in ("", each.run.pipeline)), None)
