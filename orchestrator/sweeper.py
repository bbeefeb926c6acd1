"""Looks after what nobody looks after: runs whose process died, poison messages, threads nobody owns, old agents."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import AppError, NotFound
from core.telemetry.carrying import continuing
from orchestrator.agents.lifecycle import Agents
from orchestrator.foundry.port import AgentService
from orchestrator.runs.conductor import Conductor
from orchestrator.runs.intake import QUEUE, RunQueue
from orchestrator.runs.record import Event, Run, RunStatus
from orchestrator.runs.stopping import stop_agents
from orchestrator.stores.queues import poisoned
from orchestrator.stores.rows import Changed
from orchestrator.stores.runs import RunStore

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueServiceClient

log = logging.getLogger("sweeper")
MAX_ATTEMPTS = 5  # as often as the host delivers a message: then the run itself is what breaks its processes
SHORTEST_APART_SECONDS = 1.5
LOOK_APART = 1.5  # heartbeats: a healthy run writes at least once between two looks
GRACE = timedelta(seconds=5)  # whoever serves the run expires it first
ANNOUNCED = timedelta(seconds=10)  # whoever answered it tells of its end first; told twice it stands on the trail twice
GIVEN_UP_AFTER = timedelta(minutes=15)  # the agent service expires a run ten minutes after it began
ORPHANED_AFTER = timedelta(minutes=10)  # a conversation is saved in its session within a second of being opened
ORPHANED_WITHIN = timedelta(hours=2)  # the timer comes every ten minutes: what is older was looked at many times


@dataclass(frozen=True)
class Sweeper:
    store: RunStore
    service: AgentService
    agents: Agents
    conductor: Conductor
    queue: RunQueue
    queues: QueueServiceClient | None
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def runs(self) -> dict[str, int]:
        """Resume, expire or settle every run that nobody serves. Counts by what was done.

        A run is looked at twice, some heartbeats apart: whoever serves it may have another clock, but writes.
        """
        counts: Counter[str] = Counter()
        silent: list[Run] = []
        unknown: list[str] = []  # listed, but not written: perhaps not yet
        for run_id in await self.store.active():
            with self._contained(run_id, counts):
                try:
                    run = await self._silent(run_id, counts)
                    silent += [run] if run is not None else []
                except NotFound:
                    unknown.append(run_id)
        if unknown or any(run.owner for run in silent):
            await self.sleep(max(self.conductor.heartbeat_seconds * LOOK_APART, SHORTEST_APART_SECONDS))
        for run_id in unknown:
            with self._contained(run_id, counts):
                await self._forget_unwritten(run_id, counts)
        for run in silent:
            with self._contained(run.id, counts):
                now = await self.store.load(run.id)
                if now.version == run.version:
                    counts[await self._look_after(now)] += 1
        return dict(counts)

    @contextmanager
    def _contained(self, run_id: str, counts: Counter[str]) -> Iterator[None]:
        try:
            yield
        except Changed:  # somebody serves it after all
            return
        except Exception:
            log.exception("run=%s outcome=not_looked_after", run_id)
            counts["not_looked_after"] += 1

    async def _silent(self, run_id: str, counts: Counter[str]) -> Run | None:
        """The run, if its heart does not seem to beat. Settles what has ended. Raises NotFound."""
        run = await self.store.load(run_id)
        if run.ended_at is not None and abs(self.now() - run.ended_at) < ANNOUNCED and run.status == "done":
            return None
        if run.ended:
            done = await self._agents_stopped(run)
            counts["settled" if done else "agents_left"] += 1
            if done:
                with continuing(run.traceparent):
                    await self.conductor.endings.settle(run)
            return None
        return run if run.abandoned(self.now(), self.conductor.silence) else None

    async def _forget_unwritten(self, run_id: str, counts: Counter[str]) -> None:
        """Its process died between the two writes of its creation: it was never accepted."""
        try:
            await self.store.load(run_id)
        except NotFound:
            await self.store.settle(run_id)
            counts["settled"] += 1

    async def _agents_stopped(self, run: Run) -> bool:
        """Of a run that ended; in the end the agent service does it by itself."""
        late = run.ended_at is not None and self.now() - run.ended_at > GIVEN_UP_AFTER
        return run.status == "done" or late or await stop_agents(self.service, run)

    async def _look_after(self, run: Run) -> str:
        if self.now() > run.deadline_at + GRACE:
            return await self._end(run, "expired", "No answer by the deadline.")
        if run.attempt >= MAX_ATTEMPTS:
            return await self._end(run, "failed", "The app failed on this question several times and gave up.")
        # Without an owner the next process takes it at once; the heartbeat keeps us from sending it every time we look.
        await self.store.save(replace(run, owner="", heartbeat_at=self.now()))
        with continuing(run.traceparent):
            await self.queue.send(run.id)
        return "resent"

    async def _end(self, run: Run, status: RunStatus, text: str) -> str:
        stopped = await stop_agents(self.service, run)
        now = self.now()
        ended = replace(run, status=status, ended_at=now, error_code=status, error=text)
        with continuing(run.traceparent):
            await self.conductor.endings.announce(await self.store.save(ended, Event(now, status, text)))
        if stopped:
            await self.store.settle(run.id)
        return status

    async def poison(self) -> int:
        """Take messages off the poison queue of run requests. The runs themselves are looked after by `runs`."""
        if self.queues is None:
            return 0
        return len([message async for message in poisoned(self.queues.get_queue_client(f"{QUEUE}-poison"))])

    async def orphans(self) -> int:
        """Delete conversations that no session knows, and agents of earlier definitions. How many."""
        now = self.now()
        gone = await self.agents.retire(now)
        for conversation, key in await self.service.conversations(now - ORPHANED_WITHIN, now - ORPHANED_AFTER):
            try:
                if not await self.store.conversation_known(key, conversation):
                    await self.service.forget_conversation(conversation)
                    gone += 1
            except AppError as exc:
                log.warning("conversation=%s outcome=not_deleted error=%s", conversation, exc)
        return gone
