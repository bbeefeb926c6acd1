"""Which run of a pipeline is meant when only the pipeline is named: the latest, the first or the slowest that ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from core.errors import NotFound
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import FAILED, SUCCEEDED, PipelineRun
from tools_worker.datafactory.period import Period
from tools_worker.datafactory.survey import survey, with_pipeline
from tools_worker.datafactory.wording import listed

Which = Literal["latest", "first", "slowest"]
ENDED = (SUCCEEDED, FAILED, "Cancelled")
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Selected:
    """`note` is a sentence for the asker about where else the pipeline ran, or who could not be asked."""

    factory: DataFactory
    run: PipelineRun
    note: str = ""


async def ended_run(factories: Factories, pipeline: str, factory: str | None, which: Which, period: Period) -> Selected:
    """Of the runs that began in the period. NotFound offers close names, or says that none ended."""
    holders = await with_pipeline(await factories.chosen(factory), pipeline)
    spelling = {holder.name: name for holder, name in holders.answers}

    async def best(holder: DataFactory) -> PipelineRun | None:
        return await _best(holder, spelling[holder.name], which, period)

    found = await survey([holder for holder, _ in holders.answers], best)
    ran = [(holder, run) for holder, run in found.answers if run is not None]
    if not ran:
        where = listed([repr(holder.name) for holder, _ in found.answers])
        name = next(iter(spelling.values()))
        raise NotFound(f"No run of pipeline {name!r} in {where} began {period.words} and has ended. {period.caveat}")
    holder, run = max(ran, key=lambda each: _rank(each[1], which))
    others = [other.name for other, _ in ran if other is not holder]
    also = f"The pipeline also ran in {listed(others)}; this is about {holder.name}." if others else ""
    return Selected(holder, run, " ".join(text for text in (also, holders.caveat, found.caveat) if text))


async def _best(factory: DataFactory, pipeline: str, which: Which, period: Period) -> PipelineRun | None:
    newest = which == "latest"
    found = await factory.pipeline_runs(
        period.since,
        period.until,
        status=ENDED,
        pipeline=pipeline,
        newest_first=newest,
        limit=1 if newest else None,
    )
    began = [run for run in found if period.holds(run.start)]
    return max(began, key=lambda run: _rank(run, which), default=None)


def _rank(run: PipelineRun, which: Which) -> float:
    began = (run.start or _NEVER).timestamp()
    if which == "slowest":
        return run.duration_ms if run.duration_ms is not None else -1
    return -began if which == "first" else began
