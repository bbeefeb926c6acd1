"""A classic run as it is seen: raw events off its stream, and what they add up to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from azure.ai.agents.models import BaseAsyncAgentEventHandler

from orchestrator.foundry import wire
from orchestrator.foundry.port import Call, Turn, TurnRef


class Body:
    """A streamed answer that can be closed before its end. The SDK's own leaves the connection open then."""

    def __init__(self, answer: Any, chunks: AsyncIterator[bytes], headers: Any) -> None:
        self._response, self._chunks = answer.http_response, chunks

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def close(self) -> None:
        await self._response.close()


class RawEvents(BaseAsyncAgentEventHandler[tuple[str, dict[str, Any]]]):
    """Stream events as plain JSON. The SDK's own parser dies of a comment frame and knows fewer kinds of steps."""

    async def _process_event(self, event_data_str: str) -> tuple[str, dict[str, Any]]:
        name, data = "", ""
        for line in event_data_str.splitlines():
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                data += line[5:].strip()
        if not data or data == "[DONE]":
            return name, {}
        parsed = json.loads(data)
        return name, parsed if isinstance(parsed, dict) else {}


class RunSeen:
    """What is known of a run: fed by stream events or by polls, read as a Turn."""

    def __init__(
        self, conversation: str, run: dict[str, Any] | None = None, steps: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self.conversation = conversation
        self.run = run or {}
        self.steps = steps or {}
        self.messages: dict[str, dict[str, Any]] = {}
        self.children: dict[TurnRef, list[dict[str, Any]]] = {}

    def apply(self, name: str, data: dict[str, Any]) -> bool:
        """Take in one stream event. Whether it changes what a reader would see."""
        if name == "thread.run.step.delta":
            wire.merge_step_delta(self.steps.setdefault(str(data.get("id")), {"id": data.get("id")}), data)
            return True
        if name.startswith("thread.run.step."):
            self.steps[str(data.get("id"))] = data
            return True
        if name.startswith("thread.run."):
            self.run = data
            return True
        if name == "thread.message.completed":
            self.messages[str(data.get("id"))] = data
        return False

    def calls(self) -> tuple[Call, ...]:
        return wire.calls(self.steps.values())

    def turn(self) -> Turn:
        calls = tuple(self._with_children(call) for call in self.calls())
        code, message = wire.error(self.run)
        below = (wire.usage(step) for steps in self.children.values() for step in steps)
        return Turn(
            ref=TurnRef(self.conversation, str(self.run.get("id") or "")),
            status=wire.status(self.run),
            text=wire.message_text(self.messages.values()),
            calls=calls,
            usage=sum(below, wire.usage(self.run)),
            error_code=code,
            error=message,
        )

    def _with_children(self, call: Call) -> Call:
        if call.turn is None or call.turn not in self.children:
            return call
        return replace(call, calls=wire.calls(self.children[call.turn]))
