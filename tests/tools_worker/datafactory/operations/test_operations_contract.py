"""What every operation promises from plan to effect, in memory and behind the real client against the stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from tests.tools_worker.datafactory.operations.worlds import (
    HOURLY,
    LOAD,
    SHARED,
    TWO_STEPS,
    MemoryWorld,
    StandInWorld,
    World,
    planned,
    stand_in,
)
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.operations.following import effect
from tools_worker.datafactory.operations.model import Plan
from tools_worker.datafactory.operations.read_back import SETTLES, read_back
from tools_worker.datafactory.operations.sending import NotSent, OutcomeUnknown, send

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with stand_in() as address:
        yield address


@pytest.fixture(params=["memory", "sdk-against-localcloud"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    subject = StandInWorld(request.getfixturevalue("url"))
    await subject.reset()
    yield subject
    await subject.close()


async def failed_run(world: World, pipeline: str = LOAD) -> PipelineRun:
    since = await world.now() - timedelta(days=3)
    return (await world.factory.pipeline_runs(since, pipeline=pipeline, status="Failed", limit=5)).items[0]


async def state_of(world: World, trigger: str) -> str:
    return next(each.state for each in await world.factory.fresh().triggers() if each.name == trigger)


async def started(world: World) -> Plan:
    """A run by hand that goes on; the plan to cancel it."""
    begun = await send(world.operations, await planned(world, "run_pipeline", pipeline=TWO_STEPS), await world.now())
    return await planned(world, "cancel", run_id=begun.id)


async def test_a_rerun_is_a_new_run_in_the_group_of_the_failed_one(world: World) -> None:
    old = await failed_run(world)
    receipt = await send(world.operations, await planned(world, "rerun", run_id=old.run_id), await world.now())
    new = await world.factory.fresh().pipeline_run(receipt.id)
    assert new.run_id != old.run_id
    assert (new.pipeline, new.group_id) == (LOAD, old.group_id)


async def test_a_rerun_is_followed_until_it_has_ended(world: World) -> None:
    plan = await planned(world, "rerun", run_id=(await failed_run(world)).run_id)
    receipt = await send(world.operations, plan, await world.now())
    going = await effect(world.factory, plan, receipt, await world.now())
    assert (going.ended, going.settled, going.run_id) == ("unknown", False, receipt.id)
    await world.pass_(3 * 3600)
    ended = await effect(world.factory, plan, receipt, await world.now())
    assert (ended.ended, ended.settled, ended.run_id) == ("done", True, receipt.id)
    assert ended.status == (await world.factory.fresh().pipeline_run(receipt.id)).status


async def test_what_was_rerun_is_not_rerun_again(world: World) -> None:
    old = await failed_run(world)
    before = await planned(world, "rerun", run_id=old.run_id)
    receipt = await send(world.operations, before, await world.now())
    after = await planned(world, "rerun", run_id=old.run_id)
    assert "was rerun at" in after.refusal
    assert receipt.id in after.refusal
    assert after.digest != before.digest


async def test_the_same_operation_on_the_same_state_has_the_same_digest(world: World) -> None:
    first = await planned(world, "rerun", run_id=(await failed_run(world)).run_id)
    again = await planned(world, "rerun", **first.operation.arguments)
    assert again.digest == first.digest
    assert again.operation == first.operation


async def test_a_run_by_hand_is_started_by_nobody_else(world: World) -> None:
    receipt = await send(world.operations, await planned(world, "run_pipeline", pipeline="synccrm"), await world.now())
    run = await world.factory.fresh().pipeline_run(receipt.id)
    assert (run.pipeline, run.invoked_by.name) == (TWO_STEPS, "Manual")


async def test_a_cancelled_run_is_seen_as_cancelled(world: World) -> None:
    plan = await started(world)
    receipt = await send(world.operations, plan, await world.now())
    seen = await effect(world.factory, plan, receipt, await world.now())
    assert (seen.ended, seen.settled, seen.status) == ("done", True, "Cancelled")


async def test_a_run_that_ended_before_it_could_be_cancelled_was_not(world: World) -> None:
    plan = await started(world)
    await world.pass_(3 * 3600)
    with pytest.raises(NotSent, match="is not running and cannot be cancelled"):
        await send(world.operations, plan, await world.now())
    seen = await read_back(world.factory, plan, await world.now(), await world.now())
    assert (seen.ended, seen.settled) == ("not_done", True)
    assert "before it could be cancelled" in seen.told


async def test_a_trigger_is_stopped_and_started_again(world: World) -> None:
    stop = await planned(world, "stop_trigger", trigger=HOURLY.lower())
    receipt = await send(world.operations, stop, await world.now())
    assert (await effect(world.factory, stop, receipt, await world.now())).ended == "done"
    assert await state_of(world, HOURLY) == "Stopped"
    await world.pass_(5)
    start = await planned(world, "start_trigger", trigger=HOURLY)
    receipt = await send(world.operations, start, await world.now())
    assert (await effect(world.factory, start, receipt, await world.now())).status == "Started"


async def test_a_pause_stops_every_schedule_and_its_end_starts_those_again(world: World) -> None:
    pause = await planned(world, "pause_schedule", pipeline="LoadCustomers", minutes=60)
    receipt = await send(world.operations, pause, await world.now())
    assert receipt.others == (SHARED,)
    assert (await effect(world.factory, pause, receipt, await world.now())).ended == "done"
    await world.pass_(5)
    resume = await planned(world, "resume_schedule", pipeline="LoadCustomers", triggers=list(receipt.others))
    assert resume.refusal == ""
    await send(world.operations, resume, await world.now())
    assert await state_of(world, SHARED) == "Started"


async def test_a_rerun_whose_answer_was_lost_is_found_and_was_sent_once(world: World) -> None:
    plan = await planned(world, "rerun", run_id=(await failed_run(world)).run_id)
    await world.lose("lost_after", "pipelines_create_run")
    since = await world.now()
    with pytest.raises(OutcomeUnknown):
        await send(world.operations, plan, since)
    seen = await read_back(world.factory, plan, since, await world.now())
    assert (seen.ended, seen.settled) == ("done", False)
    assert (await world.factory.fresh().pipeline_run(seen.run_id)).group_id == (await failed_run(world)).group_id
    assert await world.sent("pipelines_create_run") == 1


async def test_a_rerun_that_never_came_is_not_done_but_not_before_it_could_have_come(world: World) -> None:
    plan = await planned(world, "rerun", run_id=(await failed_run(world)).run_id)
    await world.lose("lost_before", "pipelines_create_run")
    since = await world.now()
    with pytest.raises(OutcomeUnknown):
        await send(world.operations, plan, since)
    early = await read_back(world.factory, plan, since, since + SETTLES / 2)
    assert (early.ended, early.settled) == ("unknown", False)
    late = await read_back(world.factory, plan, since, since + SETTLES)
    assert (late.ended, late.settled) == ("not_done", True)
    assert await world.sent("pipelines_create_run") == 1


async def test_a_run_by_hand_whose_answer_was_lost_is_found_among_others(world: World) -> None:
    await send(world.operations, await planned(world, "run_pipeline", pipeline=TWO_STEPS), await world.now())
    plan = await planned(world, "run_pipeline", pipeline=TWO_STEPS)
    await world.lose("lost_after", "pipelines_create_run")
    since = await world.now()
    with pytest.raises(OutcomeUnknown):
        await send(world.operations, plan, since)
    seen = await read_back(world.factory, plan, since, await world.now())
    assert seen.ended == "done"
    assert seen.run_id not in plan.seen


async def test_of_two_that_it_may_have_been_none_is_called_its_own(world: World) -> None:
    plan = await planned(world, "run_pipeline", pipeline=TWO_STEPS)
    since = await world.now()
    both = [await send(world.operations, plan, since) for _ in range(2)]
    seen = await read_back(world.factory, plan, since, await world.now())
    assert (seen.ended, seen.settled, seen.run_id) == ("unknown", True, "")
    assert all(receipt.id in seen.told for receipt in both)


@pytest.mark.parametrize("loss", ["lost_before", "lost_after"])
async def test_a_lost_answer_to_a_stopped_trigger_is_read_from_its_state(world: World, loss: str) -> None:
    plan = await planned(world, "stop_trigger", trigger=HOURLY)
    assert await world.factory.triggers()  # an answer that is kept, and old by the time it is read back
    await world.lose("lost_after" if loss == "lost_after" else "lost_before", "triggers_stop")
    since = await world.now()
    with pytest.raises(OutcomeUnknown):
        await send(world.operations, plan, since)
    seen = await read_back(world.factory, plan, since, since + SETTLES)
    assert seen.ended == ("done" if loss == "lost_after" else "not_done")
    assert await world.sent("triggers_stop") == 1


@pytest.mark.parametrize("loss", ["lost_before", "lost_after"])
async def test_a_lost_answer_to_a_cancellation_is_read_from_the_run(world: World, loss: str) -> None:
    plan = await started(world)
    await world.lose("lost_after" if loss == "lost_after" else "lost_before", "pipeline_runs_cancel")
    since = await world.now()
    with pytest.raises(OutcomeUnknown):
        await send(world.operations, plan, since)
    assert (await read_back(world.factory, plan, since, since)).settled == (loss == "lost_after")
    late = await read_back(world.factory, plan, since, since + SETTLES)
    assert late.ended == ("done" if loss == "lost_after" else "not_done")
