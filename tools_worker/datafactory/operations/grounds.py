"""What a plan is made from: the factory as it is now, and the arguments; and what all kinds of plan have in common."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.errors import not_found
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import UNFINISHED, Pipeline, PipelineRun, Trigger
from tools_worker.datafactory.operations.arguments import Given
from tools_worker.datafactory.operations.model import Operation, Plan, Repeatable, Risk
from tools_worker.datafactory.operations.repeats import Estate, Repeats
from tools_worker.datafactory.wording import at, count, listed, safe

KEPT = timedelta(days=45)  # runs are kept so long, and can be referred to so long
MAX_GOING = 20
MAX_VALUE = 80  # characters of a parameter's value in a sentence
RISKS: Mapping[Repeatable, Risk] = {"yes": "low", "unknown": "medium", "no": "high"}


@dataclass(frozen=True, slots=True)
class Grounds:
    """`live` answers as of this moment. `factory` may answer as of some seconds ago: it does for what is past."""

    live: DataFactory
    factory: DataFactory
    given: Given
    now: datetime

    def plan(self, title: str, arguments: Mapping[str, Any], **told: Any) -> Plan:
        """One that is refused has no effects."""
        if told.get("refusal"):
            told["effects"] = ()
        operation = Operation(self.given.kind, self.live.id.path, dict(arguments))
        told["effects"] = tuple(effect for effect in told["effects"] if effect)
        return Plan(operation=operation, title=title, factory_name=self.live.name, **told)

    async def estate(self) -> Estate:
        pipelines, datasets = await asyncio.gather(self.live.pipelines(), self.live.datasets())
        return Estate({each.name: each for each in pipelines}, {each.name: each for each in datasets})

    async def going(self, pipeline: str) -> list[PipelineRun]:
        """Runs of a pipeline that have not ended, newest first."""
        found = await self.live.pipeline_runs(
            self.now - KEPT, pipeline=pipeline, status=sorted(UNFINISHED), limit=MAX_GOING
        )
        return list(found)

    async def trigger(self, name: str) -> Trigger:
        """By its name in any case. Raises NotFound with the closest."""
        known = await self.live.triggers()
        wanted = name.casefold()
        for trigger in sorted(known, key=lambda each: each.name != name):
            if trigger.name.casefold() == wanted:
                return trigger
        raise not_found("trigger", name, [each.name for each in known], self.live.name)


def first(*refusals: str) -> str:
    return next((refusal for refusal in refusals if refusal), "")


def fingerprint(*definitions: Mapping[str, Any]) -> str:
    """Changes when any of them is edited."""
    told = json.dumps([dict(each) for each in definitions], sort_keys=True, default=str)
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:12]


def definitions_fact(pipeline: Pipeline, children: Iterable[str], estate: Estate) -> str:
    """What would run, so that an approval does not hold for another definition."""
    called = [estate.pipelines[name] for name in sorted(set(children)) if name in estate.pipelines]
    told = fingerprint(*(each.definition for each in (pipeline, *called)))
    return f"{count(1 + len(called), 'pipeline')}, version {told}"


def ids(runs: Sequence[PipelineRun]) -> str:
    return listed([run.run_id for run in runs], MAX_GOING) or "none"


def annotations_of(pipeline: Pipeline | None) -> tuple[str, ...]:
    if pipeline is None:
        return ()
    return tuple(name for name in fields.items(pipeline.definition, "annotations") if isinstance(name, str))


def concurrency_of(pipeline: Pipeline) -> int | None:
    return fields.whole(pipeline.definition, "concurrency")


def beside(going: Sequence[PipelineRun], pipeline: Pipeline) -> str:
    """What other runs of it that are going on mean for a new one."""
    if not going:
        return ""
    limit = concurrency_of(pipeline)
    runs = f"{count(len(going), 'run')} of {pipeline.name} {'is' if len(going) == 1 else 'are'} going on"
    named = listed([f"run {run.run_id} since {at(run.start)}" for run in going], 3)
    if limit is not None and 0 < limit <= len(going):
        return f"{runs} ({named}), and no more than {limit} may at once: the new one waits in the queue."
    return f"{runs} ({named}): the new one works beside {'it' if len(going) == 1 else 'them'}."


def works_beside(going: Sequence[PipelineRun], pipeline: Pipeline) -> bool:
    limit = concurrency_of(pipeline)
    return bool(going) and not (limit is not None and 0 < limit <= len(going))


def repeating(repeats: Repeats, at_once: bool = False) -> str:
    """What doing it twice means, in a sentence."""
    reasons = listed(repeats.reasons, 3)
    if repeats.repeatable == "no":
        return f"It is not safe to repeat: {reasons}."
    if repeats.repeatable == "unknown":
        return f"Whether it is safe to repeat is not known: {reasons}."
    if at_once:
        return "Its steps may be repeated; what two runs at once do to each other is not known."
    return "Its steps may be repeated: nothing is written twice."


def shown(value: Any) -> str:
    """A parameter's value for a sentence: masked and cut."""
    return repr(safe(value if isinstance(value, str) else json.dumps(value, default=str), MAX_VALUE))
