"""Who asked to be told of a run's end is told: at least once, in the end or never, and nobody else."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core import clients
from core.errors import UpstreamError, UpstreamRefused, UpstreamThrottled, UpstreamUnavailable
from core.settings import Settings
from orchestrator.agents import roster
from orchestrator.agents.lifecycle import Agents
from orchestrator.runs.conductor import Conductor
from orchestrator.runs.endings import PAUSES_SECONDS, Endings, StorageEndingQueue, Teller, read
from orchestrator.runs.intake import Intake
from orchestrator.runs.record import Event, Run, Session
from orchestrator.runs.signals import Signals
from orchestrator.stores.runs import MemoryRunStore
from orchestrator.sweeper import Sweeper
from tests.orchestrator.scripted_service import ScriptedService, answer_at_once

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
URL = "https://prod-1.logic.azure.com/x?sig=secret"


class Wires:
    """A queue of endings and a receiver of callbacks. `trouble` is what the receiver has, `down` the queue."""

    def __init__(self) -> None:
        self.sent = list[tuple[str, int, int]]()
        self.got = list[tuple[str, str, bytes]]()
        self.trouble: UpstreamError | None = None
        self.down = False

    async def send(self, run_id: str, attempt: int = 0, delay_seconds: int = 0) -> None:
        if self.down:
            raise UpstreamUnavailable("Queue storage does not answer.")
        self.sent.append((run_id, attempt, delay_seconds))

    async def revive(self) -> int:
        return 0


class Receiver:
    def __init__(self, wires: Wires) -> None:
        self.wires = wires

    async def send(self, url: str, delivery: str, body: bytes, now: datetime) -> None:
        self.wires.got.append((url, delivery, body))
        if self.wires.trouble:
            raise self.wires.trouble


class Place:
    """One process over stores in memory."""

    def __init__(self) -> None:
        self.now = NOW
        self.store, self.wires, signals = MemoryRunStore(), Wires(), Signals()
        self.endings = Endings(self.store, self.wires)
        service = ScriptedService(answer_at_once)
        agents = Agents(service, roster.supervisor("gpt-test", "http://queues", ""))
        self.conductor = Conductor(self.store, service, agents, signals, lambda: self.now, 0.1, self.endings)
        self.sweeper = Sweeper(self.store, service, agents, self.conductor, self, None, lambda: self.now, _at_once)
        self.intake = Intake(self.store, self, signals, lambda: self.now, 300)
        self.posted = list[str]()
        self.teller = Teller(
            self.store, Receiver(self.wires), self.wires, lambda run: run.status.encode(), lambda: self.now
        )

    async def send(self, run_id: str) -> None: ...

    async def post(self, run: Run) -> None:
        self.posted.append(run.id)

    async def ended(self, **changes: object) -> Run:
        run = Run(
            "run-1", "What failed?", "session-1", NOW, NOW + timedelta(minutes=5), callback_url=URL, status="done"
        )
        await self.store.open_session(Session("session-1", NOW))
        return await self.store.create(replace(run, **{"ended_at": NOW, **changes}))  # type: ignore[arg-type]

    async def told(self) -> str:
        return (await self.store.load("run-1")).told


async def _at_once(seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
def place() -> Place:
    return Place()


async def test_the_end_of_a_run_is_announced_before_the_run_leaves_the_list(place: Place) -> None:
    run = await place.intake.ask("What failed?", callback_url=URL)
    await place.conductor.serve(run.id)
    assert place.wires.sent == [(run.id, 0, 0)]
    assert await place.store.active() == []


async def test_nobody_is_told_who_did_not_ask(place: Place) -> None:
    run = await place.intake.ask("What failed?")
    await place.conductor.serve(run.id)
    assert place.wires.sent == []


async def test_an_end_that_could_not_be_announced_is_found_by_the_sweeper(place: Place) -> None:
    run = await place.intake.ask("What failed?", callback_url=URL)
    place.wires.down = True
    with pytest.raises(UpstreamUnavailable):
        await place.conductor.serve(run.id)
    assert (await place.store.load(run.id)).status == "done"
    place.now += timedelta(seconds=10)  # whoever answered it has had his time
    await place.sweeper.runs()
    assert await place.store.active() == [run.id]
    place.wires.down = False
    await place.sweeper.runs()
    assert place.wires.sent == [(run.id, 0, 0)]
    assert await place.store.active() == []


async def test_what_the_sweeper_ends_is_announced_too(place: Place) -> None:
    run = await place.intake.ask("What failed?", callback_url=URL)
    later = replace(place.sweeper, now=lambda: NOW + timedelta(minutes=10))
    await later.runs()
    assert (await place.store.load(run.id)).status == "expired"
    assert place.wires.sent == [(run.id, 0, 0)]


async def test_the_outcome_is_sent_once_and_noted(place: Place) -> None:
    await place.ended()
    await place.teller.tell("run-1")
    await place.teller.tell("run-1")
    assert place.wires.got == [(URL, "run-1", b"done")]
    assert await place.told() == "delivered"
    assert [event.text for event in await place.store.events("run-1")] == ["Whoever asked was told."]


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired"])
async def test_a_bad_end_is_told_as_well(place: Place, status: str) -> None:
    await place.ended(status=status)
    await place.teller.tell("run-1")
    assert [body for _, _, body in place.wires.got] == [status.encode()]


async def test_trouble_is_tried_again_later_each_time_with_the_same_id(place: Place) -> None:
    await place.ended()
    place.wires.trouble = UpstreamUnavailable("It does not answer.")
    for attempt in range(len(PAUSES_SECONDS)):
        await place.teller.tell("run-1", attempt)
    assert place.wires.sent == [("run-1", n + 1, pause) for n, pause in enumerate(PAUSES_SECONDS)]
    assert {delivery for _, delivery, _ in place.wires.got} == {"run-1"}
    assert await place.told() == ""


async def test_after_the_last_try_it_is_given_up_with_an_event(place: Place) -> None:
    await place.ended()
    place.wires.trouble = UpstreamUnavailable("It does not answer.")
    await place.teller.tell("run-1", len(PAUSES_SECONDS))
    assert (place.wires.sent, await place.told()) == ([], "given_up")
    [event] = await place.store.events("run-1")
    assert event.text == "Whoever asked could not be told: It does not answer."


async def test_a_refusal_is_given_up_at_once(place: Place) -> None:
    await place.ended()
    place.wires.trouble = UpstreamRefused("It answered 404.")
    await place.teller.tell("run-1")
    assert (place.wires.sent, await place.told()) == ([], "given_up")


@pytest.mark.parametrize(("asked", "waited"), [(2.0, 5), (100.0, 100), (1e9, 3600), (None, 5)])
async def test_a_receiver_may_ask_for_a_longer_pause_up_to_an_hour(place: Place, asked: float, waited: int) -> None:
    await place.ended()
    place.wires.trouble = UpstreamThrottled("Too many.", retry_after_seconds=asked)
    await place.teller.tell("run-1")
    assert place.wires.sent == [("run-1", 1, waited)]


async def test_a_try_that_cannot_be_queued_again_comes_again_by_the_host(place: Place) -> None:
    await place.ended()
    place.wires.trouble, place.wires.down = UpstreamUnavailable("It does not answer."), True
    with pytest.raises(UpstreamUnavailable):
        await place.teller.tell("run-1")


async def test_who_took_the_question_back_is_not_told(place: Place) -> None:
    await place.ended()
    await place.intake.withdraw("run-1")
    await place.teller.tell("run-1")
    assert place.wires.got == []


async def test_a_run_that_goes_on_or_that_nobody_knows_is_not_told(place: Place) -> None:
    await place.ended(status="working", ended_at=None)
    await place.teller.tell("run-1")
    await place.teller.tell("run-2")
    assert place.wires.got == []


async def test_two_that_tell_at_once_note_it_once(place: Place) -> None:
    await place.ended()
    await asyncio.gather(place.teller.tell("run-1"), place.teller.tell("run-1"))
    assert len(await place.store.events("run-1")) == 1


async def test_what_was_promised_in_teams_is_announced_and_posted(place: Place) -> None:
    run = await place.ended(callback_url="", session_id="teams-1")
    await place.endings.announce(run)
    assert place.wires.sent == []
    await place.store.promise_answer("run-1")
    await place.endings.announce(run)
    assert place.wires.sent == [("run-1", 0, 0)]
    await replace(place.teller, post=place.post).tell("run-1")
    assert (place.posted, await place.told()) == (["run-1"], "delivered")


async def test_what_the_host_gave_up_on_is_sent_again_as_a_later_attempt(storage: str) -> None:
    async with clients.queue_service(Settings.load({"STORAGE": storage})) as queues:
        queue, poison = StorageEndingQueue(queues), queues.get_queue_client("callbacks-poison")
        assert await queue.revive() == 0
        await poison.create_queue()
        for nonsense in ("not base64!", base64.b64encode(b"[[[").decode(), base64.b64encode(b"[]").decode()):
            await poison.send_message(nonsense)  # keeps no other waiting
        for attempt in (0, len(PAUSES_SECONDS)):
            told = json.dumps({"run_id": f"run-{attempt}", "attempt": attempt}).encode()
            await poison.send_message(base64.b64encode(told).decode())
        assert await Endings(MemoryRunStore(), queue).revive() == 1
        assert await poison.receive_message() is None
        properties = await queues.get_queue_client("callbacks").get_queue_properties()
        assert properties.approximate_message_count == 1


@pytest.mark.parametrize(("body", "told"), [(b'{"run_id": "run-1"}', 0), (b'{"run_id": "run-1", "attempt": 3}', 3)])
def test_a_message_of_an_earlier_version_is_a_first_attempt(body: bytes, told: int) -> None:
    assert read(body) == ("run-1", told)


def test_the_address_is_not_shown() -> None:
    run = Run("run-1", "What failed?", "session-1", NOW, NOW, callback_url=URL)
    assert "secret" not in repr(run)
    assert "secret" not in repr(Event(NOW, "done", "x"))
