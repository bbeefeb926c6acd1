"""What every channel promises, and what Teams' does with the answers of a flow."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator

import pytest

from core.errors import UpstreamError, UpstreamRefused, UpstreamThrottled, UpstreamUnavailable
from core.pace import Pace
from core.settings import Settings
from orchestrator.notify.channel import channel
from orchestrator.notify.console import ConsoleNotifier, MemoryNotifier
from orchestrator.notify.port import Message, Notifier
from orchestrator.notify.teams import TeamsNotifier
from tests.orchestrator.notify.official import faults
from tests.orchestrator.notify.samples import messages
from tests.tools_worker.datafactory.scripted_arm import HANG_UP, Script, answer, scripted

MESSAGE = messages()["incident"]
SIGNATURE = "s3cr3t-signature"
TAKEN = answer("", 202)


class Flow:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.notifier = TeamsNotifier(f"{script.url}/workflows/1/run?sig={SIGNATURE}")


@pytest.fixture
async def flow() -> AsyncIterator[Flow]:
    async with scripted(TAKEN) as script:
        made = Flow(script)
        yield made
        await made.notifier.close()


def answers(flow: Flow, *told: bytes) -> None:
    flow.script.answers[:] = told


@pytest.mark.contract
@pytest.mark.parametrize("kind", ["teams", "console", "memory"])
async def test_a_message_is_taken(kind: str, flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    notifiers: dict[str, Notifier] = {"teams": flow.notifier, "console": ConsoleNotifier(), "memory": MemoryNotifier()}
    for each in messages().values():
        await notifiers[kind].send(each)
    memory = notifiers["memory"]
    assert isinstance(memory, MemoryNotifier)
    seen = {"teams": len(flow.script.asked), "console": len(caplog.messages), "memory": len(memory.sent)}
    assert seen[kind] == len(messages())


@pytest.mark.contract
@pytest.mark.parametrize("kind", ["teams", "memory"])
async def test_a_message_that_was_not_taken_may_be_sent_again(kind: str, flow: Flow) -> None:
    answers(flow, answer("", 503), TAKEN)
    notifiers: dict[str, Notifier] = {
        "teams": flow.notifier,
        "memory": MemoryNotifier(UpstreamUnavailable("Teams answered 503.")),
    }
    with pytest.raises(UpstreamError, match="503"):
        await notifiers[kind].send(MESSAGE)
    await notifiers[kind].send(MESSAGE)


async def test_the_flow_gets_the_card_in_its_envelope(flow: Flow) -> None:
    await flow.notifier.send(MESSAGE)
    [(method, path, body, headers)] = flow.script.asked
    assert (method, path) == ("POST", f"/workflows/1/run?sig={SIGNATURE}")
    assert headers["content-type"] == "application/json"
    assert body["type"] == "message"
    [attachment] = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
    assert attachment["content"] == json.loads(json.dumps(MESSAGE.card))


async def test_a_message_without_a_card_is_sent_as_one(flow: Flow) -> None:
    await flow.notifier.send(Message("k", "a", "Title", "Only text."))
    card = flow.script.bodies[0]["attachments"][0]["content"]
    assert faults(card) == []
    assert "Only text." in json.dumps(card)


@pytest.mark.parametrize(("status", "hint"), [(400, "posts cards"), (401, "copy the address"), (404, "who owns it")])
async def test_what_the_flow_refuses_tells_what_to_look_at(flow: Flow, status: int, hint: str) -> None:
    answers(flow, answer("", status))
    with pytest.raises(UpstreamRefused, match=hint) as refused:
        await flow.notifier.send(MESSAGE)
    assert not refused.value.retryable


@pytest.mark.parametrize("status", [408, 500, 502, 503])
async def test_a_flow_in_trouble_may_be_asked_again(flow: Flow, status: int) -> None:
    answers(flow, answer("", status))
    with pytest.raises(UpstreamUnavailable) as down:
        await flow.notifier.send(MESSAGE)
    assert down.value.retryable
    assert len(flow.script.asked) == 1  # whoever sends decides when


@pytest.mark.parametrize(("told", "seconds"), [("7", 7.0), ("soon", None), ("-1", None)])
async def test_a_flow_that_is_asked_too_often_says_when(flow: Flow, told: str, seconds: float | None) -> None:
    answers(flow, answer("", 429, Retry_After=told))
    with pytest.raises(UpstreamThrottled) as throttled:
        await flow.notifier.send(MESSAGE)
    assert throttled.value.retry_after_seconds == seconds


async def test_a_redirect_is_not_followed(flow: Flow) -> None:
    answers(flow, answer("", 307, Location=f"{flow.script.url}/elsewhere"))
    with pytest.raises(UpstreamRefused):
        await flow.notifier.send(MESSAGE)
    assert len(flow.script.asked) == 1


@pytest.mark.parametrize("broken", [HANG_UP, b"nonsense\r\n\r\n"])
async def test_a_broken_connection_may_be_tried_again(flow: Flow, broken: bytes) -> None:
    answers(flow, broken)
    with pytest.raises(UpstreamUnavailable):
        await flow.notifier.send(MESSAGE)


@pytest.mark.parametrize("told", [answer("", 401), answer("", 500), answer("", 307, Location="/x"), HANG_UP, TAKEN])
async def test_the_address_of_the_flow_is_told_to_nobody(
    flow: Flow, told: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers(flow, told)
    try:
        await flow.notifier.send(MESSAGE)
    except UpstreamError as exc:
        logging.getLogger("test").exception("failed: %s", exc)
    assert SIGNATURE not in caplog.text
    assert SIGNATURE not in repr(flow.notifier)


async def test_messages_are_paced_as_teams_allows() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with scripted(TAKEN) as script:
        notifier = TeamsNotifier(script.url, Pace("Teams", 2, 1.0, clock=lambda: 0.0, sleep=sleep))
        for _ in range(4):
            await notifier.send(MESSAGE)
        await notifier.close()
    assert waits == [0.5, 1.0]


async def test_a_message_in_the_log_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await ConsoleNotifier().send(MESSAGE)
    [line] = caplog.messages
    assert "\n" not in line
    assert "sql-contoso" in line


async def test_the_channel_is_the_log_until_one_is_configured() -> None:
    assert isinstance(channel(Settings.load({})), ConsoleNotifier)
    made = channel(Settings.load({"TEAMS_WEBHOOK_URL": "http://127.0.0.1:9/flow"}))
    assert isinstance(made, TeamsNotifier)
    await made.close()


async def test_an_address_that_is_none_of_teams_leaves_the_channel_to_the_log() -> None:
    assert isinstance(channel(Settings.load({"TEAMS_WEBHOOK_URL": "https://elsewhere.example/"})), ConsoleNotifier)
