"""Messages that the host gave up on are dealt with once, whatever is in them."""

from __future__ import annotations

import uuid
from base64 import b64encode

import pytest

from core import clients
from core.settings import Settings
from orchestrator.stores.queues import poisoned


async def test_each_is_given_once_and_deleted_once_it_was_dealt_with(storage: str) -> None:
    async with clients.queue_service(Settings.load({"STORAGE": storage})) as queues:
        queue = queues.get_queue_client(f"q{uuid.uuid4().hex}-poison")
        assert [message async for message in poisoned(queue)] == []
        await queue.create_queue()
        for content in (b64encode(b"one").decode(), "not base64!"):
            await queue.send_message(content)
        assert sorted([message async for message in poisoned(queue)]) == [b"", b"one"]
        assert (await queue.get_queue_properties()).approximate_message_count == 0


async def test_one_that_could_not_be_dealt_with_comes_again(storage: str) -> None:
    async with clients.queue_service(Settings.load({"STORAGE": storage})) as queues:
        queue = queues.get_queue_client(f"q{uuid.uuid4().hex}-poison")
        await queue.create_queue()
        await queue.send_message(b64encode(b"one").decode())

        async def fail() -> None:
            async for _ in poisoned(queue):
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail()
        assert (await queue.get_queue_properties()).approximate_message_count == 1
