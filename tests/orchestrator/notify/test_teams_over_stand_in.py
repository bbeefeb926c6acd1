"""Every message reaches the stand-in's channel, which knows nothing of how we make them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from core.errors import UpstreamThrottled
from core.pace import Pace
from orchestrator.notify.teams import TeamsNotifier
from tests.orchestrator.notify.samples import messages


@pytest.fixture(scope="module")
def channel() -> Iterator[str]:
    command = [sys.executable, "-m", "localcloud.teams", "--port", "0", "--exit-with-stdin"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


async def test_every_kind_of_message_is_posted(channel: str) -> None:
    notifier = TeamsNotifier(f"{channel}/workflows/local/run?sig=local", Pace("Teams", 100, 1.0))
    for message in messages().values():
        await notifier.send(message)
    await notifier.close()
    async with httpx.AsyncClient(base_url=channel) as asking:
        posted = (await asking.get("/_cards")).json()["cards"]
    assert [each["card"] for each in posted] == [json.loads(json.dumps(each.card)) for each in messages().values()]


async def test_a_channel_that_is_busy_says_when_to_come_again(channel: str) -> None:
    async with httpx.AsyncClient(base_url=channel) as asking:
        (await asking.post("/_faults", json={"status": 429, "retry_after": 3})).raise_for_status()
    notifier = TeamsNotifier(f"{channel}/workflows/local/run?sig=local")
    with pytest.raises(UpstreamThrottled) as told:
        await notifier.send(messages()["incident"])
    await notifier.close()
    assert told.value.retry_after_seconds == 3
