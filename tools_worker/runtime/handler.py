"""One delivered tool call: decode, work, claim the answer slot, reply."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from core.errors import AppError, UpstreamError
from core.telemetry import metrics, names
from core.telemetry.spans import MAX_TEXT, Attributes, span
from tools_worker.runtime import arguments, messages, replies
from tools_worker.runtime.messages import ToolCall, Unanswerable
from tools_worker.runtime.tools import ToolContext, ToolSpec
from tools_worker.runtime.worker import Worker

log = logging.getLogger("tools")
OK = "ok"


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
    with span(names.executing(tool.name), attributes=_about(tool, call)) as traced:
        value, outcome = await work(tool, call, delivery, worker, traced.traceparent)
        traced.set({names.OUTCOME: outcome})
        if outcome != OK:
            traced.failed(outcome)
    seconds = time.monotonic() - started
    metrics.record(names.TOOL_SECONDS, seconds, {names.TOOL_NAME: tool.name, names.OUTCOME: outcome})
    log.info("tool=%s message=%s outcome=%s seconds=%.3f", tool.name, delivery.id, outcome, seconds)
    return await worker.answers.claim(slot, messages.encode(value, call))


def _about(tool: ToolSpec, call: ToolCall) -> Attributes:
    return {
        names.OPERATION: names.EXECUTE_TOOL,
        names.TOOL_NAME: tool.name,
        names.TOOL_TYPE: names.TOOL_TYPES["queue"],
        names.CORRELATION: shortened(call.correlation),
    }


def shortened(correlation: object) -> str:
    """The agent service's own are of any length, and any JSON."""
    text = correlation if isinstance(correlation, str) else json.dumps(correlation, sort_keys=True)
    if len(text) <= MAX_TEXT:
        return text
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


async def work(
    tool: ToolSpec, call: ToolCall, delivery: Delivery, worker: Worker, traceparent: str = ""
) -> tuple[str, str]:
    """The reply's text and the outcome's code. Never works on a call that is older than the tool's deadline."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(_time_left(delivery, worker)):
            given = arguments.parse(tool, call.arguments)
            reply = await tool.run(ToolContext(worker.factories, worker.now()), given)
    except TimeoutError:
        timeout = ToolTimeout(f"{tool.name} did not finish within {worker.tool_deadline_seconds:g} s.")
        return replies.failure(timeout, traceparent), timeout.code
    except AppError as exc:
        return replies.failure(exc, traceparent), exc.code
    seconds = time.monotonic() - started
    return replies.success(reply, seconds, partial(messages.fits, call=call), traceparent), OK


def _time_left(delivery: Delivery, worker: Worker) -> float:
    deadline = worker.tool_deadline_seconds
    if delivery.inserted is None:
        return deadline
    left = (delivery.inserted + timedelta(seconds=deadline) - worker.now()).total_seconds()
    if left <= 0:
        raise Expired(f"This call is older than {deadline:g} s and was not worked on.", hint="Ask again.")
    return min(left, deadline)  # a storage clock ahead of ours must not lengthen the deadline
