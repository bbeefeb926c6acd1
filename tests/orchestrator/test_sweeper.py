"""What nobody serves is resumed, expired or cleaned up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import UpstreamUnavailable
from orchestrator.agents import roster
from orchestrator.agents.lifecycle import Agents
from orchestrator.foundry.port import TurnRef
from orchestrator.runs.conductor import Conductor
from orchestrator.runs.record import Run, Session
from orchestrator.runs.signals import Signals
from orchestrator.stores.runs import MemoryRunStore
from orchestrator.sweeper import MAX_ATTEMPTS, Sweeper
from tests.orchestrator.scripted_service import ScriptedService

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


class SentRuns:
    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, run_id: str) -> None:
        self.sent.append(run_id)


class Night:
    def __init__(self, store: MemoryRunStore | None = None) -> None:
        self.now = NOW
        self.store, self.service, self.queue = store or MemoryRunStore(), ScriptedService(), SentRuns()
        agents = Agents(self.service, roster.supervisor("m", "http://queues", ""))
        conductor = Conductor(self.store, self.service, agents, Signals(), lambda: self.now, heartbeat_seconds=5)
        self.meanwhile: list[Callable[[], Awaitable[object]]] = []  # what happens between the sweeper's two looks
        self.sweeper = Sweeper(
            self.store, self.service, agents, conductor, self.queue, None, lambda: self.now, self.slept
        )

    async def slept(self, seconds: float) -> None:
        for happens in self.meanwhile:
            await happens()

    async def run(self, **changes: Any) -> Run:
        await self.store.open_session(Session("session-1", NOW, conversation="thread_1"))
        run = Run("run-1", "q", "session-1", NOW, NOW + timedelta(minutes=5), status="working", owner="p", attempt=1)
        return await self.store.create(replace(run, heartbeat_at=NOW, **changes))

    async def stored(self) -> Run:
        return await self.store.load("run-1")


async def test_leaves_a_run_alone_whose_heart_beats() -> None:
    night = Night()
    await night.run()
    night.now += timedelta(seconds=15)
    assert await night.sweeper.runs() == {}


async def test_a_run_whose_clock_is_behind_ours_is_left_alone_while_it_writes() -> None:
    night = Night()
    await night.run()
    night.now += timedelta(minutes=2)  # by our clock its last heartbeat is that old

    async def beats() -> None:
        run = await night.stored()
        await night.store.save(replace(run, heartbeat_at=NOW + timedelta(seconds=5)))

    night.meanwhile.append(beats)
    assert await night.sweeper.runs() == {}
    assert night.queue.sent == []


async def test_sends_an_abandoned_run_again_and_only_once_per_silence() -> None:
    night = Night()
    await night.run()
    night.now += timedelta(seconds=60)
    await night.sweeper.runs()
    night.now += timedelta(seconds=15)
    await night.sweeper.runs()
    assert night.queue.sent == ["run-1"]
    assert (await night.stored()).owner == ""


async def test_a_resent_run_can_be_claimed_at_once() -> None:
    night = Night()
    await night.run()
    night.now += timedelta(seconds=60)
    await night.sweeper.runs()
    await night.sweeper.conductor.serve("run-1")
    assert (await night.stored()).attempt == 2


class Unreadable(MemoryRunStore):
    """Cannot read one of its runs."""

    async def load(self, run_id: str) -> Run:
        if run_id == "run-0":
            raise ValueError("not a record")
        return await super().load(run_id)


async def test_one_run_that_cannot_be_read_keeps_no_other_waiting() -> None:
    night = Night(Unreadable())
    await night.run()
    await night.store.create(replace(await night.stored(), id="run-0", version="", events=0))
    night.now += timedelta(minutes=6)
    assert await night.sweeper.runs() == {"not_looked_after": 1, "expired": 1}


async def test_expires_an_abandoned_run_after_its_deadline_and_cancels_its_agents() -> None:
    night = Night()
    await night.run(conversation="thread_1", agent_run="run_9")
    night.now += timedelta(minutes=6)
    assert await night.sweeper.runs() == {"expired": 1}
    assert (await night.stored()).status == "expired"
    assert night.service.cancelled == [TurnRef("thread_1", "run_9")]
    assert await night.store.active() == []


async def test_cancels_agents_whose_start_was_never_recorded() -> None:
    night = Night()
    await night.run(conversation="thread_1")
    night.service.turns["run-1"] = TurnRef("thread_1", "run_9")
    night.now += timedelta(minutes=6)
    assert await night.sweeper.runs() == {"expired": 1}
    assert night.service.cancelled == [TurnRef("thread_1", "run_9")]


async def test_agents_that_could_not_be_stopped_are_stopped_later() -> None:
    night = Night()
    run = await night.run(conversation="thread_1", agent_run="run_9")
    night.service.troubles = [UpstreamUnavailable("no", hint=""), UpstreamUnavailable("no", hint="")]
    night.now += timedelta(minutes=6)
    assert await night.sweeper.runs() == {"expired": 1}
    assert await night.sweeper.runs() == {"agents_left": 1}
    assert await night.store.active() == [run.id]
    assert await night.sweeper.runs() == {"settled": 1}
    assert night.service.cancelled == [TurnRef("thread_1", "run_9")]
    assert await night.store.active() == []


async def test_a_run_that_was_answered_just_now_is_left_to_whoever_answered_it() -> None:
    night = Night()
    run = await night.run(status="done", ended_at=night.now)
    night.now += timedelta(seconds=2)
    assert await night.sweeper.runs() == {}
    assert await night.store.active() == [run.id]
    night.now += timedelta(seconds=10)
    assert await night.sweeper.runs() == {"settled": 1}


async def test_an_agent_service_that_stays_away_is_not_asked_for_ever() -> None:
    night = Night()
    await night.run(conversation="thread_1", agent_run="run_9")
    night.service.troubles = [UpstreamUnavailable("no", hint="")]
    night.now += timedelta(minutes=6)
    await night.sweeper.runs()
    night.now += timedelta(minutes=16)
    assert await night.sweeper.runs() == {"settled": 1}


async def test_gives_up_on_a_run_that_broke_every_process_that_took_it() -> None:
    night = Night()
    await night.run(attempt=MAX_ATTEMPTS)
    night.now += timedelta(seconds=60)
    assert await night.sweeper.runs() == {"failed": 1}
    assert "several times" in (await night.stored()).error


async def test_deletes_threads_that_no_session_knows_and_no_others() -> None:
    night = Night()
    await night.run()
    night.service.opened = {"thread_1": "run-1", "thread_lost": "run-1", "thread_ghost": "run-unknown"}
    assert await night.sweeper.orphans() == 2
    assert list(night.service.opened) == ["thread_1"]


async def test_a_run_that_is_being_written_stays_on_the_list() -> None:
    """Between the two writes of its creation it is listed and not there. Taken off the list, nobody would resume it."""
    night = Night()
    night.store._active.add("run-1")

    async def meanwhile(seconds: float) -> None:
        assert seconds >= 1.5
        await night.run()

    sweeper = replace(night.sweeper, sleep=meanwhile)
    assert await sweeper.runs() == {}
    assert await night.store.active() == ["run-1"]


async def test_a_run_that_was_never_written_is_forgotten() -> None:
    night = Night()
    night.store._active.add("run-ghost")
    assert await night.sweeper.runs() == {"settled": 1}
    assert await night.store.active() == []
