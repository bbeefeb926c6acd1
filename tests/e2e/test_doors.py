"""The three doors through the host: who is let in by key, by link, as a person; and callbacks over real queues."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiohttp import web

from tests.e2e.conftest import World

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]
QUESTION = {"question": "What failed in the last 24 hours?"}
FORGED = base64.b64encode(
    json.dumps(
        {"auth_typ": "aad", "claims": [{"typ": "roles", "val": "approver"}, {"typ": "oid", "val": "1"}]}
    ).encode()
).decode()


def stranger(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=world.app_url, timeout=30, trust_env=False)


async def eventually(look: Any) -> Any:
    for _ in range(300):
        if found := await look():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen within 30 s")


async def test_a_202_is_followed_to_its_end_without_a_key(world: World) -> None:
    async with world.http() as http, stranger(world) as engine:
        accepted = await http.post("/api/ask", json={**QUESTION, "wait_seconds": 0})
        where = accepted.headers["location"]
        assert where.startswith(f"{world.app_url}/hooks/runs/{accepted.json()['run_id']}?")

        async def ended() -> httpx.Response | None:
            polled = await engine.get(where)
            assert polled.status_code in (200, 202)
            assert polled.status_code == 200 or polled.headers["location"] == where
            return polled if polled.status_code == 200 else None

        answer = await eventually(ended)
        spoilt = await engine.get(where[:-3])
    assert answer.json()["status"] == "done"
    assert spoilt.status_code == 401


async def test_a_host_that_somebody_names_sends_no_follower_elsewhere(world: World) -> None:
    async with world.http() as http:
        headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        accepted = await http.post("/api/ask", json={**QUESTION, "wait_seconds": 0}, headers=headers)
    assert "evil.example" not in accepted.headers["location"]


async def test_on_this_machine_the_developer_is_signed_in_and_nobody_else_can_claim_to_be(world: World) -> None:
    async with stranger(world) as browser:
        me = await browser.get("/ui/me", headers={"X-MS-CLIENT-PRINCIPAL": FORGED})
        elsewhere = await browser.get("/ui/me", headers={"X-MS-CLIENT-PRINCIPAL": FORGED, "Host": "evil.example"})
    assert me.json() == {"name": "developer@localhost", "roles": ["approver", "operator", "reader"]}
    assert elsewhere.status_code == 401


@pytest.mark.parametrize(
    "path", ["/api/health", "/api/me", "/hooks/me", "/hooks/health", "/ui/health", "/ui/api/health"]
)
async def test_no_door_leads_behind_another(world: World, path: str) -> None:
    async with stranger(world) as http:
        answer = await http.get(path, headers={"X-MS-CLIENT-PRINCIPAL": FORGED})
    assert answer.status_code in (401, 404)


@asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Where callbacks go: answers with these, one after the other, then with 200."""
    got: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        got.append((dict(request.headers), await request.read()))
        return web.Response(status=statuses[len(got) - 1] if len(got) <= len(statuses) else 200)

    runner = web.ServerRunner(web.Server(take))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/done?sig=secret", got
    finally:
        await runner.cleanup()


async def test_whoever_asked_is_called_back_signed_though_the_first_try_fails(world: World) -> None:
    async with receiving(503) as (url, got), world.http() as http:
        accepted = await http.post("/api/ask", json={**QUESTION, "wait_seconds": 0, "callback_url": url})
        run_id = accepted.json()["run_id"]

        async def called() -> bool:
            return len(got) == 2

        await eventually(called)

        async def noted() -> list[str]:
            events = (await http.get(f"/api/runs/{run_id}/events?wait_seconds=0")).json()["events"]
            return [event["text"] for event in events if "was told" in event["text"]]

        assert await eventually(noted) == ["Whoever asked was told."]
        run = (await http.get(f"/api/runs/{run_id}")).json()
    (first, _), (headers, body) = got
    key = world.settings["CALLBACK_SIGNING_KEY"]
    signed = hmac.new(key.encode(), headers["X-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Signature"] == f"sha256={signed}"
    assert first["X-Delivery-Id"] == headers["X-Delivery-Id"] == run_id
    assert json.loads(body)["answer"] == run["answer"]


async def test_a_workflow_subscribes_and_unsubscribes_and_is_not_called(world: World) -> None:
    async with receiving() as (url, got), world.http() as http, stranger(world) as engine:
        made = await http.post("/api/subscriptions", json={**QUESTION, "callback_url": url})
        where = made.headers["location"]
        assert (made.status_code, urlsplit(where).path) == (201, f"/hooks/subscriptions/{made.json()['run_id']}")
        assert [(await engine.delete(where)).status_code for _ in range(2)] == [204, 204]

        async def ended() -> bool:
            return (await http.get(f"/api/runs/{made.json()['run_id']}")).status_code == 200

        await eventually(ended)
    assert got == []
