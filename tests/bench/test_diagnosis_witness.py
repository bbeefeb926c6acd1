"""What the bench knows of Data Factory past the app: the world of the deep case, read over REST."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bench.diagnosis.deep import DEEP, FACTORY, write_world
from bench.diagnosis.memory import Memory
from bench.diagnosis.playing import learn, the_run
from bench.diagnosis.witness import Json, Known, Tree, Witness
from localcloud.adf.app import App
from localcloud.adf.scenario import load_scenario
from localcloud.adf.world import World


@pytest.fixture
async def adf(tmp_path: Path) -> AsyncIterator[Witness]:
    now = datetime.now(UTC).replace(hour=9, minute=30)
    app = App(World(load_scenario(str(write_world(tmp_path))), fixed=now))
    headers = {"Authorization": "Bearer bench"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://adf", headers=headers) as http:
        witness = Witness(http)
        await witness.start()
        yield witness


async def failed_run(adf: Witness) -> Json:
    anchor, _ = await adf.clock()
    run = the_run(DEEP, await adf.known(), anchor)
    assert run is not None
    return run


async def failed_tree(adf: Witness) -> Tree:
    return await adf.tree(FACTORY, (await failed_run(adf))["runId"])


async def test_the_deep_case_is_three_pipelines_deep_and_a_thousand_wide(adf: Witness) -> None:
    tree = await failed_tree(adf)
    assert tree.depth == 3
    assert len(tree.activities) >= 1000
    assert sum(activity["status"] == "Failed" for activity in tree.activities) == 4  # the table, its loop, two calls


async def test_pages_of_the_failing_tree_are_counted(adf: Witness) -> None:
    assert (await failed_tree(adf)).pages == 1 + 1 + 11


async def test_what_exists_is_known_by_its_id_or_name(adf: Witness) -> None:
    known = await adf.known()
    run = await failed_run(adf)
    assert all(known.holds(name) for name in (run["runId"], "DeepChild", "Nightly", FACTORY))
    assert not known.holds("5b1c0a5e-0000-4000-8000-000000000001")


async def test_activity_runs_are_known_once_their_run_is_named(adf: Witness) -> None:
    known, run = await adf.known(), await failed_run(adf)
    activities, _ = await adf.activities(FACTORY, run["runId"])
    assert not known.holds(activities[0]["activityRunId"])
    await learn(known, adf, Tree([], 0, 0), {"ok": True, "summary": f"Run {run['runId']}."})
    assert known.holds(activities[0]["activityRunId"])


async def test_the_witness_counts_the_requests_of_others(adf: Witness) -> None:
    before = await adf.calls()
    await adf.read_runs(Known())
    assert await adf.calls() == before + 1


def test_memory_over_idle_is_what_was_taken_since() -> None:
    memory = Memory(os.getpid())
    if memory.over_idle_mb() is None:
        pytest.skip("no /proc here")
    taken = bytearray(64 * 2**20)
    del taken
    over = memory.over_idle_mb()
    assert over is not None
    assert over >= 50


def test_the_memory_of_a_process_that_is_gone_is_not_known() -> None:
    assert Memory(2**30).over_idle_mb() is None
