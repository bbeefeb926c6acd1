"""Alerts through the host: who may send them, both handshakes of Event Grid, its trigger, the limit of a body."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import KEY, World

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]
PATH = "/api/alerts/event-grid"
CODE = str(uuid.uuid4())
VALIDATION = [
    {
        "id": "1",
        "topic": "/subscriptions/s",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": CODE},
    }
]
ASKS = {"aeg-event-type": "SubscriptionValidation"}
ORIGIN = {"WebHook-Request-Origin": "eventgrid.azure.net"}


def event() -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "topic": "/subscriptions/s/nothing-of-ours", "eventType": "Made", "data": {}}


def without_key(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=world.app_url, timeout=30, trust_env=False)


async def test_who_has_no_key_hears_no_code_and_sends_nothing(world: World) -> None:
    async with without_key(world) as http:
        answers = [
            await http.post(PATH, json=VALIDATION, headers=ASKS),
            await http.options(PATH, headers=ORIGIN),
            await http.post(PATH, json=[event()]),
            await http.post("/api/alerts/azure-monitor", json={}, headers={"x-functions-key": "wrong"}),
            await http.post("/hooks/alerts/event-grid", json=VALIDATION, headers=ASKS),
        ]
    assert [answer.status_code // 100 for answer in answers] == [4] * 5
    assert all(CODE not in answer.text for answer in answers)
    assert all("webhook-allowed-origin" not in answer.headers for answer in answers)


async def test_event_grid_subscribes_with_the_key_in_its_address_and_delivers(world: World) -> None:
    told = [event(), event()]
    async with without_key(world) as http:
        agreed = await http.post(f"{PATH}?code={KEY}", json=VALIDATION, headers=ASKS)
        allowed = await http.options(f"{PATH}?code={KEY}", headers=ORIGIN)
        taken = await http.post(f"{PATH}?code={KEY}", json=told)
        again = await http.post(f"{PATH}?code={KEY}", json=told)
    assert (agreed.status_code, agreed.json()) == (200, {"validationResponse": CODE})
    assert (allowed.status_code, allowed.headers["webhook-allowed-origin"]) == (200, "eventgrid.azure.net")
    assert (taken.status_code, taken.json()) == (202, {"new": 2, "known": 0})
    assert (again.status_code, again.json()) == (200, {"new": 0, "known": 2})


async def test_an_event_that_came_through_the_trigger_is_known_over_http(world: World) -> None:
    told = event()
    async with world.http() as http:
        by_trigger = await http.post("/runtime/webhooks/eventgrid?functionName=alerts_event", json=[told])
        over_http = await http.post(PATH, json=[told])
    assert by_trigger.status_code == 202
    assert over_http.json() == {"new": 0, "known": 1}


async def test_the_largest_alert_passes_and_a_larger_one_does_not(world: World) -> None:
    body = b'{"message": "' + b"x" * (256 * 1024 - 15) + b'"}'
    async with world.http() as http:
        assert (await http.post("/api/alerts/azure-monitor", content=body)).status_code == 202
        assert (await http.post("/api/alerts/azure-monitor", content=body + b" ")).status_code == 413
