"""A run is served once, to an end, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import NotFound, UpstreamThrottled, UpstreamUnavailable
from orchestrator.actions.binding import Binder
from orchestrator.agents import roster
from orchestrator.agents.lifecycle import Agents
from orchestrator.api.views import RunView
from orchestrator.foundry.classic_errors import ConversationBusy
from orchestrator.foundry.port import Call, Turn, TurnRef
from orchestrator.runs import stopping
from orchestrator.runs.conductor import Conductor
from orchestrator.runs.record import Run, Session
from orchestrator.runs.signals import Signals
from orchestrator.stores.runs import MemoryRunStore
from tests.orchestrator.actions.desk import FACTORY, Afternoon
from tests.orchestrator.scripted_service import Script, ScriptedService, answer_at_once, answered, tool_output
from tools_worker.datafactory.operations.model import Operation, Plan

RUN_ID = "0f9c4a35-94c7-4f0e-b9d9-0a1f1d6f2c11"


class World:
    """A store, a scripted service and a conductor, with one question in it."""

    def __init__(self, script: Script = answer_at_once, *, deadline_seconds: float = 30) -> None:
        self.store = MemoryRunStore()
        self.service = ScriptedService(script)
        self.deadline_seconds = deadline_seconds
        self.conductor = self.process()

    def process(self, heartbeat_seconds: float = 0.05) -> Conductor:
        """Another process of the app, over the same store and service."""
        agents = Agents(self.service, roster.supervisor("gpt-test", "http://queues", ""))
        return Conductor(self.store, self.service, agents, Signals(), lambda: datetime.now(UTC), heartbeat_seconds)

    async def question(self, text: str = "Why did LoadSales fail?", **changes: Any) -> Run:
        now = datetime.now(UTC)
        await self.store.open_session(Session("session-1", now))
        run = Run("run-1", text, "session-1", now, now + timedelta(seconds=self.deadline_seconds))
        return await self.store.create(replace(run, **changes))

    async def served(self) -> Run:
        await self.question()
        await self.conductor.serve("run-1")
        return await self.store.load("run-1")


def scripted(*steps: Turn | Exception | float) -> Script:
    """Turns to yield, errors to raise, seconds to wait. The turns' refs are set to the real one."""

    async def script(ref: TurnRef, text: str) -> AsyncIterator[Turn]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Turn):
                yield replace(step, ref=ref)
            else:
                await asyncio.sleep(step)

    return script


NOWHERE = TurnRef("", "")
WORKING = Turn(NOWHERE, "working")


async def test_ends_with_the_answer_its_tokens_and_its_evidence() -> None:
    call = Call("call_1", "queue", "adf_failures", {"hours": 24}, tool_output("2 failed.", RUN_ID), ended=True)
    run = await World(scripted(WORKING, answered(NOWHERE, f"LoadSales failed: {RUN_ID}", call))).served()
    assert (run.status, run.answer, run.answered_by) == ("done", f"LoadSales failed: {RUN_ID}", "gpt-test")
    assert [item["id"] for item in run.evidence] == [RUN_ID]
    assert (run.input_tokens, run.output_tokens, run.tool_calls) == (10, 5, 1)
    assert run.unsupported == ()


async def test_an_id_that_no_tool_returned_is_reported_as_unsupported() -> None:
    run = await World(scripted(answered(NOWHERE, f"See run {RUN_ID}."))).served()
    assert run.unsupported == (RUN_ID,)


async def test_tells_what_each_agent_asked_and_found() -> None:
    found = Call("call_2", "queue", "adf_failures", {"hours": 24}, tool_output("2 runs failed."), ended=True)
    asked = Call("call_1", "agent", "pipeline_status", {"query": "what failed?"})
    ended = replace(asked, output="2 runs failed.", ended=True, calls=(found,))
    world = World(scripted(replace(WORKING, calls=(asked,)), answered(NOWHERE, "2 runs failed.", ended)))
    await world.served()
    told = [(e.agent, e.tool, e.text, e.seconds) for e in await world.store.events("run-1") if e.tool]
    assert told == [
        ("ops_supervisor", "pipeline_status", "asks: what failed?", None),
        ("pipeline_status", "adf_failures", "2 runs failed.", 0.2),
        ("ops_supervisor", "pipeline_status", "answered.", None),
    ]


async def test_ends_as_failed_with_the_services_words() -> None:
    failed = replace(WORKING, status="failed", error_code="server_error", error="Sorry, something went wrong.")
    run = await World(scripted(WORKING, failed)).served()
    assert (run.status, run.error_code, run.error) == ("failed", "server_error", "Sorry, something went wrong.")


