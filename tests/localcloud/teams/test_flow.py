"""The stand-in of a channel takes what Teams takes, and refuses what it refuses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localcloud.teams.flow import create_app

SAMPLES = Path(__file__).resolve().parents[3] / ".." / "shared" / "callers" / "payloads"
FLOW = "/workflows/local/run?sig=local"
CARD: dict[str, Any] = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [{"type": "TextBlock", "text": "It <works>."}],
    "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": "https://x.example/"}],
}


def message(card: Any) -> dict[str, Any]:
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


@pytest.fixture
async def channel() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url="http://flow") as client:
        yield client


async def test_a_card_is_taken_kept_and_shown(channel: httpx.AsyncClient) -> None:
    response = await channel.post(FLOW, json=message(CARD))
    assert (response.status_code, response.content) == (202, b"")
    [kept] = (await channel.get("/_cards")).json()["cards"]
    assert (kept["seq"], kept["card"]) == (1, CARD)
    page = (await channel.get("/")).text
    assert "It &lt;works&gt;." in page
    assert "[Open] https://x.example/" in page


async def test_cards_are_listed_after_the_last_one_seen(channel: httpx.AsyncClient) -> None:
    for _ in range(3):
        await channel.post(FLOW, json=message(CARD))
    assert [each["seq"] for each in (await channel.get("/_cards?after=1")).json()["cards"]] == [2, 3]
    await channel.delete("/_cards")
    assert (await channel.get("/_cards")).json() == {"cards": [], "posted": 0}


async def test_the_sample_of_a_message_is_taken(channel: httpx.AsyncClient) -> None:
    sample = SAMPLES / "teams_workflow_webhook_message.json"
    if not sample.is_file():
        pytest.skip("no samples beside this checkout")
    assert (await channel.post(FLOW, content=sample.read_bytes())).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "message", "attachments": []},
        {"type": "message", "text": "no card"},
        message({"type": "TextBlock", "text": "x"}),
        message({**CARD, "version": "1.6"}),
        message(None),
        {"@type": "MessageCard", "text": "the old form"},
        [],
    ],
)
async def test_what_the_template_cannot_read_is_refused(channel: httpx.AsyncClient, body: Any) -> None:
    assert (await channel.post(FLOW, json=body)).status_code == 400
    assert (await channel.get("/_cards")).json()["posted"] == 0


async def test_a_wrong_signature_and_a_large_message_are_refused(channel: httpx.AsyncClient) -> None:
    assert (await channel.post("/workflows/local/run?sig=other", json=message(CARD))).status_code == 401
    large = {**CARD, "body": [{"type": "TextBlock", "text": "x" * 28_672}]}
    assert (await channel.post(FLOW, json=message(large))).status_code == 413


async def test_it_fails_as_often_as_it_is_told_to(channel: httpx.AsyncClient) -> None:
    await channel.post("/_faults", json={"status": 429, "times": 2, "retry_after": 1})
    told = [await channel.post(FLOW, content=json.dumps(message(CARD))) for _ in range(3)]
    assert [response.status_code for response in told] == [429, 429, 202]
    assert told[0].headers["Retry-After"] == "1"
