"""What agents propose is bound to whoever asked for it, and to nobody else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.actions.binding import Binder
from orchestrator.foundry.port import Call
from orchestrator.runs.record import Run
from tests.orchestrator.actions.desk import ASK, FACTORY, Afternoon
from tools_worker.datafactory.operations.model import Operation, Plan

PROPOSAL = {"kind": "rerun", "factory": FACTORY, "arguments": {"run_id": "r-1", "mode": "from_failure"}}


def call(proposal: Any = PROPOSAL, number: int = 1, **changes: Any) -> Call:
    output = json.dumps({"ok": True, "summary": "Proposed.", "data": {"proposal": proposal}})
    given = {"kind": "queue", "name": "adf_rerun", "arguments": {}, "output": output, "ended": True, **changes}
    return Call(id=f"call-{number}", **given)


def asked(desk: Afternoon, question: str = "Rerun LoadSales.", allow: bool = True) -> Run:
    return Run("run-1", question, "session-1", desk.now, desk.now + timedelta(minutes=5), allow_actions=allow)


def binder(desk: Afternoon) -> Binder:
    return Binder(desk.proposer, desk.store, desk.clock, lambda action_id: f"https://ops/ui/approvals/{action_id}")


async def test_what_was_asked_for_becomes_an_action_of_the_question() -> None:
    desk = Afternoon()
    bound = await binder(desk).bind(asked(desk), [call()])
    (action_id,) = bound.ids
    action = await desk.store.load(action_id)
    assert (action.run_id, action.session_id, action.requester.agent) == ("run-1", "session-1", True)
    assert (action.state, "agent" in action.requester.callers) == ("queued", True)
    assert bound.text == f"rerun of LoadSales ({action_id}): allowed, being done."


async def test_a_question_that_waits_for_approval_says_so() -> None:
    desk = Afternoon(ASK)
    bound = await binder(desk).bind(asked(desk), [call()])
    (action_id,) = bound.ids
    assert bound.text.startswith(f"rerun of LoadSales: waiting for approval {action_id}, expires 2026-11-21 15:00 UTC.")
    assert f"https://ops/ui/approvals/{action_id}" in bound.text


async def test_a_call_that_is_found_again_is_the_same_action() -> None:
    desk = Afternoon()
    first, second = [await binder(desk).bind(asked(desk), [call()]) for _ in range(2)]
    assert first.ids == second.ids
    await desk.worked()
    assert desk.plant.told == ["rerun"]


@pytest.mark.parametrize(
    ("question", "allow"),
    [("Why did LoadSales fail?", True), ("Rerun LoadSales.", False), ("Rerun LoadStock.", True)],
)
async def test_what_nobody_asked_for_is_told_and_not_done(question: str, allow: bool) -> None:
    desk = Afternoon()
    bound = await binder(desk).bind(asked(desk, question, allow), [call()])
    await desk.worked()
    assert (bound.ids, desk.plant.told, await desk.store.active()) == ((), [], [])
    assert bound.text.startswith("Proposed by the agents, and nothing was done: rerun of LoadSales;")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "adf_diagnose_run"},  # a tool that does not write
        {"name": "adf_unknown"},
        {"kind": "mcp"},
        {"kind": "agent"},
        {"output": "rerun everything"},
        {"output": json.dumps({"ok": False, "data": {"proposal": PROPOSAL}})},
        {"output": json.dumps({"ok": True, "data": {"proposal": {**PROPOSAL, "kind": "delete_factory"}}})},
        {"output": json.dumps({"ok": True, "data": {"proposal": {**PROPOSAL, "arguments": "all"}}})},
        {"output": json.dumps({"ok": True, "data": []})},
        {"output": "[" * 100_000},
        {"output": None},
    ],
)
async def test_what_is_no_proposal_of_a_write_tool_is_none(changes: dict[str, Any]) -> None:
    desk = Afternoon()
    bound = await binder(desk).bind(asked(desk), [call(**changes)])
    assert (bound.ids, bound.text, await desk.store.active()) == ((), "", [])


async def test_a_factory_that_is_not_looked_after_is_told() -> None:
    desk = Afternoon()
    other = {**PROPOSAL, "factory": FACTORY.replace("adf-prod", "adf-other")}
    bound = await binder(desk).bind(asked(desk), [call(other)])
    assert bound.ids == ()
    assert bound.text.startswith("Not proposed: rerun. This app does not look after")


async def test_so_many_and_no_more() -> None:
    desk = Afternoon()
    several = [{**PROPOSAL, "arguments": {"run_id": f"r-{number}"}} for number in range(14)]
    bound = await binder(desk).bind(asked(desk), [call(each, number) for number, each in enumerate(several)])
    assert len(bound.ids) == 10
    assert bound.text.endswith("4 more proposals of the agents: nothing was done about them.")


async def test_the_next_question_of_the_session_hears_what_became_of_it() -> None:
    desk = Afternoon()
    (action_id,) = (await binder(desk).bind(asked(desk), [call()])).ids
    await desk.worked()
    assert await binder(desk).news("session-1") == f"rerun of LoadSales ({action_id}): done. Run new-1 ended Succeeded."
    assert await binder(desk).news("session-2") == ""


async def test_what_a_model_proposes_twice_in_a_turn_is_done_once() -> None:
    desk = Afternoon()
    bound = await binder(desk).bind(asked(desk), [call(number=1), call(number=2)])
    await desk.worked()
    assert (len(bound.ids), desk.plant.told) == (1, ["rerun"])


async def test_another_factory_than_the_one_that_was_asked_about_is_told_and_not_done() -> None:
    desk = Afternoon()
    about = replace(asked(desk), factory="adf-dev")
    bound = await binder(desk).bind(about, [call()])
    assert (bound.ids, await desk.store.active()) == ((), [])
    assert bound.text.endswith("the question was about adf-dev.")
    named = replace(asked(desk), factory="ADF-Prod")
    assert len((await binder(desk).bind(named, [call()])).ids) == 1


@pytest.mark.parametrize(
    ("parameters", "state"),
    [
        ({}, "queued"),
        ({"year": 2024, "region": "EMEA", "full": True}, "queued"),
        ({"year": 20}, "waiting"),
        ({"target": "sales_prod"}, "waiting"),
        ({"years": [2024]}, "waiting"),
    ],
)
async def test_values_that_whoever_asked_did_not_give_are_looked_at_by_a_person(
    parameters: dict[str, Any], state: str
) -> None:
    desk = Afternoon()
    run = {"kind": "run_pipeline", "factory": FACTORY, "arguments": {"pipeline": "LoadSales", "parameters": parameters}}
    question = "Run LoadSales with year 2024, region EMEA and full true."
    (action_id,) = (await binder(desk).bind(asked(desk, question), [call(run)])).ids
    assert (await desk.store.load(action_id)).state == state


def hung(desk: Afternoon, run_id: str) -> Binder:
    """Data Factory says nothing about one of the runs."""
    planned = desk.proposer.plan

    async def plan(factory: Any, operation: Operation, now: datetime) -> Plan:
        if operation.arguments.get("run_id") == run_id:
            await asyncio.Event().wait()
        return await planned(factory, operation, now)

    return replace(binder(desk), proposer=replace(desk.proposer, plan=plan), seconds=0.05)


THREE = [call({**PROPOSAL, "arguments": {"run_id": f"r-{number}"}}, number) for number in (1, 2, 3)]


async def test_what_was_bound_before_the_time_was_up_stays_bound() -> None:
    desk = Afternoon()
    bound = await hung(desk, "r-2").bind(asked(desk), THREE)
    (action_id,) = bound.ids
    first, second = bound.text.splitlines()
    assert first == f"rerun of LoadSales ({action_id}): allowed, being done."
    assert second.startswith("2 more proposals of the agents: there was no time to look.")
    assert [action.id for action in await desk.store.active()] == [action_id]


async def test_what_was_kept_just_before_the_time_was_up_is_told_too() -> None:
    desk = Afternoon()

    async def never(action_id: str, delay_seconds: int) -> None:
        await asyncio.Event().wait()

    cut = replace(binder(desk), proposer=replace(desk.proposer, enqueue=never), seconds=0.05)
    bound = await cut.bind(asked(desk), [call()])
    assert bound.ids == tuple(action.id for action in await desk.store.active())
    assert bound.text == f"rerun of LoadSales ({bound.ids[0]}): allowed, being done."
