"""The one writer of a run while it is served: state, events and heartbeat in order, waiters woken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from orchestrator.runs.record import Event, Run, RunStatus
from orchestrator.runs.signals import Signals
from orchestrator.stores.runs import RunStore


class RunLog:
    """Raises stores.runs.Changed from every write once another process has taken the run over."""

    def __init__(self, run: Run, store: RunStore, signals: Signals, now: Callable[[], datetime]) -> None:
        self.run = run
        self._store, self._signals, self._now = store, signals, now
        self._writing = asyncio.Lock()

    async def write(self, *events: Event, **changes: Any) -> Run:
        async with self._writing:
            changed = replace(self.run, heartbeat_at=self._now(), **changes)
            self.run = await self._store.save(changed, *events)
        self._signals.changed(self.run.id)
        return self.run

    async def tell(self, state: RunStatus, text: str, **changes: Any) -> Run:
        return await self.write(Event(self._now(), state, text), status=state, **changes)

    async def end(self, state: RunStatus, text: str, **changes: Any) -> Run:
        run = await self.tell(state, text, ended_at=self._now(), **changes)
        await self._store.settle(run.id)
        return run
