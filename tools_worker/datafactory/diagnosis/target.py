"""Which run is to be diagnosed: the one of an id, the latest failed run of a pipeline, or what failed in a window."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import InvalidArguments, NotFound
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis.window import RETENTION, Target, Window, by_window
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import FAILED, SUCCEEDED, PipelineRun
from tools_worker.datafactory.survey import survey, with_pipeline
from tools_worker.datafactory.wording import at, listed

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Newest:
    failed: PipelineRun | None
    any: PipelineRun | None


async def find_run_to_diagnose(
    factories: Factories,
    *,
    run_id: str | None = None,
    pipeline: str | None = None,
    factory: str | None = None,
    window: Window | None = None,
    now: datetime,
) -> Target:
    """Takes run_id, or pipeline, or a window, or both of these. Raises InvalidArguments, NotFound with the closest
    names, UpstreamError."""
    if run_id and not pipeline and window is None:
        return await _by_id(factories, run_id.strip(), factory)
    if run_id or not (pipeline or window):
        raise InvalidArguments("Give either run_id or pipeline, and not both; an alert's time window does for a run.")
    if window is not None:
        return await by_window(factories, pipeline, factory, window, now)
    assert pipeline is not None  # the checks above
    return await _by_pipeline(factories, pipeline, factory, now)


async def _by_id(factories: Factories, run_id: str, factory: str | None) -> Target:
    located = await factories.find_run(run_id, factory)
    if not located.asked:
        return Target(located.factory, located.run)
    note = f"Run {run_id} is not in {located.asked!r}, it belongs to {located.factory.name!r}."
    return Target(located.factory, located.run, (note,))


async def _by_pipeline(factories: Factories, pipeline: str, factory: str | None, now: datetime) -> Target:
    holders = await with_pipeline(await factories.chosen(factory), pipeline, now)
    spelling = {holder.name: name for holder, name in holders.answers}

    async def newest(holder: DataFactory) -> _Newest:
        return await _newest(holder, spelling[holder.name], now)

    found = await survey([holder for holder, _ in holders.answers], newest)
    ran = [(holder, runs) for holder, runs in found.answers if runs.any is not None]
    if not ran:
        where = listed([repr(holder.name) for holder, _ in found.answers])
        name = next(iter(spelling.values()))
        raise NotFound(f"Pipeline {name!r} in {where} has not run in the last {RETENTION.days} days.")
    holder, runs = max(ran, key=lambda entry: _rank(entry[1]))
    others = [other.name for other, other_runs in ran if other is not holder]
    caveats = [text for text in (holders.caveat, found.caveat) if text]
    run = runs.failed or runs.any
    assert run is not None  # `ran` holds only those
    return Target(holder, run, (*_notes(runs, holder.name, others), *caveats))


async def _newest(factory: DataFactory, pipeline: str, now: datetime) -> _Newest:
    since = now - RETENTION
    failed, latest = await asyncio.gather(
        factory.pipeline_runs(since, pipeline=pipeline, status=FAILED, limit=1),
        factory.pipeline_runs(since, pipeline=pipeline, limit=1),
    )
    return _Newest(next(iter(failed), None), next(iter(latest), None))


def _rank(runs: _Newest) -> tuple[bool, datetime]:
    """The newest failed run wins; where nothing failed, the newest run."""
    run = runs.failed or runs.any
    return runs.failed is not None, (run.start if run is not None else None) or _NEVER


def _notes(runs: _Newest, factory: str, others: list[str]) -> list[str]:
    notes = []
    if runs.failed is None:
        notes.append(f"No run of it failed in the last {RETENTION.days} days, so this is its latest run.")
    elif runs.any is not None and runs.any.run_id != runs.failed.run_id:
        notes.append(_after(runs.any))
    if others:
        notes.append(f"The pipeline also runs in {listed(others)}; this is about {factory}.")
    return notes


def _after(latest: PipelineRun) -> str:
    state = latest.status or "in an unknown status"
    what = "succeeded" if state == SUCCEEDED else f"is {state}" if latest.unfinished or not latest.status else state
    return f"This is its latest failed run; its latest run, started {at(latest.start)}, {what} (run {latest.run_id})."