async def test_an_answer_has_the_actions_that_were_bound_before_the_time_for_it_was_up() -> None:
    desk = Afternoon()

    async def plan(factory: Any, operation: Operation, now: datetime) -> Plan:
        if operation.arguments["run_id"] == "r-2":
            await asyncio.Event().wait()
        return await desk.plant.plan(factory, operation, now)

    def proposing(run_id: str) -> Call:
        proposal = {"kind": "rerun", "factory": FACTORY, "arguments": {"run_id": run_id}}
        output = json.dumps({"ok": True, "summary": "Proposed.", "data": {"proposal": proposal}})
        return Call(run_id, "queue", "adf_rerun", {}, output, ended=True)

    world = World(scripted(answered(NOWHERE, "Both are to run again.", proposing("r-1"), proposing("r-2"))))
    world.conductor.binder = Binder(replace(desk.proposer, plan=plan), desk.store, desk.clock, seconds=0.05)
    await world.question("Rerun LoadSales.", allow_actions=True)
    await world.conductor.serve("run-1")
    run = await world.store.load("run-1")
    assert (run.status, run.actions) == ("done", tuple(action.id for action in await desk.store.active()))
    assert len(run.actions) == 1
    assert f"rerun of LoadSales ({run.actions[0]}): allowed, being done.\n1 more proposal" in (run.answer or "")


async def test_an_empty_answer_is_a_failure() -> None:
    assert (await World(scripted(answered(NOWHERE, " "))).served()).error_code == "empty_answer"


async def test_ends_as_failed_when_the_service_cannot_be_reached() -> None:
    run = await World(scripted(UpstreamUnavailable("The agent service cannot be reached."))).served()
    assert (run.status, run.error_code) == ("failed", "upstream_unavailable")


async def test_expires_at_its_deadline_and_cancels_the_agents() -> None:
    world = World(scripted(WORKING, 60.0), deadline_seconds=0.3)
    run = await world.served()
    assert run.status == "expired"
    assert world.service.cancelled == [world.service.turns["run-1"]]
    assert await world.store.active() == []


async def test_a_service_that_does_not_even_cancel_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(turn: TurnRef) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(stopping, "STOP_SECONDS", 0.05)
    world = World(scripted(WORKING, 60.0), deadline_seconds=0.2)
    monkeypatch.setattr(world.service, "cancel", hang)
    assert (await world.served()).status == "expired"
    assert await world.store.active() == ["run-1"]  # so that the sweeper stops them later


async def test_cancels_on_request() -> None:
    world = World(scripted(WORKING, 60.0))
    await world.question()
    serving = asyncio.create_task(world.conductor.serve("run-1"))
    while (await world.store.load("run-1")).agent_run == "":
        await asyncio.sleep(0.01)
    await world.store.request_cancel("run-1")
    await serving
    assert (await world.store.load("run-1")).status == "cancelled"
    assert world.service.cancelled == [world.service.turns["run-1"]]


@pytest.mark.parametrize("looks_needed", [1, 3])
async def test_a_start_without_an_answer_yet_is_found_and_cancelled(
    looks_needed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "LOOKS_SECONDS", (0.0, 0.01, 0.01))
    world = World(scripted(60.0))
    looks = 0

    async def shown_late(conversation: str, key: str) -> TurnRef | None:
        nonlocal looks
        looks += 1
        return world.service.turns[key] if looks == looks_needed else None

    monkeypatch.setattr(world.service, "find", shown_late)
    await world.question()
    serving = asyncio.create_task(world.conductor.serve("run-1"))
    while not world.service.starts:
        await asyncio.sleep(0.01)
    await world.store.request_cancel("run-1")
    await serving
    run = await world.store.load("run-1")
    assert (run.status, run.agent_run) == ("cancelled", "")
    assert world.service.cancelled == [world.service.turns["run-1"]]


async def test_a_second_delivery_does_not_serve_a_run_that_is_served() -> None:
    world = World(scripted(WORKING, 0.3, answered(NOWHERE, "Done.")))
    await world.question()
    await asyncio.gather(world.conductor.serve("run-1"), world.process().serve("run-1"))
    assert world.service.starts == ["run-1"]
    assert (await world.store.load("run-1")).attempt == 1


async def test_another_process_adopts_the_agent_run_of_one_that_died() -> None:
    world = World(scripted(WORKING, 60.0))
    await world.question()
    dying = asyncio.create_task(world.conductor.serve("run-1"))
    while (await world.store.load("run-1")).agent_run == "":
        await asyncio.sleep(0.01)
    dying.cancel()  # what the record shows is the same as after a kill: an owner, and no heartbeat any more
    await asyncio.gather(dying, return_exceptions=True)
    await asyncio.sleep(0.3)
    world.service.script = scripted(answered(NOWHERE, "Done."))
    await world.process().serve("run-1")
    run = await world.store.load("run-1")
    assert (run.status, run.answer, run.attempt) == ("done", "Done.", 2)
    assert world.service.starts == ["run-1"]


async def test_who_was_taken_over_writes_nothing_more() -> None:
    world = World(scripted(WORKING, 0.4, answered(NOWHERE, "From the first.")))
    await world.question()
    first = asyncio.create_task(world.conductor.serve("run-1"))
    while (await world.store.load("run-1")).agent_run == "":
        await asyncio.sleep(0.01)
    stolen = await world.store.load("run-1")
    await world.store.save(replace(stolen, owner="somebody else"))
    await first
    assert (await world.store.load("run-1")).status != "done"


