"""Takes questions in: a record first, then a message for whoever serves it. And takes wishes to cancel."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from core.errors import Conflict, NotFound, UpstreamUnavailable
from core.telemetry import carrying
from orchestrator.runs.record import Event, Run, Session, new_id
from orchestrator.runs.signals import Signals
from orchestrator.stores.queues import send
from orchestrator.stores.rows import Exists
from orchestrator.stores.runs import RunStore

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueServiceClient

log = logging.getLogger("runs")
QUEUE = "run-requests"


class RunQueue(Protocol):
    async def send(self, run_id: str) -> None:
        """Ask for this run to be served. Raises UpstreamUnavailable."""


class StorageRunQueue:
    def __init__(self, queues: QueueServiceClient) -> None:
        self._queue = queues.get_queue_client(QUEUE)

    async def send(self, run_id: str) -> None:
        await send(self._queue, {"run_id": run_id})


def _id(prefix: str, key: str) -> str:
    return f"{prefix}-{hashlib.sha256(key.encode()).hexdigest()[:24]}" if key else new_id(prefix)


def run_id_for(key: str) -> str:
    """The id of the run that was asked with this key."""
    return _id("run", key)


def _asked(run: Run) -> tuple[str | bool, ...]:
    return run.question, run.session_id, run.factory, run.callback_url, run.allow_actions


class Intake:
    def __init__(
        self,
        store: RunStore,
        queue: RunQueue,
        signals: Signals,
        now: Callable[[], datetime],
        deadline_seconds: float,
    ) -> None:
        self._store, self._queue, self._signals, self._now = store, queue, signals, now
        self._deadline = timedelta(seconds=deadline_seconds)

    async def ask(
        self,
        question: str,
        *,
        session_id: str = "",
        factory: str = "",
        key: str = "",
        callback_url: str = "",
        allow_actions: bool = False,
    ) -> Run:
        """A queued run. `key` is the caller's own name for this question: the same key means the same run, whatever
        has become of it. Raises NotFound for a session that does not exist, Conflict for a key of another question."""
        now = self._now()
        if session_id:
            await self._store.session(session_id)
        else:
            session_id = _id("session", key)
            await self._store.open_session(Session(session_id, now))
        run = Run(
            _id("run", key),
            question,
            session_id,
            now,
            now + self._deadline,
            factory,
            callback_url=callback_url,
            allow_actions=allow_actions,
            traceparent=carrying.current(),
        )
        try:
            run = await self._store.create(run, Event(now, "queued", "Question received."))
        except Exists:
            return await self._asked_before(run)
        try:
            await self._queue.send(run.id)
        except UpstreamUnavailable:
            # The record stands, so the question is accepted: the sweeper sends it as soon as the queue is back.
            log.warning("run=%s outcome=not_queued", run.id)
        return run

    async def _asked_before(self, run: Run) -> Run:
        """Sent twice by the caller; or by our own client, whose first try was stored although it heard no answer."""
        known = await self._store.load(run.id)
        if _asked(known) != _asked(run):
            raise Conflict(
                "This Idempotency-Key was used for another question.", hint="Give every question a key of its own."
            )
        return known

    async def cancel(self, run_id: str) -> Run:
        """Ask whoever serves the run to stop. The run as it is now; an ended one stays as it ended."""
        run = await self._store.load(run_id)
        if not run.ended:
            await self._store.request_cancel(run_id)
            self._signals.changed(run_id)
        return run

    async def withdraw(self, run_id: str) -> None:
        """Whoever asked does not want to be told any more: the run is stopped, and nobody is called back."""
        with suppress(NotFound):
            await self._store.load(run_id)
            await self._store.withdraw(run_id)
            await self.cancel(run_id)
