"""A digest is sent when it is due, and once: over instances, failures, and deaths before and after the send."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.digest.deliveries import Delivery, MemoryDeliveryStore
from orchestrator.digest.editions import Timetable
from orchestrator.digest.sending import LEASE, SECONDS, Sender
from orchestrator.notify.console import MemoryNotifier
from orchestrator.notify.port import Message
from tests.orchestrator.digest.paper import Paper, silent
from tools_worker.datafactory.memory import MemoryDataFactory

TURN = timedelta(minutes=15)
AWAY = UpstreamUnavailable("Teams does not answer.")


class Died(BaseException):
    """A process that ends: nothing in it runs after."""


class Deadly(MemoryNotifier):
    """Its sender dies, before the channel has the message or after."""

    def __init__(self, *, taken: bool) -> None:
        super().__init__()
        self.taken = taken

    async def send(self, message: Message) -> None:
        if self.taken:
            await super().send(message)
        raise Died


@dataclass
class Morning:
    """Tuesday, 7 o'clock."""

    now: datetime = datetime(2026, 3, 10, 7, tzinfo=UTC)
    paper: Paper = field(default_factory=Paper)
    deliveries: MemoryDeliveryStore = field(default_factory=MemoryDeliveryStore)
    notifier: MemoryNotifier = field(default_factory=MemoryNotifier)
    timetable: Timetable | None = field(default_factory=lambda: Timetable(time(7), UTC))

    def sender(self, notifier: MemoryNotifier | None = None) -> Sender:
        """An instance of the app."""
        return Sender(self.timetable, self.paper.editor, self.deliveries, notifier or self.notifier, lambda: self.now)

    async def turn(self, later: timedelta = timedelta()) -> int:
        self.now += later
        return await self.sender().run()

    @property
    def sent(self) -> list[str]:
        return [message.key for message in self.notifier.sent]

    async def state(self) -> Delivery:
        return await self.deliveries.load("daily-2026-03-10")


async def test_it_is_sent_when_its_time_has_come_and_not_again() -> None:
    morning = Morning()
    assert [
        await morning.turn(-TURN),
        await morning.turn(TURN),
        await morning.turn(TURN),
        await morning.turn(TURN),
    ] == [
        0,
        1,
        0,
        0,
    ]
    assert morning.sent == ["digest:daily:2026-03-10T07:00"]
    assert (await morning.state()).state == "sent"


async def test_the_next_one_is_sent_the_day_after() -> None:
    morning = Morning()
    await morning.turn()
    await morning.turn(timedelta(days=1))
    assert morning.sent == ["digest:daily:2026-03-10T07:00", "digest:daily:2026-03-11T07:00"]


async def test_day_and_week_are_two_messages() -> None:
    morning = Morning(timetable=Timetable(time(7), UTC, weekly_on=1))
    assert await morning.turn() == 2
    assert morning.sent == ["digest:daily:2026-03-10T07:00", "digest:weekly:2026-03-10T07:00"]


async def test_instances_that_come_at_once_send_one() -> None:
    morning = Morning()
    assert sum(await asyncio.gather(*(morning.sender().run() for _ in range(5)))) == 1
    assert len(morning.sent) == 1


async def test_without_a_time_nothing_is_sent_and_nothing_asked() -> None:
    morning = Morning(timetable=None)
    assert await morning.turn() == 0
    assert not morning.paper.factory.calls


async def test_a_send_that_fails_is_made_up_for_at_the_next_turn() -> None:
    morning = Morning(notifier=MemoryNotifier(AWAY, AWAY))
    assert [await morning.turn(), await morning.turn(TURN), await morning.turn(TURN)] == [0, 0, 1]
    assert morning.sent == ["digest:daily:2026-03-10T07:00"]  # of the same time as it was meant to be


async def test_one_that_could_not_be_sent_all_day_is_not_sent_the_day_after() -> None:
    morning = Morning(notifier=MemoryNotifier(AWAY))
    await morning.turn()
    await morning.turn(timedelta(hours=17))
    assert morning.sent == []


