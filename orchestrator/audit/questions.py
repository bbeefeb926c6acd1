"""What the trail tells of a question that has ended: who asked, what the agents did for it, how it ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.audit.record import Actor, Entry
from orchestrator.audit.trail import Audit
from orchestrator.foundry.port import Call
from orchestrator.runs.progress import reply_of
from orchestrator.runs.record import Run
from orchestrator.stores.audit import AuditStore, Wanted
from orchestrator.teams.activity import asked_in_teams

AROUND = timedelta(days=1)  # clocks differ, and the day of a chain is that of its process
AGENTS = Actor("agent", "agents")


class Trail(Protocol):
    """What of AuditServices is needed here."""

    @property
    def audit(self) -> Audit: ...

    @property
    def store(self) -> AuditStore: ...


class Questions:
    """See orchestrator.runs.endings.Ledger. `trail` is asked for when it is needed, for it belongs to an event loop."""

    def __init__(self, trail: Callable[[], Awaitable[Trail]]) -> None:
        self._trail = trail

    async def note(self, run: Run, calls: Iterable[Call]) -> None:
        await (await self._trail()).audit.record(*entries(run, calls))

    async def noted(self, run: Run) -> bool:
        wanted = Wanted(equal={"kind": "question", "subject": run.id})
        first, end = run.created_at - AROUND, (run.ended_at or run.deadline_at) + AROUND
        store = (await self._trail()).store
        return bool(await store.search(f"{first:%Y%m%d}", f"{end:%Y%m%d}~", wanted, 1))


def entries(run: Run, calls: Iterable[Call]) -> Iterator[Entry]:
    ended = run.ended_at or run.deadline_at
    channel = "teams" if asked_in_teams(run) else "api"
    yield Entry(
        at=run.created_at,
        kind="question",
        actor=Actor("teams" if channel == "teams" else "key", id=run.session_id),
        what=run.question,
        subject=run.id,
        factory=run.factory,
        channel=channel,
        outcome=_outcome(run),
    )
    for call in calls:
        if call.kind != "agent":  # one agent asking another is no deed; what that one does stands behind
            yield _of_call(call, run, channel, ended)


def _of_call(call: Call, run: Run, channel: str, at: datetime) -> Entry:
    return Entry(
        at=at,
        kind="tool_call",
        actor=AGENTS,
        what=call.name or call.kind,
        subject=run.id,
        factory=str(call.arguments.get("factory") or run.factory),
        channel=channel,
        arguments=call.arguments,
        outcome=_answer(call),
    )


def _outcome(run: Run) -> str:
    return f"{run.status}: {run.error_code}" if run.error_code and run.error_code != run.status else run.status


def _answer(call: Call) -> str:
    """Which sort of answer it got; the answer itself is in the record of the run."""
    reply = reply_of(call)
    if call.error:
        return f"error: {call.error}"
    if reply.get("ok") is False:
        return f"error: {reply.get('code') or 'unknown'}"
    return "ok" if call.ended else "no answer"
