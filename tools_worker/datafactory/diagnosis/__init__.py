"""Why did this run fail? A diagnosis from what ADF shows, with the evidence and the gaps. No model takes part."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis import unfinished, verdicts
from tools_worker.datafactory.diagnosis.causes import Cause, causes
from tools_worker.datafactory.diagnosis.changes import Changes, fetch_changes, since_last_good
from tools_worker.datafactory.diagnosis.earlier import fetch_earlier, fewer_rows, unusual_time
from tools_worker.datafactory.diagnosis.elsewhere import Elsewhere, fetch_elsewhere
from tools_worker.datafactory.diagnosis.estate import Estate, fetch_estate
from tools_worker.datafactory.diagnosis.facts import Facts
from tools_worker.datafactory.diagnosis.history import History, fetch_history
from tools_worker.datafactory.diagnosis.impact import fetch_parents
from tools_worker.datafactory.diagnosis.record import Action, Diagnosis, EvidenceId, Recurrence, Step
from tools_worker.datafactory.diagnosis.runtime_state import fetch_runtime_state, settled
from tools_worker.datafactory.diagnosis.target import find_run_to_diagnose
from tools_worker.datafactory.diagnosis.tree import Walk, Wanted
from tools_worker.datafactory.diagnosis.window import Target, Window
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import CANCELLED, SUCCEEDED, ActivityRun, PipelineRun

__all__ = [
    "Action",
    "Diagnosis",
    "EvidenceId",
    "Recurrence",
    "Step",
    "Target",
    "Window",
    "diagnose",
    "diagnose_request",
    "find_run_to_diagnose",
]

T = TypeVar("T")


async def diagnose_request(
    factories: Factories,
    *,
    run_id: str | None = None,
    pipeline: str | None = None,
    factory: str | None = None,
    window: Window | None = None,
    now: datetime,
) -> Diagnosis:
    """What a tool call or an HTTP request asks for. Raises core.errors for what cannot be found or asked."""
    target = await find_run_to_diagnose(
        factories, run_id=run_id, pipeline=pipeline, factory=factory, window=window, now=now
    )
    found = await diagnose(target.factory, target.run, now)
    return replace(found, notes=(*target.notes, *found.notes))


async def diagnose(factory: DataFactory, run: PipelineRun, now: datetime) -> Diagnosis:
    """Never raises for what ADF holds back: it is named in `evidence_gaps`."""
    facts, found = await _read(factory, run, now)
    if run.failed:
        return verdicts.failed(facts, found)
    if _well(run):
        return verdicts.succeeded(facts)
    if run.status in CANCELLED:
        return verdicts.cancelled(facts, found)
    if run.status == "InProgress":
        return unfinished.running(facts)
    if run.status == "Queued":
        return unfinished.queued(facts)
    return verdicts.unknown(facts)


async def _read(factory: DataFactory, run: PipelineRun, now: datetime) -> tuple[Facts, list[Cause]]:
    """In two rounds, each side by side: the run, then what its cause and its history call for. A run that went well
    as usual needs no explaining."""
    walk, well = Walk(factory), _well(run)
    tree, (history, changes), estate, elsewhere = await asyncio.gather(
        walk.read(run, _wanted(run)),
        _history_and_changes(factory, run, now),
        fetch_estate(factory) if not well else _given(Estate()),
        fetch_elsewhere(factory, run, now) if run.failed else _given(Elsewhere()),
    )
    found = [] if well else [c for c in causes(tree, estate.definitions) if c.activity is not None or run.failed]
    runtime, parents, earlier = await asyncio.gather(
        fetch_runtime_state(factory, found[0] if found else None),
        fetch_parents(factory, run),
        fetch_earlier(factory, tree, history),
    )
    if well and (fewer_rows(tree, earlier) or unusual_time(history)):
        estate, changes = await asyncio.gather(
            fetch_estate(factory), fetch_changes(factory, *since_last_good(history, now))
        )  # fmt: skip
    facts = Facts(
        factory.name, tree, history, now, walk.gaps, earlier, parents, estate, elsewhere, runtime, changes
    )  # fmt: skip
    return facts, [*(settled(cause, runtime) for cause in found[:1]), *found[1:]]


async def _history_and_changes(factory: DataFactory, run: PipelineRun, now: datetime) -> tuple[History, Changes]:
    """The Activity Log is asked from the last good run on, so the history comes first."""
    history = await fetch_history(factory, run, now)
    if _well(run):
        return history, Changes()
    return history, await fetch_changes(factory, *since_last_good(history, now))


async def _given(value: T) -> T:
    return value


def _wanted(run: PipelineRun) -> Wanted:
    """Below a healthy run any child may hide a failure; else only those matter that did not end well."""
    if _well(run):
        return lambda _, __: True

    def troubled(_: PipelineRun, call: ActivityRun) -> bool:
        return call.failed or call.status in CANCELLED or (not run.failed and call.status in unfinished.GOING)

    return troubled


def _well(run: PipelineRun) -> bool:
    return run.status == SUCCEEDED
