"""The door of Teams in the whole app: only what its token signed comes in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI

from localcloud.teams.say import TOKEN, activity, signed
from orchestrator import services
from orchestrator.api import app as api
from orchestrator.api import callers, problems, teams, teams_signature
from orchestrator.api.links import Links
from tests.orchestrator.api.doors import through
from tests.orchestrator.api.test_api import problem
from tests.orchestrator.notify.samples import RUN

SAMPLES = Path(__file__).resolve().parents[3] / ".." / "shared" / "callers" / "payloads"
MESSAGES = "/hooks/teams/messages"


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("TEAMS_SECURITY_TOKEN", TOKEN)
    app = api.build()

    async def nobody() -> None:
        return None  # who asks for help needs no service

    app.dependency_overrides[services.provided] = nobody
    transport = httpx.ASGITransport(through("hooks", app))
    async with httpx.AsyncClient(transport=transport, base_url="https://app.example") as client:
        yield client


def asking_for_help(**changes: Any) -> bytes:
    return json.dumps({**activity("help"), **changes}).encode()


async def test_what_the_token_signed_is_answered(door: httpx.AsyncClient) -> None:
    body = asking_for_help()
    response = await door.post(MESSAGES, content=body, headers={"Authorization": signed(body, TOKEN)})
    assert response.status_code == 200
    assert "What failed" in response.json()["text"]


@pytest.mark.parametrize(
    "authorization",
    ["", "HMAC", "HMAC x", "Bearer x", signed(b"another body", TOKEN), signed(asking_for_help(), "b3RoZXI=")],
    ids=["nothing", "no signature", "too short", "another scheme", "of another body", "of another key"],
)
async def test_anything_else_is_refused(door: httpx.AsyncClient, authorization: str) -> None:
    response = await door.post(MESSAGES, content=asking_for_help(), headers={"Authorization": authorization})
    problem(response, 401, "unauthenticated")


async def test_an_empty_body_is_refused_although_it_is_signed(door: httpx.AsyncClient) -> None:
    response = await door.post(MESSAGES, content=b"", headers={"Authorization": signed(b"", TOKEN)})
    problem(response, 401, "unauthenticated")


async def test_a_body_of_yesterday_is_refused_although_it_is_signed(door: httpx.AsyncClient) -> None:
    body = asking_for_help(timestamp="2017-02-01T21:10:07.437Z")
    response = await door.post(MESSAGES, content=body, headers={"Authorization": signed(body, TOKEN)})
    problem(response, 401, "unauthenticated")


async def test_without_a_token_the_door_is_closed(door: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAMS_SECURITY_TOKEN")
    body = asking_for_help()
    response = await door.post(MESSAGES, content=body, headers={"Authorization": signed(body, TOKEN)})
    assert "TEAMS_SECURITY_TOKEN" in problem(response, 503, "not_configured")["hint"]


def vectors() -> list[tuple[str, bytes, str, str]]:
    """Name, body, token and header of each published vector; none where they are not beside this checkout."""
    file = SAMPLES / "teams_outgoing_webhook_hmac_vectors.json"
    if not file.is_file():
        return []
    told = json.loads(file.read_text(encoding="utf-8"))
    sample = (SAMPLES / "teams_outgoing_webhook_activity.json").read_bytes()
    return [
        (
            each["name"],
            each["body_utf8"].encode() if "body_utf8" in each else sample,
            told["key_base64"],
            each["authorization"],
        )
        for each in told["vectors"]
    ]


@pytest.mark.skipif(not vectors(), reason="no vectors beside this checkout")
@pytest.mark.parametrize(
    ("body", "token", "header"), [each[1:] for each in vectors()], ids=[each[0] for each in vectors()]
)
async def test_the_published_vectors_come_in_unless_they_are_empty(
    body: bytes, token: str, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAMS_SECURITY_TOKEN", token)
    guard = teams_signature.TeamsSignature(lambda: datetime(2017, 2, 1, 21, 10, 8, tzinfo=UTC))
    transport = httpx.ASGITransport(through("hooks", guarded_app(guard)))
    async with httpx.AsyncClient(transport=transport, base_url="https://app.example") as client:
        response = await client.post("/hooks/x", content=body, headers={"Authorization": header})
        changed = await client.post("/hooks/x", content=body + b" ", headers={"Authorization": header})
    assert response.status_code == (200 if body else 401)
    assert changed.status_code == 401


async def come_in() -> str:
    return "in"


def guarded_app(guard: callers.Guard) -> FastAPI:
    app = FastAPI()
    app.post("/hooks/x", dependencies=[Depends(guard)])(come_in)
    problems.register(app)
    return app


async def test_replies_link_to_the_run_where_links_can_be_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAMS_WEBHOOK_URL", "http://127.0.0.1:9/flow")
    how = await teams.manner(Links("https://func.example", "k" * 40))
    assert how.link(RUN).startswith(f"https://func.example/hooks/runs/{RUN.id}?exp=")
    assert how.posted


async def test_without_a_key_there_is_no_link_that_nobody_there_could_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAMS_WEBHOOK_URL", raising=False)
    how = await teams.manner(Links("https://func.example"))
    assert how.link(RUN) == ""
    assert not how.posted