async def test_storage_that_does_not_answer_puts_it_off() -> None:
    morning = Morning()

    async def away(since: datetime, until: datetime | None = None, *, limit: int = 100) -> list[object]:
        raise UpstreamUnavailable("Table storage does not answer.")

    listed, morning.paper.incidents.listed = morning.paper.incidents.listed, away  # type: ignore[method-assign,assignment]
    assert await morning.turn() == 0
    morning.paper.incidents.listed = listed  # type: ignore[method-assign]
    assert await morning.turn(TURN) == 1


async def test_a_data_factory_that_does_not_answer_does_not_put_it_off() -> None:
    morning = Morning(paper=Paper([silent("adf-away", AWAY, "pipeline_runs")]))
    assert await morning.turn() == 1
    assert "How many runs failed is not known." in morning.notifier.sent[0].text
    assert "No answer from: adf-away" in morning.notifier.sent[0].text


async def test_whoever_dies_while_it_is_made_is_followed_by_the_next_one_after_the_lease() -> None:
    paper = Paper([dying := MemoryDataFactory("adf-test")])
    morning = Morning(paper=paper)

    async def die(*_: object, **__: object) -> None:
        raise Died

    dying.pipeline_runs, alive = die, dying.pipeline_runs  # type: ignore[method-assign,assignment]
    with pytest.raises(Died):
        await morning.turn()
    dying.pipeline_runs = alive  # type: ignore[method-assign]
    assert await morning.turn(LEASE - timedelta(seconds=1)) == 0  # he may live
    assert await morning.turn(timedelta(seconds=1)) == 1


async def test_one_of_which_nobody_could_note_that_it_was_sent_is_not_sent_again() -> None:
    morning = Morning()
    save = morning.deliveries.save

    async def full(delivery: Delivery) -> Delivery:
        if delivery.state == "sent":
            raise UpstreamUnavailable("Table storage does not answer.")
        return await save(delivery)

    morning.deliveries.save = full  # type: ignore[method-assign]
    await morning.turn()
    morning.deliveries.save = save  # type: ignore[method-assign]
    assert await morning.turn(TURN) == 0
    assert len(morning.sent) == 1


@pytest.mark.parametrize("taken", [False, True], ids=["before the channel has it", "after"])
async def test_whoever_dies_at_the_send_is_not_followed_for_it_may_have_come(
    taken: bool, caplog: pytest.LogCaptureFixture
) -> None:
    morning, deadly = Morning(), Deadly(taken=taken)
    with pytest.raises(Died):
        await morning.sender(deadly).run()
    assert [await morning.turn(TURN) for _ in range(4)] == [0, 0, 0, 0]
    assert (len(deadly.sent), morning.sent) == (int(taken), [])
    assert (await morning.state()).state == "unsure"
    assert caplog.text.count("outcome=unsure") == 1  # somebody can look, and is told once


async def test_whoever_was_overtaken_while_he_made_it_does_not_send() -> None:
    morning = Morning()
    asked = asyncio.Event()
    go_on = asyncio.Event()
    slow = morning.paper.factory.pipeline_runs

    async def wait(*args: object, **more: object) -> object:
        asked.set()
        await go_on.wait()
        return await slow(*args, **more)  # type: ignore[arg-type]

    morning.paper.factory.pipeline_runs = wait  # type: ignore[method-assign,assignment]
    sleeper = asyncio.create_task(morning.sender().run())
    await asked.wait()
    morning.paper.factory.pipeline_runs = slow  # type: ignore[method-assign]
    assert await morning.turn(LEASE) == 1
    go_on.set()
    assert await sleeper == 0
    assert len(morning.sent) == 1


def test_a_lease_outlasts_making_and_sending_and_ends_before_the_next_turn() -> None:
    assert timedelta(seconds=SECONDS + 60) < LEASE < TURN
