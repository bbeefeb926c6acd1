"""Thinking with a chat-completions endpoint: tools become functions, its usage becomes the run's."""

from __future__ import annotations

import json
from typing import Any

import httpx

from localcloud.foundry.records import Json, Usage
from localcloud.foundry.settings import ModelEndpoint
from localcloud.foundry.thinking.turns import Call, Offer, Outcome, Prompt, ThinkingFailed, Turn

SECONDS = 120
PASSED_ON = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_completion_tokens": "max_tokens",
}
CUT_SHORT = {"length": "max_completion_tokens", "content_filter": "content_filter"}


class EndpointThinker:
    def __init__(self, model: ModelEndpoint, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._model, self._transport = model, transport

    async def think(self, prompt: Prompt) -> Turn:
        return turn_of(await self._complete(request_of(self._model.name, prompt)))

    async def _complete(self, body: Json) -> Json:
        headers = {"Authorization": f"Bearer {self._model.key}"}
        async with httpx.AsyncClient(timeout=SECONDS, transport=self._transport) as client:
            try:
                answer = await client.post(f"{self._model.url}/chat/completions", json=body, headers=headers)
            except httpx.HTTPError as error:
                raise ThinkingFailed("server_error", f"The model endpoint could not be reached: {error!r}") from error
        if answer.status_code == 429:
            raise ThinkingFailed("rate_limit_exceeded", "Rate limit is exceeded. Try again later.")
        if answer.status_code != 200:
            raise ThinkingFailed("server_error", f"The model endpoint answered {answer.status_code}.")
        try:
            parsed: Json = answer.json()
        except ValueError as error:
            raise ThinkingFailed("server_error", "The model endpoint answered no JSON.") from error
        return parsed


def request_of(model: str, prompt: Prompt) -> Json:
    body: Json = {"model": model, "messages": messages_of(prompt)}
    if prompt.offers:
        body["tools"] = [tool_of(offer) for offer in prompt.offers]
        body["tool_choice"] = choice_of(prompt)
    body |= {theirs: prompt.option(ours) for ours, theirs in PASSED_ON.items() if prompt.option(ours) is not None}
    if isinstance(prompt.option("response_format"), dict):
        body["response_format"] = prompt.option("response_format")
    return body


def choice_of(prompt: Prompt) -> Any:
    """A named tool, when the run asks for one and it has not been called yet; else the model chooses."""
    choice = prompt.option("tool_choice")
    if isinstance(choice, dict) and choice.get("function") and not prompt.rounds:
        return {"type": "function", "function": {"name": choice["function"]["name"]}}
    return "auto"


def tool_of(offer: Offer) -> Json:
    function = {"name": offer.name, "description": offer.description, "parameters": offer.parameters}
    return {"type": "function", "function": function}


def messages_of(prompt: Prompt) -> list[Json]:
    messages: list[Json] = [{"role": "system", "content": prompt.instructions}] if prompt.instructions else []
    messages += [{"role": said.role, "content": said.text} for said in prompt.messages]
    for number, outcomes in enumerate(prompt.rounds):
        messages += round_of(number, outcomes)
    return messages


def round_of(number: int, outcomes: tuple[Outcome, ...]) -> list[Json]:
    ids = [f"call_{number}_{index}" for index in range(len(outcomes))]
    calls = [
        {
            "id": key,
            "type": "function",
            "function": {"name": outcome.call.name, "arguments": json.dumps(outcome.call.arguments)},
        }
        for key, outcome in zip(ids, outcomes, strict=True)
    ]
    answers = [
        {"role": "tool", "tool_call_id": key, "content": outcome.output}
        for key, outcome in zip(ids, outcomes, strict=True)
    ]
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *answers]


def turn_of(answer: Json) -> Turn:
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        calls = tuple(call_of(call["function"]) for call in message.get("tool_calls") or [])
    except (KeyError, IndexError, TypeError) as error:
        raise ThinkingFailed("server_error", "The model endpoint's answer has not the expected shape.") from error
    return Turn(message.get("content") or "", calls, usage_of(answer), CUT_SHORT.get(choice.get("finish_reason")))


def call_of(function: Json) -> Call:
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except ValueError:
        arguments = {}
    return Call(function["name"], arguments if isinstance(arguments, dict) else {})


def usage_of(answer: Json) -> Usage:
    usage = answer.get("usage") or {}
    return Usage(int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0)))
