"""A world is played: its cloud started, every case asked through the tool's queues, the reply graded and measured."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bench.diagnosis.grading import Grade, grade, texts
from bench.diagnosis.truth import BadTruth, Case, asked, meant
from bench.diagnosis.witness import GUID, Json, Known, Tree, Witness, witness
from bench.tool_queue import COLD, LOGS, ToolQueue, app_cloud, tool_queue

RAW_FROM = 20  # activity runs: replies are compared with raw JSON only for trees of this size and more
NOTHING = "nothing"
LATEST_SECONDS = 60  # a tool call that takes longer counts as unanswered


@dataclass(frozen=True, slots=True)
class Played:
    """A case with its grade and what the call cost. `raw_ratio`: the reply's size by that of the tree's raw JSON."""

    case: Case
    grade: Grade
    reply_bytes: int = 0
    raw_ratio: float | None = None
    seconds: float = 0.0
    adf_calls: int = 0
    run_id: str = ""
    asked: Json = field(default_factory=dict)
    reply: str = ""


async def play_world(world: str, cases: Sequence[Case]) -> list[Played]:
    async with app_cloud("--scenario", world, settings=COLD) as cloud, witness(cloud.adf) as adf:
        known, (anchor, now) = await adf.known(), await adf.clock()
        found: dict[int, Played] = {}
        for tool in sorted({case.tool for case in cases}):
            async with tool_queue(cloud.storage, tool) as queue:
                await warm_up(queue)
                for number, case in enumerate(cases):
                    if case.tool == tool:
                        found[number] = await play(case, queue, adf, known, anchor, now)
        return [found[number] for number in sorted(found)]


async def warm_up(tool: ToolQueue) -> None:
    """The first call pays for what later ones find ready. Raises RuntimeError when there is no answer at all."""
    if json.loads(await answer(tool, {"pipeline": "NoSuchPipeline"})).get("code") == NOTHING:
        raise RuntimeError(f"The app does not answer; its log is in {LOGS}")


async def play(case: Case, tool: ToolQueue, adf: Witness, known: Known, anchor: datetime, now: datetime) -> Played:
    try:
        run = the_run(case, known, anchor)
        question = asked(case, run, now)
    except BadTruth as exc:
        return Played(case, Grade(wrong=(f"cannot be asked: {exc}",)))
    calls = await adf.calls()
    started = time.perf_counter()
    value = await answer(tool, question)
    seconds = time.perf_counter() - started
    spent = await adf.calls() - calls
    reply = json.loads(value)
    tree = await adf.tree(case.truth["run"]["factory"], run["runId"]) if run else Tree([], 0, 0)
    await learn(known, adf, tree, reply)
    size = len(value.encode())
    run_id = run["runId"] if run else ""
    return Played(
        case=case,
        grade=grade(case, reply, known.holds, run_id),
        reply_bytes=size,
        raw_ratio=size / tree.raw_bytes if len(tree.activities) >= RAW_FROM else None,
        seconds=seconds,
        adf_calls=spent,
        run_id=run_id,
        asked=question,
        reply=value,
    )


def the_run(case: Case, known: Known, anchor: datetime) -> Json | None:
    """Raises BadTruth."""
    wanted = case.truth.get("run")
    if wanted is None:
        return None
    place = (wanted["factory"], wanted["pipeline"])
    return meant(case, [run for run in known.runs.values() if (run["factory"], run["pipelineName"]) == place], anchor)


async def answer(tool: ToolQueue, question: Json) -> str:
    try:
        async with asyncio.timeout(LATEST_SECONDS):
            return await tool.call(**question)
    except TimeoutError:
        return json.dumps({"ok": False, "code": NOTHING, "error": f"nothing within {LATEST_SECONDS} seconds"})


async def learn(known: Known, adf: Witness, tree: Tree, reply: Json) -> None:
    """What the reply may rest on besides what was there at the start: activity runs, and runs that began since."""
    named = set(GUID.findall(" ".join(texts(reply))))
    known.activities |= {str(activity["activityRunId"]) for activity in tree.activities}
    await adf.check(known, named)
    if not all(known.holds(identity) for identity in named):
        await adf.read_runs(known)
        await adf.check(known, named)
