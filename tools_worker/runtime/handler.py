"""One delivered tool call: decode, work, claim the answer slot, reply."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from core.errors import AppError, UpstreamError
from tools_worker.runtime import arguments, messages, replies
from tools_worker.runtime.messages import ToolCall, Unanswerable
from tools_worker.runtime.tools import ToolContext, ToolSpec
from tools_worker.runtime.worker import Worker

log = logging.getLogger("tools")


class Expired(AppError):
    """The call waited in the queue for longer than a tool may take: whoever asked has gone."""

    code = "expired"


class ToolTimeout(UpstreamError):
    code = "timeout"


@dataclass(frozen=True)
class Delivery:
    """A message as the host hands it over. `deliveries` counts from 1; `inserted` is when it was first sent."""

    id: str
    body: bytes
    inserted: datetime | None
    deliveries: int = 1


async def answer(tool: ToolSpec, delivery: Delivery, worker: Worker) -> str | None:
    """The reply message, or None where no reply can be matched. A bug in a tool propagates: the host redelivers."""
    try:
        call = messages.decode(delivery.body)
    except Unanswerable as exc:
        log.error("tool=%s message=%s outcome=unanswerable reason=%s", tool.name, delivery.id, exc)
        return None
    slot = call.slot(tool.name)
    if delivery.deliveries > 1 and (earlier := await worker.answers.find(slot)):
        log.info("tool=%s message=%s outcome=replayed delivery=%d", tool.name, delivery.id, delivery.deliveries)
        return earlier
    started = time.monotonic()
    value, outcome = await work(tool, call, delivery, worker)
    log.info("tool=%s message=%s outcome=%s seconds=%.3f", tool.name, delivery.id, outcome, time.monotonic() - started)
    return await worker.answers.claim(slot, messages.encode(value, call))


async def work(tool: ToolSpec, call: ToolCall, delivery: Delivery, worker: Worker) -> tuple[str, str]:
    """The reply's text and the outcome's code. Never works on a call that is older than the tool's deadline."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(_time_left(delivery, worker)):
            given = arguments.parse(tool, call.arguments)
            reply = await tool.run(ToolContext(worker.factories, worker.now()), given)
    except TimeoutError:
        timeout = ToolTimeout(f"{tool.name} did not finish within {worker.tool_deadline_seconds:g} s.")
        return replies.failure(timeout), timeout.code
    except AppError as exc:
        return replies.failure(exc), exc.code
    seconds = time.monotonic() - started
    return replies.success(reply, seconds, partial(messages.fits, call=call)), "ok"


def _time_left(delivery: Delivery, worker: Worker) -> float:
    deadline = worker.tool_deadline_seconds
    if delivery.inserted is None:
        return deadline
    left = (delivery.inserted + timedelta(seconds=deadline) - worker.now()).total_seconds()
    if left <= 0:
        raise Expired(f"This call is older than {deadline:g} s and was not worked on.", hint="Ask again.")
    return min(left, deadline)  # a storage clock ahead of ours must not lengthen the deadline
