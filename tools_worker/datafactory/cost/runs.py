"""Bills of runs with their child runs, a bounded number of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import NotFound, UpstreamError
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.cost.bill import Bill, bill_of
from tools_worker.datafactory.models import PipelineRun

AT_ONCE = 8  # queries to one factory at the same time; ADF answers 1,000 a minute for everybody together
BUDGET_SECONDS = 30.0  # for all runs of a factory: what is not read by then is counted as not billed
MAX_RUNS_OF_A_TREE = 150
MAX_DEPTH = 10


@dataclass(frozen=True, slots=True)
class RunBill:
    """`children` are the runs it started, each with its own bill; `total` holds all of them."""

    run: PipelineRun
    own: Bill
    children: tuple[RunBill, ...] = ()
    complete: bool = True  # False: a child or a page of activities is missing, so the sum is a lower bound

    @property
    def total(self) -> Bill:
        return sum((child.total for child in self.children), self.own)

    @property
    def whole(self) -> bool:
        return self.complete and all(child.whole for child in self.children)

    @property
    def runs(self) -> int:
        return 1 + sum(child.runs for child in self.children)


@dataclass(slots=True)
class _Walk:
    seen: set[str] = field(default_factory=set)  # a child that is named twice, or names its parent, is billed once
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


async def tree_bill(factory: DataFactory, run: PipelineRun) -> RunBill:
    return await _branch(factory, run, _Walk(seen={run.run_id}), 0)


async def own_bills(factory: DataFactory, runs: Sequence[PipelineRun]) -> list[RunBill | None]:
    """Each run alone, without children; None where ADF gave no answer, or not in time."""
    walk = _Walk()
    until = asyncio.get_running_loop().time() + BUDGET_SECONDS
    return list(await asyncio.gather(*(_or_none(factory, run, walk, until) for run in runs)))


async def _or_none(factory: DataFactory, run: PipelineRun, walk: _Walk, until: float) -> RunBill | None:
    try:
        async with asyncio.timeout_at(until), walk.gate:
            found = await factory.activity_runs(run)
        return RunBill(run, bill_of(found), complete=found.complete)
    except (UpstreamError, NotFound, TimeoutError):
        return None


async def _branch(factory: DataFactory, run: PipelineRun, walk: _Walk, depth: int) -> RunBill:
    async with walk.gate:
        found = await factory.activity_runs(run)
    named = list(dict.fromkeys(activity.child_run_id for activity in found if activity.child_run_id))
    fresh = [child for child in named if child not in walk.seen]
    room = max(0, MAX_RUNS_OF_A_TREE - len(walk.seen)) if depth < MAX_DEPTH else 0
    taken = fresh[:room]
    walk.seen.update(taken)
    children = await asyncio.gather(*(_child(factory, child, walk, depth + 1) for child in taken))
    known = tuple(child for child in children if child is not None)
    return RunBill(run, bill_of(found), known, found.complete and len(known) == len(fresh))


async def _child(factory: DataFactory, run_id: str, walk: _Walk, depth: int) -> RunBill | None:
    try:
        async with walk.gate:
            run = await factory.pipeline_run(run_id)
        return await _branch(factory, run, walk, depth)
    except (UpstreamError, NotFound):  # the sum says that it is a lower bound
        return None
