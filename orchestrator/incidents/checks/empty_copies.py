"""Which copies of a pipeline always move something: of these one that moved nothing is news."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis.causes import lossy_copies
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.models import SUCCEEDED, PipelineRun

COMPARED, ENOUGH = 5, 3  # good runs that are read, and how many of them have to have made the copy
QUERIES = 1 + COMPARED
DAYS = timedelta(days=14)


async def never_empty(factory: DataFactory, run: PipelineRun, since: datetime | None) -> frozenset[str]:
    """The names of those copies, from the good runs of the pipeline before this one, or before `since`."""
    until = since or run.start
    if until is None:
        return frozenset()
    found = await factory.pipeline_runs(until - DAYS, until, status=SUCCEEDED, pipeline=run.pipeline, limit=COMPARED)
    before = [each for each in found if each.run_id != run.run_id]
    read = await asyncio.gather(*(factory.activity_runs(each) for each in before))
    nodes = [Node(each, activities.items) for each, activities in zip(before, read, strict=True)]
    made = Counter(name for node in nodes for name in _made(node))
    empty = {each.activity for node in nodes for each in lossy_copies(node) if each.kind == "zero_rows"}
    return frozenset(name for name, times in made.items() if times >= ENOUGH and name not in empty)


def _made(node: Node) -> set[str]:
    return {run.name for run in node.activities if run.type == "Copy" and run.status == SUCCEEDED}
