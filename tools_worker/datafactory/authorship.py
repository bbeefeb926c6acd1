"""Who did what to a factory, from the Activity Log: each deed once however often somebody saved, runs by pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import AppError
from tools_worker.datafactory.activity_log import who
from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.models import CANCELLED, Change, PipelineRun
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
ALSO = {"start": {"start", "rerun", "createrun"}, "stop": {"stop", "cancel"}}  # people do not say which
RUNS = "pipelineruns"
KINDS = {
    "pipelines": "pipeline",
    "datasets": "dataset",
    "linkedservices": "linked service",
    "dataflows": "data flow",
    "triggers": "trigger",
    "integrationruntimes": "integration runtime",
    RUNS: "run",
    "factories": "factory",
}
STATUSES = frozenset({"succeeded", "failed", "started", "accepted", "in progress", "canceled"})
TOGETHER = timedelta(hours=1)  # somebody who saves ten times is told once
SOON = timedelta(minutes=2)  # the log's clock and the run's
MAX_LOOKED_UP = 12  # runs that are asked for by id, one call each
MAX_KIND = 40
MAX_NAME = 260  # in Data Factory; a resource's id may hold any text


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
    def of_run(self) -> bool:
        return self.change.kind == RUNS

    def is_of(self, kind: str) -> bool:
        """As people ask: who cancelled a pipeline means its run, and a run that was started is of the pipeline."""
        if kind == RUNS:
            return self.of_run or self.change.operation == "createrun"
        return self.change.kind == kind or (kind == "pipelines" and self.of_run)

    def did(self, operation: str) -> bool:
        return self.change.operation in ALSO.get(operation, {operation})

    @property
    def status(self) -> str:
        """Empty for what went through; a word that Azure does not use is not passed on."""
        said = self.change.status.strip().lower()
        return "" if said == "succeeded" else said if said in STATUSES else "unknown"

    @property
    def kind(self) -> str:
        """In Azure's own word, if it looks like one."""
        kind = self.change.kind
        return kind if kind.isalpha() and len(kind) <= MAX_KIND else "resource"

    @property
    def name(self) -> str:
        name = " ".join(self.change.name.split())
        return name if len(name) <= MAX_NAME else "of an unreadable name"

    @property
    def about(self) -> str:
        if self.of_run:
            return f"run {self.name} of {self.pipeline or 'an unknown pipeline'}"
        return f"{KINDS.get(self.kind, self.kind)} {self.name or 'without a name'}"

    @property
    def id(self) -> str:
        """Of the action in the log; empty for what is no id."""
        return self.change.id if len(self.change.id) <= MAX_NAME else ""

    @property
    def told(self) -> str:
        change = self.change
        verb = VERBS.get(change.operation, "touched")
        tried = "was not allowed or failed to be" if self.failed else "was"
        often = f", {times(self.count)} within an hour" if self.count > 1 else ""
        return f"{self.about} {tried} {verb} by {who(change)} at {at(change.at)}{often}"


@dataclass(frozen=True, slots=True)
class Log:
    """What the log tells of a stretch of time, newest first. Not `complete`: it was too long to read it all."""

    since: datetime
    until: datetime | None
    deeds: tuple[Deed, ...] = ()
    complete: bool = True

    def covers(self, begin: datetime, end: datetime) -> bool:
        return self.complete and self.since <= begin and (self.until is None or end <= self.until)


async def fetch_log(factory: DataFactory, since: datetime, until: datetime | None) -> Log:
    """Raises core.errors where the log may not be read."""
    found: Found[Change] = await factory.changes(since, until)
    known = [change for change in found if change.operation in VERBS]
    return Log(since, until, tuple(_together(factory.name, known)), found.complete)


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


async def with_pipelines(
    factory: DataFactory, deeds: Sequence[Deed], since: datetime, pipeline: str | None = None
) -> tuple[list[Deed], int]:
    """The log names a run by its id only. One query of the runs since then tells their pipelines, or which of them are
    of this one pipeline: the others stay nameless then. The number is of runs whose pipeline nobody could tell."""
    if not any(deed.of_run for deed in deeds):
        return list(deeds), 0
    runs = await _runs(factory, since, pipeline)
    names = {run.run_id.casefold(): run.pipeline for run in runs}
    others = pipeline is not None and runs.complete
    open_ones = {
        deed.change.name: None
        for deed in deeds
        if deed.of_run and _id(deed) not in names and not (others and _would_be_there(deed, since))
    }
    names |= await _looked_up(factory, list(open_ones)[:MAX_LOOKED_UP])
    named = [replace(deed, pipeline=names.get(_id(deed), "")) if deed.of_run else deed for deed in deeds]
    return named, sum(not names.get(run_id.casefold()) for run_id in open_ones)


async def _runs(factory: DataFactory, since: datetime, pipeline: str | None) -> Found[PipelineRun]:
    """Which runs were cancelled is soon told for all pipelines; what else was done to a run only for one."""
    status = None if pipeline else sorted(CANCELLED)
    try:
        return await factory.pipeline_runs(since - SOON, pipeline=pipeline, status=status)
    except AppError:  # who did it is known all the same
        return Found(complete=False)


def _would_be_there(deed: Deed, since: datetime) -> bool:
    """A cancelled run was active when somebody cancelled it, so a query from before that moment on has it."""
    change = deed.change
    return change.operation == "cancel" and not deed.failed and change.at is not None and change.at >= since


def _id(deed: Deed) -> str:
    return deed.change.name.casefold()


async def _looked_up(factory: DataFactory, run_ids: Sequence[str]) -> Mapping[str, str]:
    answers = await asyncio.gather(*(_pipeline_of(factory, run_id) for run_id in run_ids))
    return dict(zip(map(str.casefold, run_ids), answers, strict=True))


async def _pipeline_of(factory: DataFactory, run_id: str) -> str:
    try:
        return (await factory.pipeline_run(run_id)).pipeline
    except AppError:
        return ""


def concerning(deeds: Iterable[Deed], names: Collection[tuple[str, str]], pipeline: str) -> list[Deed]:
    """What was done to these resources (kind and name in lower case) and to the pipeline's runs."""
    return [
        deed
        for deed in deeds
        if (deed.change.kind.lower(), deed.change.name.lower()) in names
        or (deed.of_run and deed.pipeline.casefold() == pipeline.casefold())
    ]
