"""A hand-written agent service for tests: it does what its script says, and remembers what was asked of it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

from core.errors import NotFound
from orchestrator.foundry.port import AgentRecord, AgentRef, AgentSpec, Call, Turn, TurnRef, Usage

Script = Callable[[TurnRef, str], AsyncIterator[Turn]]


def tool_output(summary: str, *run_ids: str) -> str:
    evidence = [{"kind": "pipeline_run", "id": run_id, "factory": "adf-prod"} for run_id in run_ids]
    return json.dumps({"ok": True, "summary": summary, "data": {}, "evidence": evidence, "seconds": 0.2})


def answered(ref: TurnRef, text: str, *calls: Call) -> Turn:
    return Turn(ref, "done", text, calls, Usage(10, 5))


async def answer_at_once(ref: TurnRef, text: str) -> AsyncIterator[Turn]:
    yield Turn(ref, "working")
    yield answered(ref, f"Answer to: {text}")


class ScriptedService:
    """`turns` maps a key to the turn started for it: a second start of one key shows in `starts`."""

    def __init__(self, script: Script = answer_at_once) -> None:
        self.script = script
        self.known: dict[str, AgentRecord] = {}
        self.opened: dict[str, str] = {}
        self.turns: dict[str, TurnRef] = {}
        self.starts: list[str] = []
        self.cancelled: list[TurnRef] = []
        self.troubles: list[Exception] = []  # raised instead of cancelling, once each
        self.rejected: list[TurnRef] = []
        self.specs: list[str] = []
        self.created_at: Callable[[], datetime] = lambda: datetime(2026, 11, 1, tzinfo=UTC)
        self._ids = itertools.count(1)

    async def agents(self) -> list[AgentRecord]:
        await asyncio.sleep(0)
        return list(reversed(self.known.values()))

    async def create_agent(self, spec: AgentSpec, sub_agents: Mapping[str, AgentRef]) -> AgentRef:
        ref = AgentRef(f"asst_{next(self._ids)}", spec.name, spec.fingerprint([r.id for r in sub_agents.values()]))
        await asyncio.sleep(0)
        self.known[ref.id] = AgentRecord(ref, self.created_at())
        self.specs.append(spec.name)
        return ref

    async def delete_agent(self, agent_id: str) -> None:
        self.known.pop(agent_id, None)

    async def open_conversation(self, key: str) -> str:
        conversation = f"thread_{next(self._ids)}"
        self.opened[conversation] = key
        return conversation

    async def conversations(self, since: datetime, until: datetime) -> list[tuple[str, str]]:
        return list(self.opened.items())

    async def forget_conversation(self, conversation: str) -> None:
        self.opened.pop(conversation, None)

    async def follow(
        self, agent: AgentRef, conversation: str, text: str, key: str, *, resume: bool = False
    ) -> AsyncGenerator[Turn, None]:
        if agent.id not in self.known:
            raise NotFound("No assistant found.")
        if conversation not in self.opened:
            raise NotFound("No thread found.")
        if not (resume and key in self.turns):
            self.starts.append(key)
            self.turns[key] = TurnRef(conversation, f"run_{next(self._ids)}")
        async for turn in self.script(self.turns[key], text):
            yield turn

    async def find(self, conversation: str, key: str) -> TurnRef | None:
        ref = self.turns.get(key)
        return ref if ref and ref.conversation == conversation else None

    async def reject(self, turn: TurnRef) -> None:
        self.rejected.append(turn)

    async def cancel(self, turn: TurnRef) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.cancelled.append(turn)

    async def close(self) -> None: ...
