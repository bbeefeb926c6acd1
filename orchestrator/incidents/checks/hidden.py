"""Runs that succeeded although not all went well: a failure that an on-failure path hid, a copy that moved no rows.

Of each pipeline the newest outermost run is looked at, those that matter first. A copy is told only where all the good
runs before it moved something: a delta load often finds nothing new. Over when a later run is clean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import AppError
from orchestrator.incidents.checks.empty_copies import QUERIES, usually_moves
from orchestrator.incidents.checks.trouble import Findings, Trouble, forgotten
from orchestrator.incidents.checks.turn import Turn
from orchestrator.incidents.record import Incident, IncidentKind, RunRef
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis import diagnose
from tools_worker.datafactory.diagnosis.causes import handled_failures, lossy_copies
from tools_worker.datafactory.diagnosis.estate import bounded
from tools_worker.datafactory.diagnosis.record import MaskedFailure
from tools_worker.datafactory.diagnosis.tree import Node, Walk
from tools_worker.datafactory.masking import mask, mask_value
from tools_worker.datafactory.models import SUCCEEDED, ActivityRun, PipelineRun
from tools_worker.datafactory.punctuality.agreed import ended_at
from tools_worker.datafactory.wording import at, count

OVERLAP = timedelta(minutes=10)  # Data Factory shows the end of a run some minutes late
MAX_RUNS = 500  # that ended since the last turn; a query for each hundred
LISTS = 6  # these, and the definitions
LOOK_SECONDS = 20.0  # with the diagnoses a turn ends before it is broken off (CHECK_SECONDS), and all of it is lost
DIAGNOSIS_SECONDS = 5.0
MAX_DIAGNOSED = 3  # new findings that are diagnosed in a turn; the others are told in a sentence
NEVER = datetime.min.replace(tzinfo=UTC)
KINDS: Mapping[str, IncidentKind] = {"handled_failure": "masked", "zero_rows": "zero_rows"}


@dataclass
class _Purse:
    """Queries and time. `dry` once there was too little: what was begun then is not looked at as a whole."""

    left: int
    ends_at: float
    dry: bool = False

    def pays(self, queries: int) -> bool:
        self.dry = self.dry or self.left < queries or asyncio.get_running_loop().time() >= self.ends_at
        self.left -= 0 if self.dry else queries
        return not self.dry


@dataclass(frozen=True, slots=True)
class _Looked:
    """A run, and what is wrong with it. Not `whole`: that nothing was found says little."""

    run: PipelineRun
    found: tuple[MaskedFailure, ...] = ()
    whole: bool = True


@dataclass
class _Check:
    """One turn."""

    factory: DataFactory
    turn: Turn
    definitions: Mapping[str, Mapping[str, Any]]
    purse: _Purse
    diagnosed: int = field(default=0, init=False)

    async def look(self, run: PipelineRun) -> _Looked | None:
        """None where that would cost too much."""
        if not self.purse.pays(1):
            return None
        walk = Walk(self.factory)
        tree = await walk.read(run, lambda _, __: self.purse.pays(2))
        found = [*handled_failures(tree, self.definitions), *lossy_copies(tree)]
        told = [each for each in found if each.kind in KINDS and await self._told(tree, run, each)]
        return _Looked(run, tuple(told), whole=not walk.gaps and not self.purse.dry)

    async def _told(self, tree: Node, run: PipelineRun, each: MaskedFailure) -> bool:
        """A child that failed is a failure like any other. A copy is also told while it is told already: the empty
        runs since would make it usual."""
        node, activity = _activity(tree, each)
        if each.kind == "handled_failure":
            return not node.run.failed
        cause = _trouble(self.factory, run, each).cause(self.factory)
        known = any(incident.cause == cause for incident in self.turn.active)
        return known or (self.purse.pays(QUERIES) and await usually_moves(self.factory, node.run, activity))

    async def trouble(self, run: PipelineRun, each: MaskedFailure) -> Trouble:
        """With its diagnosis where it is new."""
        plain = _trouble(self.factory, run, each)
        known = {incident.cause for incident in self.turn.active}
        if plain.cause(self.factory) in known or self.diagnosed >= MAX_DIAGNOSED:
            return plain
        self.diagnosed += 1
        found = await bounded(diagnose(self.factory, run, self.turn.now), DIAGNOSIS_SECONDS)
        if isinstance(found, AppError | str):
            return plain
        return _trouble(self.factory, run, each, mask(found.summary()), mask_value(found.as_data()))


async def hidden(factory: DataFactory, turn: Turn) -> Findings:
    runs = await _ended(factory, turn)
    over = forgotten(turn.active, turn.now)
    if not runs:
        return Findings(over=over)
    definitions = {pipeline.name: pipeline.definition for pipeline in await factory.pipelines()}
    check = _Check(
        factory, turn, definitions, _Purse(turn.queries - LISTS, asyncio.get_running_loop().time() + LOOK_SECONDS)
    )
    found, seen = list[Trouble](), 0
    for run in _newest(runs, factory, turn):
        looked = await check.look(run)
        if looked is None:
            break
        seen += looked.whole
        troubles = [await check.trouble(run, each) for each in _once(looked.found)]
        found += troubles
        if looked.whole:
            over |= _ends(factory, run, troubles, turn.active)
    left = len(runs) - seen
    return Findings(tuple(found), over, left_out=count(left, "good run") if left else "")


async def _ended(factory: DataFactory, turn: Turn) -> list[PipelineRun]:
    """What a run above another hides is seen from above."""
    since = turn.since - OVERLAP
    found = await factory.pipeline_runs(since, turn.now, status=SUCCEEDED, limit=MAX_RUNS)
    return [run for run in found if not run.invoked_by.run_id and run.pipeline and _end(run) >= since]


def _newest(runs: Iterable[PipelineRun], factory: DataFactory, turn: Turn) -> list[PipelineRun]:
    """One for each pipeline: those with an open incident and those that matter first, then the newest."""
    newest = {run.pipeline: run for run in sorted(runs, key=_end)}
    told = {name for each in turn.active for name in each.pipelines}

    def rank(run: PipelineRun) -> tuple[bool, float]:
        first = run.pipeline in told or turn.matters(factory.name, run.pipeline)
        return not first, -_end(run).timestamp()

    return sorted(newest.values(), key=rank)


def _once(found: Iterable[MaskedFailure]) -> list[MaskedFailure]:
    """Turns of a loop, and children called twice, hide the same thing."""
    return list({(each.kind, each.pipeline, each.activity): each for each in found}.values())


def _activity(tree: Node, masked: MaskedFailure) -> tuple[Node, ActivityRun]:
    return next((node, run) for node in tree.walk() for run in node.activities if run.id == masked.activity_run_id)


def _trouble(
    factory: DataFactory,
    run: PipelineRun,
    each: MaskedFailure,
    told: str = "",
    diagnosis: Mapping[str, Any] | None = None,
) -> Trouble:
    what = "moved no rows" if each.kind == "zero_rows" else "failed"
    usual = ", although the good runs before it moved some" if each.kind == "zero_rows" else ""
    plain = f"{run.pipeline} in {factory.name} succeeded (run {run.run_id}, {at(_end(run))}), but {each.what}{usual}."
    return Trouble(
        kind=KINDS[each.kind],
        subject=f"{run.pipeline}/{each.pipeline}/{each.activity}",
        at=_end(run),
        title=f"{run.pipeline} succeeded, but {each.activity} {what}",
        told=told or mask(plain),
        resource=each.activity,
        pipelines=tuple(dict.fromkeys((run.pipeline, each.pipeline))),
        runs=(RunRef(run.run_id, run.pipeline, factory.id.path, ended_at(run)),),
        line=f"Run {run.run_id} succeeded, {at(_end(run))}, but {each.activity} {what}.",
        diagnosis=diagnosis or {},
    )


def _ends(
    factory: DataFactory, run: PipelineRun, troubles: Sequence[Trouble], active: Iterable[Incident]
) -> dict[str, str]:
    still = {each.cause(factory) for each in troubles}
    told = f"Run {run.run_id} of {run.pipeline}, {at(_end(run))}, went well."
    return {each.id: told for each in active if each.cause not in still and _is_later(run, each)}


def _is_later(run: PipelineRun, incident: Incident) -> bool:
    """`runs` of an incident are those that hid it."""
    newest = next(iter(incident.runs), None)
    if newest is None or newest.pipeline != run.pipeline or newest.run_id == run.run_id:
        return False
    return newest.ended_at is None or _end(run) > newest.ended_at


def _end(run: PipelineRun) -> datetime:
    return ended_at(run) or run.updated or NEVER
