"""Whose is what shows after a lost answer, and what is said of an operation that was done in part."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.tools_worker.datafactory.build import NOW, guid, make_run
from tests.tools_worker.datafactory.operations.worlds import TWO_STEPS, MemoryWorld, planned, starting
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import FactoryId, InvokedBy, PipelineRun, Trigger
from tools_worker.datafactory.operations.following import effect
from tools_worker.datafactory.operations.memory import MemoryOperations
from tools_worker.datafactory.operations.model import Receipt
from tools_worker.datafactory.operations.read_back import SETTLES, read_back
from tools_worker.datafactory.operations.sending import NotSent, OutcomeUnknown, Switch, send

BY_HAND = InvokedBy("Manual", type="Manual")
DAY = {"since": "2026-03-09"}


def a_run(number: int = 8, seconds: float = 1, **changed: Any) -> PipelineRun:
    run = make_run(number, pipeline=TWO_STEPS, status="InProgress", start=NOW + timedelta(seconds=seconds))
    usual: dict[str, Any] = {"invoked_by": BY_HAND, "parameters": DAY}
    return replace(run, **(usual | changed))


async def seen_after(*runs: PipelineRun, parameters: dict[str, Any] | None = None) -> tuple[str, str]:
    """What is said after a lost answer, when these runs show."""
    world = MemoryWorld()
    assert isinstance(world.factory, MemoryDataFactory)
    plan = await planned(world, "run_pipeline", pipeline=TWO_STEPS, parameters=DAY)
    if parameters is not None:
        plan = replace(plan, operation=replace(plan.operation, arguments={"parameters": parameters}))
    world.factory.runs += runs
    found = await read_back(world.factory, plan, NOW, NOW + SETTLES)
    return found.ended, found.run_id


async def test_a_run_by_hand_with_the_same_parameters_is_its_own() -> None:
    assert await seen_after(a_run()) == ("done", guid(8))


@pytest.mark.parametrize(
    "run",
    [
        a_run(invoked_by=InvokedBy("EveryHour", type="ScheduleTrigger")),
        a_run(parameters={"since": "2026-03-08"}),
        a_run(parameters={}),
        a_run(seconds=-600),
    ],
    ids=["started by a trigger", "with another value", "without the parameter", "long before"],
)
async def test_what_somebody_else_started_is_not_its_own(run: PipelineRun) -> None:
    assert await seen_after(run) == ("not_done", "")


@pytest.mark.parametrize(
    ("wanted", "told", "same"),
    [
        (True, "True", True),
        (True, "1", False),
        (5, "5", True),
        (5, "6", False),
        (1.5, "1.5", True),
        ([1, "a"], '[1, "a"]', True),
        ({"a": None}, '{"a": null}', True),
        ("5", "5", True),
        ("5", 5, False),
        (5, "five", False),
    ],
)
async def test_parameters_are_told_as_text_and_compared_as_what_they_are(wanted: Any, told: Any, same: bool) -> None:
    ended, _ = await seen_after(a_run(parameters={"SINCE": told}), parameters={"since": wanted})
    assert ended == ("done" if same else "not_done")


async def test_a_window_that_had_run_again_before_is_not_its_own() -> None:
    world = MemoryWorld()
    assert isinstance(world.factory, MemoryDataFactory)
    (old,) = world.factory.trigger_run_list
    world.factory.trigger_run_list[0] = replace(old, at=NOW - timedelta(seconds=30))
    plan = await planned(world, "rerun_window", trigger="StockWindows", trigger_run_id=old.id)
    assert plan.refusal == ""
    assert (await read_back(world.factory, plan, NOW, NOW + SETTLES)).ended == "not_done"


class Stubborn(MemoryOperations):
    """One trigger cannot be switched."""

    async def switch_trigger(self, factory: FactoryId, trigger: str, way: Switch) -> None:
        if trigger == "Stubborn":
            raise NotSent("Concurrent operations on a trigger are not allowed.")
        await super().switch_trigger(factory, trigger, way)


def scheduled(*names: str) -> MemoryWorld:
    world = MemoryWorld()
    assert isinstance(world.factory, MemoryDataFactory)
    world.factory.trigger_list = [Trigger(name, "ScheduleTrigger", "Started", starting(TWO_STEPS)) for name in names]
    world.operations = Stubborn(world.factory)
    return world


async def test_a_pause_that_was_refused_midway_is_done_in_part_and_says_how_far() -> None:
    world = scheduled("First", "Stubborn", "Last")
    plan = await planned(world, "pause_schedule", pipeline=TWO_STEPS, minutes=5)
    with pytest.raises(OutcomeUnknown, match=r"Told to stop: First\. Not Stubborn, nor any after it\. Concurrent"):
        await send(world.operations, plan, NOW)
    early = await read_back(world.factory, plan, NOW, NOW)
    assert (early.ended, early.settled) == ("unknown", False)
    late = await read_back(world.factory, plan, NOW, NOW + SETTLES)
    assert (late.ended, late.settled) == ("unknown", True)
    told = "It was done in part. Trigger First is Stopped. Trigger Stubborn is Started. Trigger Last is Started."
    assert late.told == told


async def test_a_pause_that_was_refused_at_once_is_not_done() -> None:
    world = scheduled("Stubborn", "Last")
    plan = await planned(world, "pause_schedule", pipeline=TWO_STEPS, minutes=5)
    with pytest.raises(NotSent):
        await send(world.operations, plan, NOW)
    assert (await read_back(world.factory, plan, NOW, NOW + SETTLES)).ended == "not_done"


async def test_a_trigger_that_somebody_deleted_is_not_seen_as_stopped() -> None:
    world = scheduled("First")
    assert isinstance(world.factory, MemoryDataFactory)
    plan = await planned(world, "stop_trigger", trigger="First")
    world.factory.trigger_list.clear()
    seen = await effect(world.factory, plan, Receipt(NOW), NOW)
    assert (seen.ended, seen.settled, seen.told) == ("unknown", False, "Trigger First is gone.")


async def test_a_run_that_does_not_show_yet_is_waited_for() -> None:
    world = MemoryWorld()
    plan = await planned(world, "run_pipeline", pipeline=TWO_STEPS)
    seen = await effect(world.factory, plan, Receipt(NOW, guid(77)), NOW)
    assert (seen.ended, seen.settled, seen.run_id) == ("unknown", False, guid(77))


async def test_a_run_that_failed_was_carried_out_and_mended_nothing() -> None:
    world = MemoryWorld()
    plan = await planned(world, "run_pipeline", pipeline=TWO_STEPS)
    seen = await effect(world.factory, plan, Receipt(datetime.now(NOW.tzinfo), guid(1)), NOW)
    assert (seen.ended, seen.settled, seen.status) == ("done", True, "Failed")
    assert "that did not help" in seen.told
