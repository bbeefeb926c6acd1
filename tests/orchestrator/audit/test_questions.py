"""What the trail tells of a question: from the end of a run to the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.agents import roster
from orchestrator.agents.lifecycle import Agents
from orchestrator.audit.lines import read
from orchestrator.audit.questions import Questions
from orchestrator.audit.trail import Audit
from orchestrator.foundry.port import Call
from orchestrator.runs.conductor import Conductor
from orchestrator.runs.endings import Endings
from orchestrator.runs.record import Run, Session
from orchestrator.runs.signals import Signals
from orchestrator.stores.runs import MemoryRunStore
from tests.orchestrator.audit.build import TroubledStore
from tests.orchestrator.runs.test_conductor import NOWHERE, WORKING, scripted
from tests.orchestrator.scripted_service import Script, ScriptedService, answered, tool_output

SECRET = "AccountKey=" + "x" * 40
READ = Call("c2", "queue", "adf_failures", {"factory": "adf-dev", "note": SECRET}, tool_output("2 failed."), ended=True)
REFUSED = Call("c3", "queue", "adf_run", {}, '{"ok": false, "code": "not_found"}', ended=True)
BROKEN = Call("c4", "mcp", "docs", {}, error="It broke.", ended=True)
HANGING = Call("c5", "queue", "adf_cost", {})
ASKED = Call("c1", "agent", "status", {"query": "?"}, "2 failed.", ended=True, calls=(READ, REFUSED))


@dataclass(frozen=True)
class Trail:
    audit: Audit
    store: TroubledStore


class World:
    def __init__(self, script: Script, *words: str, **changes: Any) -> None:
        now = datetime.now(UTC)
        store = TroubledStore(*words)
        self.trail = Trail(Audit(store, None, lambda: datetime.now(UTC)), store)
        self.runs, service = MemoryRunStore(), ScriptedService(script)
        agents = Agents(service, roster.supervisor("gpt-test", "http://queues", ""))
        self.endings = Endings(self.runs, None, Questions(self.ready))
        self.conductor = Conductor(self.runs, service, agents, Signals(), lambda: datetime.now(UTC), 0.05, self.endings)
        self.run = replace(Run("run-1", "What failed?", "session-1", now, now + timedelta(seconds=30)), **changes)

    async def ready(self) -> Trail:
        return self.trail

    async def served(self) -> list[dict[str, Any]]:
        await self.runs.open_session(Session(self.run.session_id, self.run.created_at))
        await self.runs.create(self.run)
        await self.conductor.serve("run-1")
        return await self.told()

    async def told(self) -> list[dict[str, Any]]:
        return [dict(read(line).entry) for line in await self.trail.store.lines()]


def fields(entries: Sequence[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(entry[name] for name in names) for entry in entries]


async def test_a_question_and_its_calls_are_in_the_trail() -> None:
    world = World(scripted(WORKING, answered(NOWHERE, "2 failed.", ASKED, BROKEN, HANGING)), factory="adf-prod")
    told = await world.served()
    assert fields(told, "kind", "what", "factory", "outcome") == [
        ("question", "What failed?", "adf-prod", "done"),
        ("tool_call", "adf_failures", "adf-dev", "ok"),
        ("tool_call", "adf_run", "adf-prod", "error: not_found"),
        ("tool_call", "docs", "adf-prod", "error: It broke."),
        ("tool_call", "adf_cost", "adf-prod", "no answer"),
    ]
    assert {entry["subject"] for entry in told} == {"run-1"}
    assert SECRET not in str(told)


async def test_who_asked_is_told_by_channel_and_session() -> None:
    (api,) = await World(scripted(answered(NOWHERE, "None."))).served()
    (teams,) = await World(scripted(answered(NOWHERE, "None.")), session_id="teams-1f").served()
    assert (api["channel"], api["actor"]) == ("api", {"kind": "key", "name": "", "id": "session-1"})
    assert (teams["channel"], teams["actor"]) == ("teams", {"kind": "teams", "name": "", "id": "teams-1f"})


async def test_a_question_that_fails_is_in_the_trail_with_what_was_called() -> None:
    failed = replace(WORKING, status="failed", error_code="server_error", calls=(READ,))
    told = await World(scripted(WORKING, failed)).served()
    assert fields(told, "kind", "outcome") == [("question", "failed: server_error"), ("tool_call", "ok")]


async def test_a_question_that_expires_is_in_the_trail_with_what_was_called() -> None:
    now = datetime.now(UTC)
    world = World(scripted(replace(WORKING, calls=(READ,)), 60.0), deadline_at=now + timedelta(seconds=0.2))
    told = await world.served()
    assert fields(told, "kind", "outcome") == [("question", "expired"), ("tool_call", "ok")]


async def test_a_run_that_is_settled_again_is_not_told_twice() -> None:
    world = World(scripted(answered(NOWHERE, "None.", READ)))
    before = await world.served()
    await world.conductor.serve("run-1")
    assert await world.told() == before


async def test_what_a_dying_process_left_out_is_told_when_the_run_is_settled() -> None:
    world = World(scripted())
    ended = replace(world.run, status="done", ended_at=world.run.created_at)
    await world.runs.create(ended)
    await world.conductor.serve("run-1")
    assert fields(await world.told(), "kind", "outcome") == [("question", "done")]
    assert await world.runs.active() == []


async def test_a_trail_in_trouble_holds_up_no_answer() -> None:
    world = World(scripted(answered(NOWHERE, "None.")), "refuse")
    assert await world.served() == []
    assert (await world.runs.load("run-1")).status == "done"
    assert world.trail.audit.standing.waiting == 1
    await world.trail.audit.close()
