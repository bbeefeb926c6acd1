"""Runs that succeeded although not all went well: a failure that an on-failure path hid, a copy that moved no rows.

Of each pipeline the newest outermost run is looked at, those that matter first. A copy is told only where all the good
runs before it moved something: a delta load often finds nothing new. One incident for a pipeline and each of the two;
over when a later run is clean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import AppError, NotFound
from orchestrator.incidents.checks.empty_copies import QUERIES, never_empty
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
from tools_worker.datafactory.wording import at, count, listed

OVERLAP = timedelta(minutes=10)  # Data Factory shows the end of a run some minutes late
MAX_RUNS = 500  # that ended since the last turn; a query for each hundred
LISTS = 6  # these, and the definitions
LOOK_SECONDS = 20.0  # with the diagnoses a turn ends before it is broken off (CHECK_SECONDS), and all of it is lost
DIAGNOSIS_SECONDS = 5.0
MAX_DIAGNOSED = 3  # new findings that are diagnosed in a turn; the others are told in a sentence
MAX_NAMES = 3
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


@dataclass
class _Check:
    """One turn."""

    factory: DataFactory
    turn: Turn
    definitions: Mapping[str, Mapping[str, Any]]
    purse: _Purse
    diagnosed: int = field(default=0, init=False)

    async def look(self, run: PipelineRun) -> tuple[list[MaskedFailure], bool]:
        """What is wrong with it; and whether all of it was looked at, for only then it may be clean."""
        walk = Walk(self.factory)
        tree = await walk.read(run, lambda _, __: self.purse.pays(2))
        failed = [each for each in handled_failures(tree, self.definitions) if not _place(tree, each)[0].run.failed]
        return [*failed, *await self._empty(tree, run)], not walk.gaps and not self.purse.dry

    async def _empty(self, tree: Node, run: PipelineRun) -> list[MaskedFailure]:
        """Turns of a loop vary by nature."""
        copies = [(each, *_place(tree, each)) for each in lossy_copies(tree) if each.kind in KINDS]
        once = [(each, node.run) for each, node, activity in copies if not activity.iteration]
        since = await self._told_since(run) if once else None
        usual: dict[str, frozenset[str]] = {}
        for _, made_by in once:
            if made_by.run_id not in usual and self.purse.pays(QUERIES):
                usual[made_by.run_id] = await never_empty(self.factory, made_by, since)
        return [each for each, made_by in once if each.activity in usual.get(made_by.run_id, ())]

    async def _told_since(self, run: PipelineRun) -> datetime | None:
        """When the first run began that moved nothing: those since then would make it usual."""
        told = (each for each in self.turn.active if each.kind == "zero_rows" and _is_about(each, run))
        first = next((each.runs[-1].run_id for each in told), "")
        if not first or not self.purse.pays(1):
            return None
        try:
            return (await self.factory.pipeline_run(first)).start
        except NotFound:
            return None

    async def troubles(self, run: PipelineRun, found: Sequence[MaskedFailure]) -> list[Trouble]:
        same = ([each for each in found if each.kind == kind] for kind in KINDS)
        return [await self._trouble(run, each) for each in same if each]

    async def _trouble(self, run: PipelineRun, found: Sequence[MaskedFailure]) -> Trouble:
        """With its diagnosis where it is new."""
        plain = _trouble(self.factory, run, found)
        known = {incident.cause for incident in self.turn.active}
        if plain.cause(self.factory) in known or self.diagnosed >= MAX_DIAGNOSED:
            return plain
        self.diagnosed += 1
        told = await bounded(diagnose(self.factory, run, self.turn.now), DIAGNOSIS_SECONDS)
        if isinstance(told, AppError | str):
            return plain
        return replace(plain, told=mask(told.summary()), diagnosis=mask_value(told.as_data()))


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
        if not check.purse.pays(1):
            break
        wrong, whole = await check.look(run)
        troubles = await check.troubles(run, wrong)
        found += troubles
        seen += whole
        over |= _ends(factory, run, troubles, turn.active) if whole else {}
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


def _place(tree: Node, masked: MaskedFailure) -> tuple[Node, ActivityRun]:
    return next((node, run) for node in tree.walk() for run in node.activities if run.id == masked.activity_run_id)


def _trouble(factory: DataFactory, run: PipelineRun, found: Sequence[MaskedFailure]) -> Trouble:
    """Of one kind."""
    kind = KINDS[found[0].kind]
    names = listed(list(dict.fromkeys(each.activity for each in found)), MAX_NAMES)
    what = f"{names} moved no rows" if kind == "zero_rows" else f"{names} failed"
    usual = "; the good runs before it moved some" if kind == "zero_rows" else ""
    each = listed([each.what for each in found], MAX_NAMES)
    told = f"{run.pipeline} in {factory.name} succeeded (run {run.run_id}, {at(_end(run))}), but {each}{usual}."
    return Trouble(
        kind=kind,
        subject=run.pipeline,
        at=_end(run),
        title=f"{run.pipeline} succeeded, but {what}",
        told=mask(told),
        resource=names,
        pipelines=tuple(dict.fromkeys((run.pipeline, *(each.pipeline for each in found)))),
        runs=(RunRef(run.run_id, run.pipeline, factory.id.path, ended_at(run)),),
        line=f"Run {run.run_id} succeeded, {at(_end(run))}, but {what}.",
    )


def _ends(
    factory: DataFactory, run: PipelineRun, troubles: Sequence[Trouble], active: Iterable[Incident]
) -> dict[str, str]:
    still = {each.cause(factory) for each in troubles}
    told = f"Run {run.run_id} of {run.pipeline}, {at(_end(run))}, went well."
    return {each.id: told for each in active if each.cause not in still and _is_later(run, each)}


def _is_about(incident: Incident, run: PipelineRun) -> bool:
    """`runs` of an incident are those that hid it, newest first."""
    return bool(incident.runs) and incident.runs[0].pipeline == run.pipeline


def _is_later(run: PipelineRun, incident: Incident) -> bool:
    if not _is_about(incident, run) or incident.runs[0].run_id == run.run_id:
        return False
    newest = incident.runs[0].ended_at
    return newest is None or _end(run) > newest


def _end(run: PipelineRun) -> datetime:
    return ended_at(run) or run.updated or NEVER
