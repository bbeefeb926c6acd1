"""Whatever was lost is taken up again: messages, people who were not asked, approvals that nobody gave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.actions.record import Action
from orchestrator.actions.rounds import Rounds
from tests.orchestrator.actions.desk import ASK, Afternoon


class Queue:
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.drained = 0

    async def send(self, about: str, delay_seconds: int = 0) -> None:
        self.sent.append(about)

    async def drain(self) -> int:
        self.drained += 1
        return 0


def rounds(desk: Afternoon) -> tuple[Rounds, Queue]:
    queue = Queue()
    return Rounds(desk.store, desk.desk, cast("Any", queue), desk.clock), queue


async def test_an_action_whose_message_was_lost_is_done_all_the_same() -> None:
    desk = Afternoon()
    action = await desk.proposed()
    desk.messages.clear()
    made, queue = rounds(desk)
    assert await made.make() == 1
    assert queue.sent == [action.id]
    await desk.executor().step(queue.sent[0])
    assert desk.plant.told == ["rerun"]


async def test_while_nobody_executes_the_queue_is_not_filled() -> None:
    desk = Afternoon()
    action = await desk.proposed()
    made, queue = rounds(desk)
    for _ in range(17):
        await made.make()
        desk.now += timedelta(seconds=15)
    assert queue.sent == [action.id] * 3  # in four minutes


async def test_what_another_process_holds_is_let_alone() -> None:
    desk = Afternoon()
    action = await desk.proposed()
    await desk.executor()._hold(await desk.action(action))
    made, queue = rounds(desk)
    assert (await made.make(), queue.sent) == (0, [])
    desk.now += timedelta(minutes=2)
    assert (await made.make(), queue.sent) == (1, [action.id])


async def test_people_who_could_not_be_asked_are_asked_later_and_once() -> None:
    desk = Afternoon(ASK)
    desk.channel.down = True
    await desk.proposed()
    made, _ = rounds(desk)
    assert await made.make() == 0
    desk.channel.down = False
    assert [await made.make() for _ in range(3)] == [1, 0, 0]
    assert len(desk.channel.messages) == 1


async def test_nobody_in_time_is_a_no_without_anybody_looking() -> None:
    desk = Afternoon(ASK)
    action = await desk.proposed()
    made, _ = rounds(desk)
    desk.now += timedelta(minutes=60)
    await made.make()
    assert (await desk.action(action)).state == "expired"
    assert desk.trail.of("approval") == ["expired: rerun of LoadSales | expired."]


async def test_one_that_makes_trouble_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Afternoon()
    first, second = await desk.proposed(key="1"), await desk.proposed(key="2")
    made, queue = rounds(desk)
    one = Rounds._one

    async def troubled(self: Rounds, action: Action) -> bool:
        if action.id == second.id:
            raise UpstreamUnavailable("Table storage does not answer.")
        return await one(self, action)

    monkeypatch.setattr(Rounds, "_one", troubled)
    assert (await made.make(), queue.sent, queue.drained) == (1, [first.id], 1)
