"""A runtime with too much to do, and a store that refuses to go on: what copies and nodes report of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from localcloud.adf import rendering
from localcloud.adf.app import App
from localcloud.adf.scenario import BadScenario, Change, Congestion, RuntimeState, load_scenario
from localcloud.adf.world import World

NOW = datetime(2026, 3, 18, 9, 30, tzinfo=UTC)
RETAIL = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-retail/providers/Microsoft.DataFactory"


@pytest.fixture(scope="module")
def world() -> World:
    return World(load_scenario("operations"), fixed=NOW)


@pytest.fixture
async def door(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=App(world))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://adf", headers={"Authorization": "Bearer t"}
    ) as http:
        yield http


def copy_of(world: World, pipeline: str, nth: int = 1) -> dict[str, Any]:
    """The copy of the nth newest succeeded run."""
    living = world.factories[0]
    run = [run for run in living.ledger.roots(pipeline) if run.status_at(NOW) == "Succeeded"][-nth]
    return rendering.activity_run(run.activities[0], run, living.factory, NOW)


def test_a_copy_tells_how_long_it_waited_for_the_runtime(world: World) -> None:
    copy = copy_of(world, "CopyPos")
    waited = copy["output"]["durationInQueue"]["integrationRuntimeQueue"]
    assert waited > 20 * 60
    assert copy["durationInMs"] / 1000 - waited < 6 * 60


def test_the_steps_of_a_copy_tell_of_the_queue_too(world: World) -> None:
    step = copy_of(world, "CopyPos")["output"]["executionDetails"][0]
    assert step["detailedDurations"]["queuingDuration"] > 20 * 60
    assert step["duration"] == step["detailedDurations"]["queuingDuration"] + step["profile"]["transfer"]["duration"]


def test_waiting_is_neither_copying_nor_billed(world: World) -> None:
    crowded, usual = copy_of(world, "CopyPos")["output"], copy_of(world, "CopyPos", nth=12)["output"]
    assert usual["durationInQueue"]["integrationRuntimeQueue"] < 10
    hours = [each["billingReference"]["billableDuration"][0]["duration"] for each in (crowded, usual)]
    assert hours[0] <= 2 * hours[1]
    assert crowded["copyDuration"] <= 2 * usual["copyDuration"]


def test_a_copy_that_waits_says_nothing_yet(world: World) -> None:
    living = world.factories[0]
    run = living.ledger.roots("CopyPos")[-1]
    copy = rendering.activity_run(run.activities[0], run, living.factory, NOW)
    assert (copy["status"], copy["activityRunEnd"], copy["output"]) == ("Queued", None, {})


def test_a_store_that_refuses_is_told_on_its_side_of_the_copy(world: World) -> None:
    step = copy_of(world, "CopyReviews")["output"]["executionDetails"][0]
    assert step["source"]["throttlingErrors"] == 4120
    assert "throttlingErrors" not in step["sink"]


async def test_the_nodes_of_a_crowded_runtime_have_no_place_left(door: httpx.AsyncClient) -> None:
    path = f"{RETAIL}/factories/adf-retail/integrationRuntimes/SHIR-Stores/monitoringData?api-version=2018-06-01"
    nodes = (await door.post(path)).json()["nodes"]
    assert nodes
    assert all(node["concurrentJobsRunning"] == node["concurrentJobsLimit"] for node in nodes)


def test_a_runtime_that_does_not_exist_cannot_be_crowded() -> None:
    scenario = load_scenario("operations")
    crowd = Congestion("adf-retail", "SHIR-Nowhere", 5, 5)
    with pytest.raises(BadScenario, match="SHIR-Nowhere"):
        World(replace(scenario, congestion=(crowd,)), fixed=NOW)


def test_what_does_not_exist_cannot_be_deleted() -> None:
    scenario = load_scenario("operations")
    deletion = Change("adf-retail", "pipelines/Nothing", hours_ago=1, operation="delete")
    with pytest.raises(BadScenario, match="pipelines/Nothing"):
        World(replace(scenario, changes=(*scenario.changes, deletion)), fixed=NOW)


def test_a_runtime_that_comes_back_is_as_usual_from_then_on() -> None:
    away = RuntimeState("adf-retail", "SHIR-Stores", "Offline", hours=1, back_minutes=10)
    made = World(replace(load_scenario("operations"), runtimes=(away,)), fixed=NOW)
    assert made.runtime_state("adf-retail", "SHIR-Stores") == away
    made.clock.advance(timedelta(minutes=10).total_seconds())
    assert made.runtime_state("adf-retail", "SHIR-Stores") is None
