"""Thinking with a chat-completions endpoint."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from localcloud.foundry.records import Usage
from localcloud.foundry.settings import ModelEndpoint, Settings
from localcloud.foundry.thinking.choice import choose_thinker
from localcloud.foundry.thinking.endpoint import EndpointThinker
from localcloud.foundry.thinking.gullible import GulliblePlanner
from localcloud.foundry.thinking.planner import Planner
from localcloud.foundry.thinking.turns import Call, Offer, Outcome, Prompt, Said, ThinkingFailed
from tests.localcloud.foundry.conftest import StartStandIn

MODEL = ModelEndpoint("http://model.local/v1", "tiny", "secret")
CLOCK = Offer("clock", "Tells the time.", {"type": "object", "properties": {"zone": {"type": "string"}}})


class Endpoint:
    """Answers requests in turn, and keeps them."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers, self.bodies, self.keys = list(answers), [], []  # type: ignore[var-annotated]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content))
        self.keys.append(request.headers["authorization"])
        return self.answers.pop(0)

    @property
    def thinker(self) -> EndpointThinker:
        return EndpointThinker(MODEL, httpx.MockTransport(self))


def says(text: str | None = None, *calls: tuple[str, str], finish: str = "stop") -> httpx.Response:
    tool_calls = [{"id": "1", "type": "function", "function": {"name": n, "arguments": a}} for n, a in calls]
    message = {"role": "assistant", "content": text, **({"tool_calls": tool_calls} if calls else {})}
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    return httpx.Response(200, json={"choices": [{"message": message, "finish_reason": finish}], "usage": usage})


def prompt(*rounds: tuple[Outcome, ...], **options: Any) -> Prompt:
    return Prompt("m", "Be brief.", (Said("user", "What time is it?"),), (CLOCK,), rounds, options=options)


async def test_tools_and_messages_are_sent_as_functions_and_chat() -> None:
    endpoint = Endpoint(says("Noon."))
    turn = await endpoint.thinker.think(prompt(temperature=0.2))
    (body,) = endpoint.bodies
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What time is it?"},
    ]
    assert body["tools"][0]["function"]["name"] == "clock"
    assert (body["model"], body["temperature"], endpoint.keys) == ("tiny", 0.2, ["Bearer secret"])
    assert (turn.text, turn.usage) == ("Noon.", Usage(11, 3))


async def test_calls_come_back_with_their_arguments() -> None:
    turn = await Endpoint(says(None, ("clock", '{"zone": "UTC"}'), ("clock", "nonsense"))).thinker.think(prompt())
    assert turn.calls == (Call("clock", {"zone": "UTC"}), Call("clock", {}))


async def test_earlier_rounds_are_told_as_tool_messages() -> None:
    endpoint = Endpoint(says("Noon."))
    await endpoint.thinker.think(prompt((Outcome(Call("clock", {"zone": "UTC"}), "12:00"),)))
    called, answered = endpoint.bodies[0]["messages"][-2:]
    assert called["tool_calls"][0]["id"] == answered["tool_call_id"]
    assert answered == {"role": "tool", "tool_call_id": answered["tool_call_id"], "content": "12:00"}


async def test_a_demanded_tool_is_demanded_once() -> None:
    endpoint = Endpoint(says("Noon."), says("Noon."))
    choice = {"type": "function", "function": {"name": "clock"}}
    await endpoint.thinker.think(prompt(tool_choice=choice))
    await endpoint.thinker.think(prompt((Outcome(Call("clock", {}), "12:00"),), tool_choice=choice))
    assert [body["tool_choice"] for body in endpoint.bodies] == [choice, "auto"]


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", "max_completion_tokens"), ("content_filter", "content_filter")]
)
async def test_a_cut_answer_says_why(finish: str, reason: str) -> None:
    assert (await Endpoint(says("No", finish=finish)).thinker.think(prompt())).cut_short == reason


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(429), "rate_limit_exceeded"),
        (httpx.Response(503), "server_error"),
        (httpx.Response(200, text="no json"), "server_error"),
        (httpx.Response(200, json={"choices": []}), "server_error"),
    ],
)
async def test_an_endpoint_in_trouble_fails_the_thinking(answer: httpx.Response, code: str) -> None:
    with pytest.raises(ThinkingFailed) as caught:
        await Endpoint(answer).thinker.think(prompt())
    assert caught.value.code == code


async def test_the_failure_becomes_the_runs_last_error(stand_in: StartStandIn) -> None:
    one = await stand_in(Endpoint(httpx.Response(429)).thinker)
    run = await one.run("?", (await one.client.create_agent(model="m")).id)
    assert run.status == "failed"
    assert run.last_error
    assert run.last_error.code == "rate_limit_exceeded"


async def test_an_endpoint_that_cannot_be_reached_fails_the_thinking() -> None:
    thinker = EndpointThinker(ModelEndpoint("http://127.0.0.1:9", "tiny", ""))
    with pytest.raises(ThinkingFailed, match="could not be reached"):
        await thinker.think(prompt())


def test_the_thinker_follows_the_settings() -> None:
    assert isinstance(choose_thinker(Settings(model=MODEL)), EndpointThinker)
    assert type(choose_thinker(Settings())) is Planner
    assert isinstance(choose_thinker(Settings(planner="gullible")), GulliblePlanner)


def test_an_endpoint_needs_an_address_and_a_name() -> None:
    assert ModelEndpoint.from_env({"LOCAL_MODEL_URL": "http://x/v1/", "LOCAL_MODEL_NAME": "n"}) == ModelEndpoint(
        "http://x/v1", "n", ""
    )
    assert ModelEndpoint.from_env({"LOCAL_MODEL_URL": "http://x/v1"}) is None
