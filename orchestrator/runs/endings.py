"""What follows the end of a run: whoever asked to be told is told, however often it takes; the audit trail hears of it.

A run stays on the list of active ones until that is on its way, so the sweeper finds what a dying process left undone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from core.errors import NotFound, UpstreamError, UpstreamThrottled
from core.telemetry import metrics, names
from core.telemetry.messages import resumed
from core.telemetry.spans import coded
from orchestrator.notify.callbacks import Callbacks
from orchestrator.runs.record import Event, Run
from orchestrator.stores.queues import poisoned, send
from orchestrator.stores.rows import Changed
from orchestrator.stores.runs import RunStore
from orchestrator.teams.activity import asked_in_teams

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueServiceClient

    from orchestrator.foundry.port import Call

log = logging.getLogger("callbacks")
QUEUE = "callbacks"
PAUSES_SECONDS = (5, 20, 60, 300, 900, 1800, 3600)  # about two hours in all, then it is given up
LONGEST_PAUSE_SECONDS = 3600.0


class EndingQueue(Protocol):
    async def send(self, run_id: str, attempt: int = 0, delay_seconds: int = 0) -> None:
        """Have somebody told of this run's end, in so many seconds at the earliest. Raises UpstreamUnavailable."""

    async def revive(self) -> int:
        """Send again what the host gave up on, as a later attempt: storage was in trouble, or processes died."""


class Ledger(Protocol):
    async def note(self, run: Run, calls: Sequence[Call]) -> None:
        """Enter this ended run in the audit trail, and what its agents called."""

    async def noted(self, run: Run) -> bool:
        """Whether it is there. Raises UpstreamUnavailable."""


class StorageEndingQueue:
    def __init__(self, queues: QueueServiceClient) -> None:
        self._queue = queues.get_queue_client(QUEUE)
        self._poison = queues.get_queue_client(f"{QUEUE}-poison")

    async def send(self, run_id: str, attempt: int = 0, delay_seconds: int = 0) -> None:
        await send(self._queue, {"run_id": run_id, "attempt": attempt}, delay_seconds)

    async def revive(self) -> int:
        revived = 0
        async for message in poisoned(self._poison):
            try:
                run_id, attempt = read(message)
            except (ValueError, KeyError, TypeError):  # not one of ours: it must keep no other waiting
                continue
            if attempt < len(PAUSES_SECONDS):
                with resumed(message):
                    await self.send(run_id, attempt + 1, PAUSES_SECONDS[attempt])
                revived += 1
        return revived


def read(body: bytes) -> tuple[str, int]:
    """Of a message of the queue: the run, and how often it was tried."""
    told = json.loads(body)
    return str(told["run_id"]), int(told.get("attempt", 0))


@dataclass(frozen=True)
class Endings:
    """Without a queue nobody is told, without a ledger nothing is audited."""

    store: RunStore
    queue: EndingQueue | None = None
    ledger: Ledger | None = None

    async def announce(self, run: Run, calls: Sequence[Call] = (), *, settling: bool = False) -> None:
        """The run has ended, and its end is stored. Raises UpstreamUnavailable: then it stays on the list. `settling`:
        it may have been announced before."""
        if not settling:
            measure(run)
        if self.queue is not None and not run.told and await self._is_awaited(run):
            await self.queue.send(run.id)
        if self.ledger is not None and not (settling and await self.ledger.noted(run)):
            await self.ledger.note(run, calls)

    async def _is_awaited(self, run: Run) -> bool:
        return bool(run.callback_url) or (asked_in_teams(run) and await self.store.answer_promised(run.id))

    async def revive(self) -> int:
        return await self.queue.revive() if self.queue is not None else 0

    async def settle(self, run: Run) -> None:
        """Take a run off the list that ended before: whoever was to be told may not know it."""
        await self.announce(run, settling=True)
        await self.store.settle(run.id)


def measure(run: Run) -> None:
    outcome = {names.OUTCOME: run.status}
    if run.seconds is not None:
        error = {names.ERROR: coded(run.error_code)} if run.status == "failed" else {}
        metrics.record(names.QUESTION_SECONDS, run.seconds, {**outcome, **error})
        allowed = (run.deadline_at - run.created_at).total_seconds()
        metrics.record(names.DEADLINE_USED, run.seconds / allowed if allowed > 0 else 1.0, outcome)


@dataclass(frozen=True)
class Teller:
    """Tells of one ended run. `render` makes the body of a callback; `post` tells those who asked elsewhere."""

    store: RunStore
    callbacks: Callbacks
    queue: EndingQueue
    render: Callable[[Run], bytes]
    now: Callable[[], datetime]
    post: Callable[[Run], Awaitable[None]] | None = None

    async def tell(self, run_id: str, attempt: int = 0) -> None:
        """At least once; a receiver knows a repetition by its X-Delivery-Id."""
        try:
            run = await self.store.load(run_id)
        except NotFound:
            log.error("run=%s outcome=unknown", run_id)
            return
        if not run.ended or run.told or await self.store.withdrawn(run_id):
            return
        try:
            await self._send(run)
        except UpstreamError as exc:
            await self._failed(run, attempt, exc)
        else:
            await self._note(run, "delivered", "Whoever asked was told.")

    async def _send(self, run: Run) -> None:
        if run.callback_url:
            await self.callbacks.send(run.callback_url, run.id, self.render(run), self.now())
        elif self.post:
            await self.post(run)

    async def _failed(self, run: Run, attempt: int, exc: UpstreamError) -> None:
        if not exc.retryable or attempt >= len(PAUSES_SECONDS):
            await self._note(run, "given_up", f"Whoever asked could not be told: {exc.message}")
            return
        asked = exc.retry_after_seconds if isinstance(exc, UpstreamThrottled) else None
        pause = min(max(PAUSES_SECONDS[attempt], asked or 0), LONGEST_PAUSE_SECONDS)
        log.warning("run=%s outcome=not_told attempt=%d again_in=%g error=%s", run.id, attempt, pause, exc)
        await self.queue.send(run.id, attempt + 1, round(pause))

    async def _note(self, run: Run, told: Literal["delivered", "given_up"], text: str) -> None:
        log.info("run=%s outcome=%s", run.id, told)
        with suppress(Changed):  # told twice at once: the other one notes it
            await self.store.save(replace(run, told=told), Event(self.now(), run.status, text))
