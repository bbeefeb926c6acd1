"""Answers tool calls that ended on a poison queue, so that no agent run waits for a reply that never comes."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import AppError
from core.telemetry import metrics, names
from tools_worker.runtime import messages, replies
from tools_worker.runtime.messages import Unanswerable
from tools_worker.runtime.tools import ToolSpec
from tools_worker.runtime.worker import Worker

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient, QueueServiceClient

log = logging.getLogger("tools.sweep")
MAX_TRIES = 10  # then a message that breaks the answering of it is given up
HIDDEN_SECONDS = 60  # long enough to answer a page of 32, short enough that a sweeper's death delays little


class ToolBroken(AppError):
    """Every delivery of the call ended in an unexpected error: a bug of ours or a message out of form."""

    code = "tool_broken"


async def answer_poison(tools: Iterable[ToolSpec], worker: Worker) -> int:
    """Answer what lies on the poison queues of these tools. The number of messages taken from them."""
    if worker.queues is None:
        return 0
    taken = 0
    for tool in tools:
        try:
            taken += await _drain(tool, worker, worker.queues())
        except Exception:
            log.exception("tool=%s outcome=poison_queue_unreadable", tool.name)
    return taken


async def _drain(tool: ToolSpec, worker: Worker, queues: QueueServiceClient) -> int:
    from azure.core.exceptions import ResourceNotFoundError

    poison = queues.get_queue_client(f"{tool.input_queue}-poison")
    output = queues.get_queue_client(tool.output_queue)
    taken = 0
    try:
        page = [
            m
            async for m in poison.receive_messages(
                messages_per_page=32, visibility_timeout=HIDDEN_SECONDS, max_messages=32
            )
        ]
    except ResourceNotFoundError:  # nothing was ever poisoned
        return 0
    for message in page:
        try:
            reply = await _answer(tool, message, worker)
            if reply is not None:
                await _send(output, messages.to_base64(reply))
        except Exception:
            log.exception("tool=%s message=%s outcome=poison_not_answered", tool.name, message.id)
            if (message.dequeue_count or 0) < MAX_TRIES:
                continue  # it comes back when its hiding time is over
        await poison.delete_message(message)
        taken += 1
    metrics.count(names.POISONED, taken, {names.QUEUE: tool.input_queue})
    return taken


async def _send(output: QueueClient, reply: str) -> None:
    from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

    try:
        await output.send_message(reply)
    except ResourceNotFoundError:  # nobody has made it yet
        with suppress(ResourceExistsError):
            await output.create_queue()
        await output.send_message(reply)


async def _answer(tool: ToolSpec, message: Any, worker: Worker) -> str | None:
    try:
        call = messages.decode_raw(message.content.encode())
    except Unanswerable as exc:
        log.error("tool=%s message=%s outcome=poison_unanswerable reason=%s", tool.name, message.id, exc)
        return None
    log.error("tool=%s message=%s outcome=poison_answered", tool.name, message.id)
    broken = ToolBroken(f"{tool.name} failed unexpectedly on this call, several times.", hint="Try other arguments.")
    return await worker.answers.claim(call.slot(tool.name), messages.encode(replies.failure(broken), call))