async def test_waits_while_another_question_of_the_session_is_answered() -> None:
    tries = iter([ConversationBusy("busy"), None])

    async def script(ref: TurnRef, text: str) -> AsyncIterator[Turn]:
        if error := next(tries):
            raise error
        yield answered(ref, "Done.")

    assert (await World(script).served()).status == "done"


async def test_waits_as_long_as_a_throttling_service_says() -> None:
    tries = iter([UpstreamThrottled("slow down", retry_after_seconds=0.01), None])

    async def script(ref: TurnRef, text: str) -> AsyncIterator[Turn]:
        if error := next(tries):
            raise error
        yield answered(ref, "Done.")

    assert (await World(script).served()).status == "done"


async def test_makes_agents_anew_that_somebody_deleted() -> None:
    world = World()
    await world.conductor.agents.supervisor()
    world.service.known.clear()
    assert (await world.served()).status == "done"


async def test_opens_a_new_thread_when_the_sessions_was_deleted() -> None:
    world = World()
    await world.served()
    world.service.opened.clear()
    now = datetime.now(UTC)
    await world.store.create(Run("run-2", "And why?", "session-1", now, now + timedelta(seconds=5)))
    await world.conductor.serve("run-2")
    assert (await world.store.load("run-2")).status == "done"


async def test_questions_of_one_session_share_a_thread() -> None:
    world = World()
    await world.served()
    now = datetime.now(UTC)
    await world.store.create(Run("run-2", "And why?", "session-1", now, now + timedelta(seconds=5)))
    await world.conductor.serve("run-2")
    assert len({turn.conversation for turn in world.service.turns.values()}) == 1


async def test_an_approval_nobody_can_give_is_refused_once() -> None:
    wants = replace(WORKING, status="needs_approval")
    world = World(scripted(wants, wants, answered(NOWHERE, "Done.")))
    await world.served()
    assert len(world.service.rejected) == 1


@pytest.mark.parametrize("status", ["cancelled", "expired"])
async def test_an_agent_run_that_ends_otherwise_ends_the_run(status: str) -> None:
    run = await World(scripted(replace(WORKING, status=status))).served()  # type: ignore[arg-type]
    assert run.status == status
    assert run.error


async def test_names_the_factory_the_caller_chose() -> None:
    world = World()
    await world.question("What failed?", factory="adf-dev")
    await world.conductor.serve("run-1")
    assert "adf-dev" in (await world.store.load("run-1")).answer


async def test_an_ended_run_is_not_served_again() -> None:
    world = World()
    await world.served()
    await world.conductor.serve("run-1")
    assert world.service.starts == ["run-1"]


def in_turn(*tries: tuple[Turn | Exception | float, ...]) -> Script:
    """One script for each time the turn is followed; the last one is repeated."""
    followed = 0

    async def script(ref: TurnRef, text: str) -> AsyncIterator[Turn]:
        nonlocal followed
        steps = tries[min(followed, len(tries) - 1)]
        followed += 1
        async for turn in scripted(*steps)(ref, text):
            yield turn

    return script


@pytest.mark.parametrize("interrupted", [UpstreamThrottled("429", retry_after_seconds=0.01), NotFound("gone")])
async def test_a_turn_that_was_started_is_found_again_and_not_started_twice(interrupted: Exception) -> None:
    world = World(in_turn((WORKING, interrupted), (WORKING, answered(NOWHERE, "Here."))))
    run = await world.served()
    assert (run.status, run.answer) == ("done", "Here.")
    assert world.service.starts == ["run-1"]


async def test_a_new_conversation_is_opened_once() -> None:
    busy = (UpstreamThrottled("429", retry_after_seconds=0.01),)
    world = World(in_turn((NotFound("gone"),), (NotFound("gone"),), busy, busy, busy, (answered(NOWHERE, "Here."),)))
    assert (await world.served()).status == "done"
    assert len(world.service.opened) == 2


async def test_a_run_that_fails_on_our_side_leaves_no_agents_at_work() -> None:
    world = World(scripted(WORKING, UpstreamUnavailable("Storage does not answer.")))
    assert (await world.served()).status == "failed"
    assert world.service.cancelled == [world.service.turns["run-1"]]


@pytest.mark.parametrize(
    "output", ['{"evidence": 3}', '{"evidence": [{"id": "abc"}, 7, {"kind": "k"}]}', '{"evidence": {}}', "[" * 200_000]
)
async def test_what_a_tool_says_in_another_shape_breaks_no_run(output: str) -> None:
    call = Call("call_1", "queue", "adf_failures", {}, output, ended=True)
    run = await World(scripted(WORKING, answered(NOWHERE, "Here.", call))).served()
    assert (run.status, run.evidence) == ("done", ())
    RunView.of(run)


async def test_only_our_tools_give_evidence() -> None:
    said = tool_output("2 failed.", RUN_ID)
    calls = [Call("c1", "agent", "helper", {}, said, ended=True), Call("c2", "mcp", "docs", {}, said, ended=True)]
    assert (await World(scripted(answered(NOWHERE, "Here.", *calls))).served()).evidence == ()
