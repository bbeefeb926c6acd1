"""The store of runs, their events and sessions, as a port; and its in-memory twin."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from core.errors import NotFound
from orchestrator.runs.record import Event, Run, Session
from orchestrator.stores.rows import Changed, Exists

MAX_EVENTS = 90  # in one write: a transaction of Table storage holds 100 rows


class RunStore(Protocol):
    """Raises UpstreamUnavailable when storage does not answer."""

    async def create(self, run: Run, *events: Event) -> Run:
        """Raises Exists."""

    async def load(self, run_id: str) -> Run:
        """Raises NotFound."""

    async def save(self, run: Run, *events: Event) -> Run:
        """Write the run and its new events, at most MAX_EVENTS, together, if nobody wrote since `run` was read.

        Raises Changed.
        """

    async def events(self, run_id: str, after: int = 0) -> list[Event]:
        """Events with a number above `after`, in order."""

    async def active(self) -> list[str]:
        """Ids of runs that may not have ended."""

    async def settle(self, run_id: str) -> None:
        """Take an ended run off the list of active ones."""

    async def request_cancel(self, run_id: str) -> None: ...

    async def cancel_requested(self, run_id: str) -> bool: ...

    async def withdraw(self, run_id: str) -> None:
        """Note that whoever asked does not want to be told any more."""

    async def withdrawn(self, run_id: str) -> bool: ...

    async def promise_answer(self, run_id: str) -> None:
        """Note that whoever asked was told that the answer comes later, by the channel for messages."""

    async def answer_promised(self, run_id: str) -> bool: ...

    async def open_session(self, session: Session) -> None: ...

    async def session(self, session_id: str) -> Session:
        """Raises NotFound."""

    async def save_session(self, session: Session) -> Session:
        """Compare-and-set, like `save`. Raises Changed."""

    async def conversation_known(self, key: str, conversation: str) -> bool:
        """Whether the run `key` exists and this conversation is its session's."""


class MemoryRunStore:
    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._events: dict[str, list[Event]] = {}
        self._active: set[str] = set()
        self._cancels: set[str] = set()
        self._promised: set[str] = set()
        self._withdrawn: set[str] = set()
        self._sessions: dict[str, Session] = {}

    async def create(self, run: Run, *events: Event) -> Run:
        self._active.add(run.id)
        if run.id in self._runs:
            raise Exists(run.id)
        return self._write(run, events)

    async def load(self, run_id: str) -> Run:
        if run_id not in self._runs:
            raise unknown_run(run_id)
        return self._runs[run_id]

    async def save(self, run: Run, *events: Event) -> Run:
        if self._runs[run.id].version != run.version:
            raise Changed(run.id)
        return self._write(run, events)

    def _write(self, run: Run, events: tuple[Event, ...]) -> Run:
        numbered = number(run, events)
        self._events.setdefault(run.id, []).extend(numbered)
        version = str(int(run.version or 0) + 1)
        self._runs[run.id] = replace(run, events=run.events + len(numbered), version=version)
        return self._runs[run.id]

    async def events(self, run_id: str, after: int = 0) -> list[Event]:
        return [event for event in self._events.get(run_id, []) if event.seq > after]

    async def active(self) -> list[str]:
        return sorted(self._active)

    async def settle(self, run_id: str) -> None:
        self._active.discard(run_id)

    async def request_cancel(self, run_id: str) -> None:
        self._cancels.add(run_id)

    async def cancel_requested(self, run_id: str) -> bool:
        return run_id in self._cancels

    async def withdraw(self, run_id: str) -> None:
        self._withdrawn.add(run_id)

    async def withdrawn(self, run_id: str) -> bool:
        return run_id in self._withdrawn

    async def promise_answer(self, run_id: str) -> None:
        self._promised.add(run_id)

    async def answer_promised(self, run_id: str) -> bool:
        return run_id in self._promised

    async def open_session(self, session: Session) -> None:
        self._sessions.setdefault(session.id, replace(session, version="1"))

    async def session(self, session_id: str) -> Session:
        if session_id not in self._sessions:
            raise unknown_session(session_id)
        return self._sessions[session_id]

    async def save_session(self, session: Session) -> Session:
        if self._sessions[session.id].version != session.version:
            raise Changed(session.id)
        self._sessions[session.id] = replace(session, version=str(int(session.version) + 1))
        return self._sessions[session.id]

    async def conversation_known(self, key: str, conversation: str) -> bool:
        run = self._runs.get(key)
        return run is not None and self._sessions[run.session_id].conversation == conversation


def number(run: Run, events: tuple[Event, ...]) -> list[Event]:
    return [replace(event, seq=run.events + index + 1) for index, event in enumerate(events)]


def unknown_run(run_id: str) -> NotFound:
    return NotFound(f"No run {run_id!r}.", hint="Run ids come from POST /api/ask.")


def unknown_session(session_id: str) -> NotFound:
    return NotFound(f"No session {session_id!r}.", hint="Leave session_id out to begin a new one.")
