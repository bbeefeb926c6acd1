"""Windows that failed, and runs with children, in the stand-in's own world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from tests.tools_worker.datafactory.operations.worlds import MemoryWorld, StandInWorld, World, planned, stand_in
from tools_worker.datafactory.models import FactoryId, TriggerRun
from tools_worker.datafactory.operations.following import effect
from tools_worker.datafactory.operations.model import Receipt
from tools_worker.datafactory.operations.read_back import SETTLES, read_back
from tools_worker.datafactory.operations.sending import OutcomeUnknown, send

pytestmark = pytest.mark.contract
RETAIL = FactoryId("00000000-0000-0000-0000-000000000001", "rg-retail", "adf-retail")
WINDOWS = "StockWindows"


@pytest.fixture(scope="module")
def retail_url() -> Iterator[str]:
    with stand_in("--scenario", "operations") as address:
        yield address


@pytest.fixture(scope="module")
def prod_url() -> Iterator[str]:
    with stand_in() as address:
        yield address


@pytest.fixture(params=["memory", "sdk-against-localcloud"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    subject = StandInWorld(request.getfixturevalue("retail_url"), RETAIL)
    await subject.reset()
    yield subject
    await subject.close()


async def failed_window(world: World) -> TriggerRun:
    since = await world.now() - timedelta(days=14)
    return (await world.factory.trigger_runs(since, trigger=WINDOWS, status="Failed")).items[0]


async def test_a_failed_window_is_run_again_and_followed_to_its_end(world: World) -> None:
    old = await failed_window(world)
    plan = await planned(world, "rerun_window", trigger=WINDOWS.upper(), trigger_run_id=old.id)
    assert plan.refusal == ""
    receipt = await send(world.operations, plan, await world.now())
    going = await effect(world.factory, plan, receipt, await world.now())
    assert (going.ended, going.settled) == ("unknown", False)
    assert going.run_id not in ("", *old.pipelines.values())
    await world.pass_(7200)
    ended = await effect(world.factory, plan, receipt, await world.now())
    assert (ended.ended, ended.settled, ended.run_id) == ("done", True, going.run_id)
    again = await planned(world, "rerun_window", trigger=WINDOWS, trigger_run_id=old.id)
    assert again.refusal


@pytest.mark.parametrize("came", [True, False])
async def test_a_window_whose_answer_was_lost_is_looked_up(world: World, came: bool) -> None:
    old = await failed_window(world)
    plan = await planned(world, "rerun_window", trigger=WINDOWS, trigger_run_id=old.id)
    await world.lose("lost_after" if came else "lost_before", "trigger_runs_rerun")
    since = await world.now()
    with pytest.raises(OutcomeUnknown):
        await send(world.operations, plan, since)
    seen = await read_back(world.factory, plan, since, since + SETTLES)
    assert seen.ended == ("done" if came else "not_done")
    assert await world.sent("trigger_runs_rerun") == 1


@pytest.fixture
async def prod(prod_url: str) -> AsyncIterator[StandInWorld]:
    subject = StandInWorld(prod_url)
    await subject.reset()
    yield subject
    await subject.close()


async def test_a_run_is_cancelled_with_all_that_it_called(prod: StandInWorld) -> None:
    begun = await send(prod.operations, await planned(prod, "run_pipeline", pipeline="NightlyMaster"), await prod.now())
    await prod.pass_(120)
    plan = await planned(prod, "cancel", run_id=begun.id)
    assert any(effect.startswith("Cancelled with it: run ") for effect in plan.effects)
    receipt = await send(prod.operations, plan, await prod.now())
    seen = await effect(prod.factory, plan, receipt, await prod.now())
    assert (seen.ended, seen.settled) == ("done", True)
    since = await prod.now() - timedelta(minutes=10)
    going = await prod.factory.fresh().pipeline_runs(since, status=["InProgress", "Queued"])
    assert not [run for run in going if run.pipeline == "LoadWarehouse"]


async def test_a_child_that_goes_on_is_not_a_cancellation_done(prod: StandInWorld) -> None:
    begun = await send(prod.operations, await planned(prod, "run_pipeline", pipeline="NightlyMaster"), await prod.now())
    await prod.pass_(120)
    plan = await planned(prod, "cancel", run_id=begun.id)
    await prod.operations.cancel_run(prod.factory.id, begun.id, recursive=False)
    seen = await read_back(prod.factory, plan, await prod.now(), await prod.now())
    follows = await effect(prod.factory, plan, Receipt(await prod.now()), await prod.now())
    assert (follows.ended, follows.settled) == ("unknown", False)
    assert "these still go on" in follows.told
    assert seen.ended == "done"  # the request came: it is to be followed


async def test_only_what_failed_runs_again(prod: StandInWorld) -> None:
    since = await prod.now() - timedelta(days=2)
    old = (await prod.factory.pipeline_runs(since, pipeline="CopyErpOrders", status="Failed", limit=1)).items[0]
    plan = await planned(prod, "rerun", run_id=old.run_id, mode="from_failure")
    receipt = await send(prod.operations, plan, await prod.now())
    await prod.pass_(3600)
    ran = {each.name for each in await prod.factory.activity_runs(await prod.factory.fresh().pipeline_run(receipt.id))}
    told = next(effect for effect in plan.effects if effect.startswith("It runs "))
    assert ran
    assert all(name in told for name in ran)
    seen = await effect(prod.factory, plan, receipt, await prod.now())
    assert (seen.ended, seen.status) == ("done", "Failed")
    assert "that did not help" in seen.told
