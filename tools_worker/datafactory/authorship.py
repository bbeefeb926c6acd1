"""Who did what to a factory, from the Activity Log: each deed once however often somebody saved, runs by pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import AppError
from tools_worker.datafactory.activity_log import who
from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.definitions import starters
from tools_worker.datafactory.diagnosis.changes import Name, used_by
from tools_worker.datafactory.diagnosis.estate import fetch_estate
from tools_worker.datafactory.models import FAILED, SUCCEEDED, Change, PipelineRun
from tools_worker.datafactory.wording import at, times

VERBS = {
    "write": "changed",
    "delete": "deleted",
    "start": "started",
    "stop": "stopped",
    "cancel": "cancelled",
    "rerun": "run again",
    "createrun": "started by hand",
}
MAKES = frozenset({"write", "delete", "start", "stop"})  # what can break a pipeline
KINDS = {
    "pipelines": "pipeline",
    "datasets": "dataset",
    "linkedservices": "linked service",
    "dataflows": "data flow",
    "triggers": "trigger",
    "integrationruntimes": "integration runtime",
    "pipelineruns": "run",
    "factories": "factory",
}
TOGETHER = timedelta(hours=1)  # somebody who saves ten times is told once
MAX_LOOKED_UP = 12  # cancelled runs whose pipeline is asked for, one call each


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that somebody did to one resource, `count` times within an hour. `pipeline` of a run, where known."""

    factory: str
    change: Change
    count: int = 1
    pipeline: str = ""

    @property
    def failed(self) -> bool:
        return self.change.status.lower() == "failed"

    @property
    def about(self) -> str:
        change = self.change
        if change.kind == "pipelineruns":
            return f"run {change.name} of {self.pipeline or 'an unknown pipeline'}"
        return f"{KINDS.get(change.kind, change.kind)} {change.name or 'without a name'}"

    @property
    def told(self) -> str:
        change = self.change
        verb = VERBS.get(change.operation, change.operation)
        tried = "was not allowed or failed to be" if self.failed else "was"
        often = f", {times(self.count)} within an hour" if self.count > 1 else ""
        return f"{self.about} {tried} {verb} by {who(change)} at {at(change.at)}{often}"


async def fetch_deeds(factory: DataFactory, since: datetime, until: datetime | None) -> tuple[list[Deed], bool]:
    """Newest first, and whether that is all. Raises core.errors where the log may not be read."""
    found: Found[Change] = await factory.changes(since, until)
    known = [change for change in found if change.operation in VERBS]
    return await _with_pipelines(factory, _together(factory.name, known)), found.complete


def _together(factory: str, changes: Iterable[Change]) -> list[Deed]:
    deeds: list[Deed] = []
    open_ones: dict[tuple[str, ...], int] = {}
    for change in changes:  # newest first
        key = (change.by, change.operation, change.kind, change.name.casefold(), change.status.lower())
        place = open_ones.get(key)
        if place is not None and _near(deeds[place].change.at, change.at):
            deeds[place] = replace(deeds[place], count=deeds[place].count + 1)
        else:
            open_ones[key] = len(deeds)
            deeds.append(Deed(factory, change))
    return deeds


def _near(newer: datetime | None, older: datetime | None) -> bool:
    return newer is not None and older is not None and newer - older <= TOGETHER


async def _with_pipelines(factory: DataFactory, deeds: Sequence[Deed]) -> list[Deed]:
    """The log names a cancelled run by its id only."""
    asked = [deed.change.name for deed in deeds if deed.change.kind == "pipelineruns"][:MAX_LOOKED_UP]
    answers = await asyncio.gather(*(_pipeline_of(factory, run_id) for run_id in asked))
    names = dict(zip(asked, answers, strict=True))
    return [replace(deed, pipeline=names.get(deed.change.name, "")) for deed in deeds]


async def _pipeline_of(factory: DataFactory, run_id: str) -> str:
    try:
        return (await factory.pipeline_run(run_id)).pipeline
    except AppError:
        return ""


@dataclass(frozen=True, slots=True)
class Break:
    """The last failed run of a pipeline, the good run before it, and what was changed between them, newest first."""

    failed: PipelineRun
    good: PipelineRun | None
    between: tuple[Deed, ...]


async def made_of(factory: DataFactory, pipeline: str) -> set[Name]:
    """The pipeline, its datasets, linked services and data flows, and the triggers that start it."""
    estate = await fetch_estate(factory)
    return used_by([pipeline], [trigger.name for trigger in starters(pipeline, estate.triggers)], estate)


def concerning(deeds: Iterable[Deed], names: Collection[Name], pipeline: str) -> list[Deed]:
    return [
        deed
        for deed in deeds
        if (deed.change.kind.lower(), deed.change.name.lower()) in names
        or (deed.change.kind == "pipelineruns" and deed.pipeline == pipeline)
    ]


async def last_break(factory: DataFactory, pipeline: str, deeds: Sequence[Deed], since: datetime) -> Break | None:
    """None where no run of it failed in the window."""
    failed, good = await asyncio.gather(
        factory.pipeline_runs(since, pipeline=pipeline, status=FAILED, limit=1),
        factory.pipeline_runs(since, pipeline=pipeline, status=SUCCEEDED, limit=50),
    )
    run = next(iter(failed), None)
    if run is None or run.start is None:
        return None
    before = next((each for each in good if each.start is not None and each.start < run.start), None)
    begin, end = (before.start if before else None) or since, run.end or run.start
    between = [
        deed
        for deed in deeds
        if deed.change.operation in MAKES and not deed.failed and deed.change.at and begin <= deed.change.at <= end
    ]
    return Break(run, before, tuple(between))
