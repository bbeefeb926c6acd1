"""What was promised in Teams is posted there, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.notify.console import MemoryNotifier
from orchestrator.stores.runs import MemoryRunStore
from orchestrator.teams.posting import post_promised
from tests.orchestrator.notify.samples import RUN

ASKED = replace(RUN, session_id="teams-1")


async def test_a_promised_answer_is_posted() -> None:
    store, channel = MemoryRunStore(), MemoryNotifier()
    await store.promise_answer(ASKED.id)
    assert await post_promised(ASKED, store, channel, "https://func.example/run")
    [message] = channel.sent
    assert (message.about, message.key) == (ASKED.id, f"{ASKED.id}:answer")
    assert "the firewall of sql-contoso" in message.text


async def test_what_was_answered_at_once_is_not_posted() -> None:
    channel = MemoryNotifier()
    assert not await post_promised(ASKED, MemoryRunStore(), channel)
    assert channel.sent == []


async def test_what_was_asked_elsewhere_is_not_looked_up() -> None:
    class Broken(MemoryRunStore):
        async def answer_promised(self, run_id: str) -> bool:
            raise UpstreamUnavailable("Table storage does not answer.")

    assert not await post_promised(RUN, Broken(), MemoryNotifier())


async def test_a_channel_that_does_not_answer_is_tried_again_by_whoever_calls() -> None:
    store, channel = MemoryRunStore(), MemoryNotifier(UpstreamUnavailable("Teams does not answer."))
    await store.promise_answer(ASKED.id)
    with pytest.raises(UpstreamUnavailable):
        await post_promised(ASKED, store, channel)
    assert await post_promised(ASKED, store, channel)
