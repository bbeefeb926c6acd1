"""Why did this run fail? A diagnosis from what ADF shows, with the evidence and the gaps. No model takes part."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from core.errors import AppError
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis import verdicts
from tools_worker.datafactory.diagnosis.causes import Cause, Definitions, causes
from tools_worker.datafactory.diagnosis.context import fetch_runtime_state, impact_of, settled
from tools_worker.datafactory.diagnosis.earlier import differences, fetch_fewer_rows
from tools_worker.datafactory.diagnosis.history import fetch_history
from tools_worker.datafactory.diagnosis.record import Action, Diagnosis, EvidenceId, Recurrence, Step
from tools_worker.datafactory.diagnosis.target import Target, find_run_to_diagnose
from tools_worker.datafactory.diagnosis.tree import Node, Walk, Wanted
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.leaves import failed_leaves
from tools_worker.datafactory.models import CANCELLED, SUCCEEDED, ActivityRun, PipelineRun

__all__ = [
    "Action",
    "Diagnosis",
    "EvidenceId",
    "Recurrence",
    "Step",
    "Target",
    "diagnose",
    "diagnose_request",
    "find_run_to_diagnose",
]


async def diagnose_request(
    factories: Factories,
    *,
    run_id: str | None = None,
    pipeline: str | None = None,
    factory: str | None = None,
    now: datetime,
) -> Diagnosis:
    """What a tool call or an HTTP request asks for. Raises core.errors for what cannot be found or asked."""
    target = await find_run_to_diagnose(factories, run_id=run_id, pipeline=pipeline, factory=factory, now=now)
    found = await diagnose(target.factory, target.run, now)
    return replace(found, notes=(*target.notes, *found.notes))


async def diagnose(factory: DataFactory, run: PipelineRun, now: datetime) -> Diagnosis:
    """Never raises for what ADF holds back: it is named in `evidence_gaps`."""
    walk = Walk(factory)
    tree, history = await asyncio.gather(walk.read(run, _wanted(run)), fetch_history(factory, run, now))
    found = await _causes(factory, tree) if not _well(run) else []
    gaps = (*walk.gaps, *((history.gap,) if history.gap else ()))
    runtime, impact, fewer = await asyncio.gather(
        fetch_runtime_state(factory, found[0] if found else None),
        impact_of(factory, run),
        fetch_fewer_rows(factory, tree, history),
    )
    around = (*runtime.told, *differences(history))
    facts = verdicts.Facts(factory.name, tree, history, now, gaps, around, impact, fewer_rows=fewer)
    return _verdict(facts, [*(settled(cause, runtime) for cause in found[:1]), *found[1:]])


def _verdict(facts: verdicts.Facts, found: list[Cause]) -> Diagnosis:
    run = facts.run
    if run.failed:
        return verdicts.failed(facts, found)
    if run.status == SUCCEEDED:
        return verdicts.succeeded(facts)
    if run.status in CANCELLED:
        return verdicts.cancelled(facts, found)
    if run.status == "InProgress":
        return verdicts.running(facts)
    if run.status == "Queued":
        return verdicts.queued(facts)
    return verdicts.unknown(facts)


def _wanted(run: PipelineRun) -> Wanted:
    """Below a failed run only failed branches matter; below a healthy one any child may hide a failure."""
    if _well(run):
        return lambda _, __: True

    def failing(_: PipelineRun, call: ActivityRun) -> bool:
        return call.failed or call.status in CANCELLED

    return failing


def _well(run: PipelineRun) -> bool:
    return run.status == SUCCEEDED


async def _causes(factory: DataFactory, tree: Node) -> list[Cause]:
    found = causes(tree, await _definitions(factory, tree))
    return [cause for cause in found if cause.activity is not None or tree.run.failed]


async def _definitions(factory: DataFactory, tree: Node) -> Definitions:
    """Of the pipelines where several activities failed: only there it matters which one waited for which."""
    names = {
        node.run.pipeline
        for node in tree.walk()
        if node.run.pipeline and len({leaf.name for leaf in failed_leaves(node.activities)}) > 1
    }
    ordered = sorted(names)[:5]
    answers = await asyncio.gather(*(factory.pipeline(name) for name in ordered), return_exceptions=True)
    found = {}
    for name, answer in zip(ordered, answers, strict=True):
        if isinstance(answer, AppError):  # deleted since, or not readable: the order of failing has to do
            continue
        if isinstance(answer, BaseException):
            raise answer
        found[name] = answer.definition
    return found
