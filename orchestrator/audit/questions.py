"""What the trail tells of a question that has ended: who asked, what the agents did for it, how it ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime

from orchestrator.audit.record import Actor, Entry
from orchestrator.foundry.port import Call
from orchestrator.runs.progress import reply_of
from orchestrator.runs.record import Run
from orchestrator.teams.activity import asked_in_teams

AGENTS = Actor("agent", "agents")


class Questions:
    """`record` is Audit.record."""

    def __init__(self, record: Callable[..., Awaitable[bool]]) -> None:
        self._record = record

    async def note(self, run: Run, calls: Iterable[Call]) -> None:
        """An ended run. May be told again where its process died meanwhile, then without calls."""
        await self._record(*entries(run, calls))


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
