"""The wire form of a tool call and of its reply, as the agent service writes and reads them on the storage queues.

Call (after base64): the arguments flat beside `CorrelationId` (classic), or
`{"function_name"?, "function_args": {…}, "CorrelationId"}` (v2). Reply: `{"Value": "<text>", "CorrelationId": <same>}`.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_REPLY_BYTES = 49_152  # a queue message holds 64 KiB after base64; one byte more is refused with 413
MAX_CORRELATION_BYTES = 24 * 1024  # half a reply; the service's own have 36
NOT_ARGUMENTS = {
    "CorrelationId",
    "outputqueueuri",
}  # the second is a parameter of Microsoft's samples that models fill in


class Unanswerable(ValueError):
    """A message that no reply can be matched to: not JSON, not an object, or without a CorrelationId of any use."""


@dataclass(frozen=True)
class ToolCall:
    """`correlation` is the service's: any JSON value, echoed unchanged."""

    correlation: Any
    arguments: Mapping[str, Any]

    def slot(self, tool: str) -> str:
        """The key of this call's only answer. Hashed: correlation ids may hold characters that table keys refuse."""
        identity = json.dumps([tool, self.correlation, self.arguments], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(identity.encode()).hexdigest()


def decode(body: bytes) -> ToolCall:
    """Read either form. Raises Unanswerable."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as exc:  # deep nesting is somebody's malformed message, not our bug
        raise Unanswerable(f"not JSON: {exc.__class__.__name__}") from exc
    if not isinstance(payload, dict) or payload.get("CorrelationId") in (None, ""):
        raise Unanswerable("no CorrelationId")
    if len(json.dumps(payload["CorrelationId"])) > MAX_CORRELATION_BYTES:
        raise Unanswerable("a CorrelationId that leaves no room for a reply")
    wrapped = payload.get("function_args")
    if isinstance(wrapped, dict):
        return ToolCall(payload["CorrelationId"], wrapped)
    return ToolCall(payload["CorrelationId"], {k: v for k, v in payload.items() if k not in NOT_ARGUMENTS})


def decode_raw(content: bytes) -> ToolCall:
    """Like `decode`, for content read from a queue without the host: base64, or plain where a writer forgot it."""
    try:
        return decode(b64decode(content, validate=True))
    except ValueError:  # Unanswerable is one, and so is what is not base64
        return decode(content)


def encode(value: str, call: ToolCall) -> str:
    reply = {"Value": value, "CorrelationId": call.correlation}
    text = json.dumps(reply, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only goes through escaped
        return json.dumps(reply)
    return text


def to_base64(reply: str) -> str:
    """As the Functions host writes it to a queue, for whoever writes without the host."""
    return b64encode(reply.encode()).decode()


def fits(value: str, call: ToolCall) -> bool:
    return len(encode(value, call).encode()) <= MAX_REPLY_BYTES
