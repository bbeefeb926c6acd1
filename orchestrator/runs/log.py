"""The one writer of a run while it is served: state, events and heartbeat in order, waiters woken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.errors import UpstreamUnavailable
from orchestrator.foundry.port import Call
from orchestrator.runs.endings import Endings
from orchestrator.runs.record import Event, Run, RunStatus
from orchestrator.runs.signals import Signals
from orchestrator.stores.rows import Changed
from orchestrator.stores.runs import MAX_EVENTS, RunStore

TRIES, PAUSE_SECONDS = 4, 0.2  # storage is in trouble for moments; a run is not given up for one


class RunLog:
    """Raises stores.runs.Changed from every write once another process has taken the run over."""

    def __init__(
        self,
        run: Run,
        store: RunStore,
        signals: Signals,
        now: Callable[[], datetime],
        endings: Endings | None = None,
    ) -> None:
        self.run = run
        self._endings = endings or Endings(store)
        self._store, self._signals, self._now = store, signals, now
        self._writing = asyncio.Lock()

    async def write(self, *events: Event, **changes: Any) -> Run:
        async with self._writing:
            while len(events) > MAX_EVENTS:  # the changes come with the last of them
                self.run = await self._saved(replace(self.run, heartbeat_at=self._now()), events[:MAX_EVENTS])
                events = events[MAX_EVENTS:]
            self.run = await self._saved(replace(self.run, heartbeat_at=self._now(), **changes), events)
        self._signals.changed(self.run.id, ended=self.run.ended)
        return self.run

    async def _saved(self, changed: Run, events: tuple[Event, ...]) -> Run:
        """Stored once, though an answer of storage may be lost: then the record shows whether the write went in."""
        for attempt in range(TRIES):
            try:
                return await self._store.save(changed, *events)
            except UpstreamUnavailable:
                if attempt + 1 == TRIES:
                    raise
                await asyncio.sleep(PAUSE_SECONDS * 2**attempt)
            except Changed:
                stored = await self._store.load(changed.id)
                ours = (stored.owner, stored.attempt) == (changed.owner, changed.attempt)
                written = (stored.heartbeat_at, stored.events) == (changed.heartbeat_at, changed.events + len(events))
                if ours and written:
                    return stored  # this very write
                if not ours or stored.ended:
                    raise  # another process has taken it over
                changed = replace(changed, version=stored.version, events=stored.events)  # after one of ours
        raise Changed(changed.id)

    async def tell(self, state: RunStatus, text: str, **changes: Any) -> Run:
        return await self.write(Event(self._now(), state, text), status=state, **changes)

    async def end(self, state: RunStatus, text: str, calls: Sequence[Call] = (), **changes: Any) -> None:
        """`calls` are what the agents did for it, as far as it was seen."""
        await self._endings.announce(await self.tell(state, text, ended_at=self._now(), **changes), calls)

    async def settle(self) -> None:
        """Take the ended run off the list of active ones."""
        await self._store.settle(self.run.id)
