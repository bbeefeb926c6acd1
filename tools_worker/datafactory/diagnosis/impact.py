"""Who is worse off because of a failed run: activities that did not run, parents, and pipelines that wait or read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import AppError
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.definitions import Step, steps
from tools_worker.datafactory.diagnosis.causes import Cause
from tools_worker.datafactory.diagnosis.estate import Estate
from tools_worker.datafactory.diagnosis.facts import Facts
from tools_worker.datafactory.diagnosis.schedule import windows_behind
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.lineage import WRITES, Lineage, lineage
from tools_worker.datafactory.models import CANCELLED, SUCCEEDED, PipelineRun
from tools_worker.datafactory.wording import listed

MAX_PARENTS = 4
MAX_NAMES = 6
MAX_LATER = 4


async def fetch_parents(factory: DataFactory, run: PipelineRun) -> tuple[PipelineRun, ...]:
    """The runs that called this one, nearest first; a run that went well is nobody's trouble and has none here."""
    found: list[PipelineRun] = []
    seen = {run.run_id}
    climbed = run
    while run.status != SUCCEEDED and climbed.invoked_by.run_id and len(found) < MAX_PARENTS:
        if climbed.invoked_by.run_id in seen:
            break
        seen.add(climbed.invoked_by.run_id)
        try:
            climbed = await factory.pipeline_run(climbed.invoked_by.run_id)
        except AppError:
            break
        found.append(climbed)
    return tuple(found)


def impact(facts: Facts, cause: Cause | None = None) -> tuple[str, ...]:
    """Sentences, nearest first."""
    undone = _undone(facts.tree, cause, facts.estate) if cause is not None else {}
    not_run = [
        f"Did not run because of it: {listed(names, MAX_NAMES)} of {pipeline}."
        for pipeline, names in undone.items()
        if names
    ]
    harmed = [parent for parent in facts.parents if not (facts.run.status in CANCELLED and parent.status in CANCELLED)]
    above = [f"Parent {parent.pipeline} is {parent.status} (run {parent.run_id})." for parent in harmed]
    windows = windows_behind(facts.run, facts.parents, facts.estate)
    return (*not_run, *above, *windows, *_later(undone, cause, facts.estate))


def _undone(tree: Node, cause: Cause, estate: Estate) -> dict[str, list[str]]:
    """Pipeline → the activities that wait for what failed and have no run, along the path to the cause."""
    on_path = {step.id for step in cause.path if step.kind == "pipeline"}
    failed = {step.name for step in cause.path if step.kind == "activity"}
    found: dict[str, list[str]] = {}
    for node in tree.walk():
        definition = estate.definitions.get(node.run.pipeline)
        if definition is not None and node.run.run_id in on_path and node.complete:
            names = _waiting(definition, failed, {group.last.name for group in node.groups})
            found.setdefault(node.run.pipeline, []).extend(n for n in names if n not in found[node.run.pipeline])
    return dict(reversed(found.items()))


def _waiting(definition: Mapping[str, Any], failed: set[str], ran: set[str]) -> list[str]:
    """Activities that needed success of a failed one, directly or over others that did not run either."""
    lost = set(failed)
    found: list[str] = []
    known = steps(definition)
    for _ in known:
        more = [step for step in known if step.name not in ran and step.name not in lost and _needs(step, lost)]
        if not more:
            break
        found += [step.name for step in more]
        lost |= {step.name for step in more}
    return found


def _needs(step: Step, lost: set[str]) -> bool:
    """A step that is there for the failure, or for any end, does not need the success."""
    return any(name in lost and (not how or how == ["Succeeded"]) for name, how in step.waits_for)


def _later(undone: Mapping[str, Sequence[str]], cause: Cause | None, estate: Estate) -> list[str]:
    if cause is None or not estate.pipelines:
        return []
    known = lineage(estate.pipelines, estate.datasets, estate.triggers)
    failed = [step.name for step in cause.path if step.kind == "activity"]
    on_path = [step.name for step in cause.path if step.kind == "pipeline"]
    called = _called(undone, estate)
    missing = {(p, activity) for p in on_path for activity in (*failed, *undone.get(p, ()))}
    missing |= {(pipeline, step.name) for pipeline in called for step in steps(estate.definitions.get(pipeline, {}))}
    told = [*_readers(known, missing, {*on_path}), *_waiters(known, (*on_path, *called))]
    more = len(told) - MAX_LATER
    return told[:MAX_LATER] + ([f"And {more} more wait for it or read its data."] if more > 0 else [])


def _called(undone: Mapping[str, Sequence[str]], estate: Estate) -> list[str]:
    """Child pipelines that were not called because of the failure."""
    return [
        step.child
        for pipeline, names in undone.items()
        for step in steps(estate.definitions.get(pipeline, {}))
        if step.child and step.name in names
    ]


def _readers(known: Lineage, missing: set[tuple[str, str]], not_these: set[str]) -> list[str]:
    unwritten = {
        (touch.store, touch.place.casefold()): touch.place
        for touch in known.touches
        if touch.mode == WRITES and touch.resolved and (touch.pipeline, touch.activity) in missing
    }
    readers: dict[str, list[str]] = {}
    for touch in known.touches:
        place = unwritten.get((touch.store, touch.place.casefold()))
        if place and touch.mode != WRITES and touch.pipeline not in not_these:
            readers.setdefault(touch.pipeline, []).append(place)
    return [f"{name} reads {listed(_once(places), 3)}, which it should have written." for name, places in
            readers.items()]  # fmt: skip


def _waiters(known: Lineage, pipelines: Iterable[str]) -> list[str]:
    names = set(pipelines)
    return [
        f"{later} waits for it: its trigger {trigger} depends on the trigger of {one}."
        for one, later, trigger in known.waits
        if one in names
    ]


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
