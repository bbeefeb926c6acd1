"""Is it unusual that a copy moved nothing? Only where it moved something in each of the good runs before."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis.causes import lossy_copies
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.models import SUCCEEDED, ActivityRun, PipelineRun

COMPARED, ENOUGH = 5, 3  # good runs that are read, and how many of them have to have made this copy
QUERIES = 1 + COMPARED
DAYS = timedelta(days=14)


async def usually_moves(factory: DataFactory, run: PipelineRun, copy: ActivityRun) -> bool:
    """False where too little is known, and of a turn of a loop: these vary by nature."""
    if copy.iteration or run.start is None:
        return False
    found = await factory.pipeline_runs(
        run.start - DAYS, run.start, status=SUCCEEDED, pipeline=run.pipeline, limit=COMPARED
    )
    before = [each for each in found if each.run_id != run.run_id]
    read = await asyncio.gather(*(factory.activity_runs(each) for each in before))
    nodes = [Node(each, activities.items) for each, activities in zip(before, read, strict=True)]
    moved = [_moved(node, copy.name) for node in nodes if _made(node, copy.name)]
    return len(moved) >= ENOUGH and all(moved)


def _made(node: Node, copy: str) -> bool:
    return any(run.name == copy and run.type == "Copy" and run.status == SUCCEEDED for run in node.activities)


def _moved(node: Node, copy: str) -> bool:
    return all(each.activity != copy or each.kind != "zero_rows" for each in lossy_copies(node))
