"""What changed between two looks at a turn, told as events: which agent, which tool, what it found, how long."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from orchestrator.foundry.port import Call, Turn
from orchestrator.runs.record import Event

MAX_TEXT = 600


def told(before: Turn | None, now: Turn, agent: str, at: datetime) -> list[Event]:
    """Events for calls that began or ended since `before`. `agent` is the name of the turn's own agent."""
    known = {call.id: call for call in before.all_calls()} if before else {}
    events = []
    for caller, call in _with_callers(now.calls, agent):
        earlier = known.get(call.id)
        if call.ended:
            if earlier is None or not earlier.ended:
                events.append(_ended(call, caller, at))
        elif call.name and call.arguments and not (earlier and earlier.arguments):
            events.append(_begun(call, caller, at))
    return events


def _with_callers(calls: Sequence[Call], agent: str) -> Iterator[tuple[str, Call]]:
    """Each call with the agent that made it; a sub-agent's calls before its own end, as they happened."""
    for call in calls:
        yield from _with_callers(call.calls, call.name)
        yield agent, call


def _begun(call: Call, caller: str, at: datetime) -> Event:
    words = ", ".join(f"{key}={value}" for key, value in call.arguments.items())
    text = str(call.arguments.get("query", words)) if call.kind == "agent" else words
    return Event(at=at, state="waiting_tool", agent=caller, tool=call.name, text=_cut(f"asks: {text}"))


def _ended(call: Call, caller: str, at: datetime) -> Event:
    if call.kind == "agent" and call.calls and not call.error:  # its tools have told what there is to tell
        return Event(at=at, state="working", agent=caller, tool=call.name, text="answered.")
    reply = reply_of(call)
    found = reply.get("summary") or reply.get("error") or call.error or call.output or "no answer"
    seconds = reply.get("seconds")
    took = float(seconds) if isinstance(seconds, int | float) else None
    return Event(at=at, state="working", agent=caller, tool=call.name, text=_cut(str(found)), seconds=took)


def reply_of(call: Call) -> dict[str, Any]:
    """The tool's reply as an object; empty where the output is plain text."""
    try:
        reply = json.loads(call.output or "")
    except (ValueError, RecursionError):  # the second: nested without end
        return {}
    return reply if isinstance(reply, dict) else {}


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
