"""Only what Teams signed, and signed now, is a question from Teams."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request

from core.errors import NotConfigured, RequestError
from orchestrator.api.callers import FUNCTION
from orchestrator.api.teams_signature import TeamsSignature, signature
from tests.orchestrator.teams.test_activity import ACTIVITY, SAMPLES

NOW = datetime(2026, 11, 21, 6, 12, 30, tzinfo=UTC)
TOKEN = base64.b64encode(b"a token of 256 bits, more or less").decode()


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAMS_SECURITY_TOKEN", TOKEN)


async def let_in(body: bytes, header: str | bytes, at: datetime = NOW) -> str:
    told = header if isinstance(header, bytes) else header.encode()
    scope = {"type": "http", "method": "POST", "headers": [(b"authorization", told)], FUNCTION: "hooks"}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    return (await TeamsSignature(lambda: at)(Request(scope, receive))).kind


def body(**changes: Any) -> bytes:
    return json.dumps({**ACTIVITY, **changes}, ensure_ascii=False).encode()


async def test_what_teams_signed_comes_in() -> None:
    assert await let_in(body(), signature(TOKEN, body())) == "teams"


def test_signatures_are_those_of_the_known_vectors() -> None:
    path = SAMPLES / "teams_outgoing_webhook_hmac_vectors.json"
    if not path.exists():
        pytest.skip("the samples are not beside this checkout")
    known = json.loads(path.read_text())
    told = [each for each in known["vectors"] if each.get("body_utf8")]
    assert told
    for each in told:
        assert signature(known["key_base64"], each["body_utf8"].encode()).decode() == each["authorization"]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"HMAC ",
        b"HMAC AAAA",
        signature(base64.b64encode(b"another token").decode(), body()),
        signature(TOKEN, body()).lower(),
        signature(TOKEN, body())[5:],
        signature(TOKEN, body()) + b"=",
        signature(TOKEN, body()) + b" ",
        b"HMAC \xe9\xff",
    ],
)
async def test_another_signature_does_not(header: bytes) -> None:
    with pytest.raises(RequestError, match="not signed by Teams"):
        await let_in(body(), header)


async def test_nor_does_a_body_that_was_changed_by_a_byte() -> None:
    with pytest.raises(RequestError, match="not signed by Teams"):
        await let_in(body() + b" ", signature(TOKEN, body()))


async def test_nor_an_empty_body_whatever_its_signature() -> None:
    with pytest.raises(RequestError, match="not signed by Teams"):
        await let_in(b"", signature(TOKEN, b""))


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24 * 365])
async def test_a_body_replayed_after_the_window_is_refused(minutes: int) -> None:
    with pytest.raises(RequestError, match="too long ago"):
        await let_in(body(), signature(TOKEN, body()), NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize("told", ["yesterday", "2026-11-21T06:12:07", "9" * 400])
async def test_a_time_that_is_none_is_too_long_ago(told: str) -> None:
    with pytest.raises(RequestError, match="too long ago"):
        await let_in(body(timestamp=told), signature(TOKEN, body(timestamp=told)))


@pytest.mark.parametrize("token", ["", "not base64!"])
async def test_without_a_sound_token_the_door_says_what_to_set(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAMS_SECURITY_TOKEN", token)
    with pytest.raises(NotConfigured, match="TEAMS_SECURITY_TOKEN"):
        await let_in(body(), signature(TOKEN, body()))
