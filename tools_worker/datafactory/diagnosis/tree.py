"""The tree of runs below a run: its activity runs, and those of the child pipelines that matter, read side by side.

Bounded by calls, time and cycles, not by depth. What could not be read is kept as a gap, in words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from core.errors import AppError
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.leaves import EXECUTE_PIPELINE, Attempts, attempts
from tools_worker.datafactory.models import ActivityRun, PipelineRun

MAX_CALLS = 120
MAX_SECONDS = 25.0
_AT_ONCE = 8
_MARGIN = timedelta(minutes=5)

Wanted = Callable[[PipelineRun, ActivityRun], bool]


@dataclass(frozen=True, slots=True)
class Node:
    run: PipelineRun
    activities: tuple[ActivityRun, ...] = ()
    children: dict[str, Node] = field(default_factory=dict)  # activity run id → the run it started
    complete: bool = True
    groups: tuple[Attempts, ...] = field(init=False)  # the activities, attempts of one turn together

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(attempts(self.activities)))

    def walk(self) -> Iterable[Node]:
        """This node and all below it. Not recursive: the depth is the factory's."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.children.values())


class Walk:
    """One reading of one tree. `gaps` tells what is missing from it."""

    def __init__(self, factory: DataFactory, clock: Callable[[], float] = time.monotonic) -> None:
        self._factory = factory
        self._clock = clock
        self._ends_at = clock() + MAX_SECONDS
        self._calls_left = MAX_CALLS
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._seen: set[str] = set()
        self._gaps: dict[str, None] = {}

    @property
    def gaps(self) -> tuple[str, ...]:
        return tuple(self._gaps)

    async def read(self, run: PipelineRun, wanted: Wanted) -> Node:
        """`wanted` says which ExecutePipeline activities to follow. Level by level, a whole level at once."""
        self._seen.add(run.run_id)
        root = await self._node(run)
        level = [root]
        while level:
            level = [child for children in await self._descend(level, wanted) for child in children]
        return root

    async def _descend(self, level: Sequence[Node], wanted: Wanted) -> list[list[Node]]:
        return await asyncio.gather(*(self._children(node, wanted) for node in level))

    async def _children(self, node: Node, wanted: Wanted) -> list[Node]:
        calls = [a.last for a in node.groups if a.last.type == EXECUTE_PIPELINE and wanted(node.run, a.last)]
        unnamed = [call for call in calls if not call.child_run_id]
        fallback = await self._started_by(node.run, unnamed) if unnamed else {}
        found = await asyncio.gather(*(self._child(call, fallback.get(call.id, "")) for call in calls))
        for call, child in zip(calls, found, strict=True):
            if child is not None:
                node.children[call.id] = child
        return list(node.children.values())

    async def _child(self, call: ActivityRun, fallback_id: str) -> Node | None:
        run_id = call.child_run_id or fallback_id
        if not run_id:
            self._gaps[f"the run that activity {call.name!r} started: neither its output nor the run list names it"] = (
                None
            )
            return None
        if run_id in self._seen:
            self._gaps[f"what is below run {run_id}: the runs call each other in a circle"] = None
            return None
        self._seen.add(run_id)
        # The activity's start stands in for the child's, so that both questions can be asked at once.
        guess = PipelineRun(run_id, fields.text(call.output, "pipelineName"), call.status, start=call.start)
        run, node = await asyncio.gather(self._run(run_id), self._node(guess))
        if run is None:  # then the activity's own error tells more than an empty run
            return node if node.activities else None
        return replace(node, run=run)

    async def _node(self, run: PipelineRun) -> Node:
        if not self._may_ask(f"the activities of run {run.run_id}"):
            return Node(run, complete=False)
        try:
            async with self._gate:
                found = await self._factory.activity_runs(run)
        except AppError as exc:
            self._gaps[f"the activities of run {run.run_id}: {exc}"] = None
            return Node(run, complete=False)
        if not found.complete:
            self._gaps[f"some activities of run {run.run_id}: there are too many to read"] = None
        return Node(run, found.items, complete=found.complete)

    async def _run(self, run_id: str) -> PipelineRun | None:
        if not self._may_ask(f"run {run_id}"):
            return None
        try:
            async with self._gate:
                return await self._factory.pipeline_run(run_id)
        except AppError as exc:
            self._gaps[f"run {run_id}: {exc}"] = None
            return None

    async def _started_by(self, parent: PipelineRun, calls: Sequence[ActivityRun]) -> dict[str, str]:
        """Where the output names no child: the runs that say this one invoked them, matched by time."""
        starts = [call.start for call in calls if call.start is not None]
        if not starts or not self._may_ask(f"the child runs of {parent.run_id}"):
            return {}
        ends = [call.end for call in calls if call.end is not None]
        until = max(ends) + _MARGIN if ends else None
        try:
            found = await self._factory.pipeline_runs(min(starts) - _MARGIN, until, newest_first=False)
        except AppError as exc:
            self._gaps[f"the child runs of {parent.run_id}: {exc}"] = None
            return {}
        return _matched(calls, [run for run in found if run.invoked_by.run_id == parent.run_id])

    def _may_ask(self, what: str) -> bool:
        self._calls_left -= 1
        if self._calls_left >= 0 and self._clock() < self._ends_at:
            return True
        self._gaps[f"{what}: the tree of runs is too large to read it all"] = None
        return False


def _matched(calls: Sequence[ActivityRun], children: Sequence[PipelineRun]) -> dict[str, str]:
    """Each call gets the first child that began after it, none twice. By activity where the child names it."""
    free = [child for child in children if child.run_id]
    matched: dict[str, str] = {}
    for call in calls:
        named = [child for child in free if child.invoked_by.name == call.name]
        later = [c for c in named or free if call.start is None or c.start is None or c.start >= call.start - _MARGIN]
        if later:
            matched[call.id] = later[0].run_id
            free.remove(later[0])
    return matched
