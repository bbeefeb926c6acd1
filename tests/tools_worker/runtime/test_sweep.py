"""Poison messages are answered, once, with what the agents can use."""

from __future__ import annotations

import json
import uuid
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

import pytest

from core import clients
from core.settings import Settings
from tests.tools_worker.runtime.sample import Echo, make_worker
from tools_worker.runtime.answers import MemoryAnswerSlots
from tools_worker.runtime.messages import ToolCall
from tools_worker.runtime.sweep import answer_poison
from tools_worker.runtime.tools import ToolSpec

pytestmark = pytest.mark.contract


def fresh_tool() -> ToolSpec:
    """A name of its own per test, and so queues of its own."""
    return replace(Echo().spec, name=f"t_{uuid.uuid4().hex[:8]}")


async def swept(storage: str, tool: ToolSpec, content: str, answers: MemoryAnswerSlots) -> list[dict[str, Any]]:
    """Put `content` on the tool's poison queue, sweep twice, and read what was replied."""
    async with clients.queue_service(Settings.load({"STORAGE": storage})) as queues:
        poison, output = f"{tool.input_queue}-poison", tool.output_queue
        await queues.create_queue(poison)
        await queues.create_queue(output)
        await queues.get_queue_client(poison).send_message(content)
        worker = replace(make_worker(answers), queues=lambda: queues)
        assert await answer_poison([tool], worker) == 1
        assert await answer_poison([tool], worker) == 0
        replies = [m async for m in queues.get_queue_client(output).receive_messages()]
        return [json.loads(b64decode(message.content)) for message in replies]


def call(**arguments: object) -> str:
    return json.dumps({"CorrelationId": "42", **arguments})


@pytest.mark.parametrize("encode", [lambda text: b64encode(text.encode()).decode(), str], ids=["base64", "plain"])
async def test_a_poisoned_call_is_answered_and_taken_off(storage: str, encode: Any) -> None:
    (reply,) = await swept(storage, fresh_tool(), encode(call(text="x")), MemoryAnswerSlots())
    assert reply["CorrelationId"] == "42"
    assert json.loads(reply["Value"])["code"] == "tool_broken"


async def test_a_call_that_was_answered_after_all_keeps_its_answer(storage: str) -> None:
    tool, answers = fresh_tool(), MemoryAnswerSlots()
    given = json.dumps({"Value": "early", "CorrelationId": "42"})
    await answers.claim(ToolCall("42", {"text": "x"}).slot(tool.name), given)
    assert await swept(storage, tool, call(text="x"), answers) == [json.loads(given)]


async def test_what_cannot_be_answered_is_taken_off(storage: str) -> None:
    assert await swept(storage, fresh_tool(), "rubbish", MemoryAnswerSlots()) == []


async def test_a_tool_without_poison_costs_nothing(storage: str) -> None:
    async with clients.queue_service(Settings.load({"STORAGE": storage})) as queues:
        assert await answer_poison([fresh_tool()], replace(make_worker(), queues=lambda: queues)) == 0


HALF_A_PAIR = json.dumps({"CorrelationId": "\ud800", "text": "x"})


async def test_a_correlation_id_that_is_no_sound_text_is_answered_with_it(storage: str) -> None:
    (reply,) = await swept(storage, fresh_tool(), HALF_A_PAIR, MemoryAnswerSlots())
    assert reply["CorrelationId"] == "\ud800"


class Broken(MemoryAnswerSlots):
    """Cannot give an answer to one call."""

    async def claim(self, slot: str, reply: str) -> str:
        if "cursed" in reply:
            raise RuntimeError("cursed")
        return await super().claim(slot, reply)


async def test_one_message_that_cannot_be_answered_does_not_keep_the_others_waiting(storage: str) -> None:
    one, other = fresh_tool(), fresh_tool()
    async with clients.queue_service(Settings.load({"STORAGE": storage})) as queues:
        for tool, correlations in ((one, ("cursed", "fine")), (other, ("too",))):
            await queues.create_queue(f"{tool.input_queue}-poison")
            for correlation in correlations:
                message = json.dumps({"CorrelationId": correlation})
                await queues.get_queue_client(f"{tool.input_queue}-poison").send_message(message)
        worker = replace(make_worker(Broken()), queues=lambda: queues)
        assert await answer_poison([one, other], worker) == 2
        answered = {
            json.loads(b64decode(message.content))["CorrelationId"]
            for tool in (one, other)
            async for message in queues.get_queue_client(tool.output_queue).receive_messages()
        }
    assert answered == {"fine", "too"}  # the output queues were made on the way
