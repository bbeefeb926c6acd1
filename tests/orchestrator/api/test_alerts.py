"""Alerts over HTTP: kept before they are answered, and never refused for what they say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx
import pytest

from core.errors import UpstreamUnavailable
from orchestrator.alerts import services
from orchestrator.alerts.intake import AlertIntake
from orchestrator.alerts.record import Alert
from orchestrator.api import alerts
from orchestrator.api import app as api
from orchestrator.stores.alerts import MemoryAlertStore
from orchestrator.stores.scopes import MemoryScopeStore
from tests.orchestrator.alerts.samples import SAMPLES
from tests.orchestrator.alerts.test_shapes_spoiled import VALUES, spoiled
from tests.orchestrator.api.doors import through

FACTORY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DataFactory/factories/adf-1"
VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
CODE = "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"
LARGEST = 256 * 1024
SMALL = [value for value in VALUES if len(str(value)) < 1000]


class Caller:
    """The app in this process over stores in memory, whose storage can be down."""

    def __init__(self) -> None:
        self.alerts, self.woken, self.down = MemoryAlertStore(), list[str](), False
        intake = AlertIntake(self, MemoryScopeStore(), self, lambda: datetime.now(UTC))  # type: ignore[arg-type]
        app = api.build()

        async def provided() -> AlertIntake:
            return intake

        app.dependency_overrides[services.provided] = provided
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(through("api", app)), base_url="https://app.example"
        )

    async def add(self, alert: Alert) -> bool:
        if self.down:
            raise UpstreamUnavailable("Table storage cannot be reached.")
        return await self.alerts.add(alert)

    async def send(self, scope: str, delay_seconds: int = 0) -> None:
        self.woken.append(scope)

    async def post(self, what: str, body: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(f"/api/alerts/{what}", content=content, headers=named)

    async def kept(self, scope: str) -> list[Alert]:
        return await self.alerts.pending(scope)


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    made = Caller()
    yield made
    await made.http.aclose()


def common_alert(**essentials: Any) -> dict[str, Any]:
    told = {"alertId": "alert-1", "alertRule": "failed", "signalType": "Metric", "alertTargetIDs": [FACTORY]}
    fired = {"firedDateTime": "2026-11-21T03:00:00.1234567Z", "monitorCondition": "Fired"}
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {**told, **fired, **essentials}}}


def validation(**data: Any) -> list[dict[str, Any]]:
    return [{"id": "1", "topic": "/subscriptions/s", "eventType": VALIDATION, "data": data}]


def problem(response: httpx.Response, status: int, code: str) -> str:
    assert (response.status_code, response.json()["code"]) == (status, code)
    return str(response.json()["detail"])


async def test_a_new_alert_is_kept_and_somebody_woken_before_it_is_accepted(caller: Caller) -> None:
    response = await caller.post("azure-monitor", common_alert())
    assert (response.status_code, response.json()) == (202, {"new": 1, "known": 0})
    assert [alert.instance for alert in await caller.kept("adf-1")] == ["alert-1"]
    assert caller.woken == ["adf-1"]


async def test_an_alert_told_again_is_known(caller: Caller) -> None:
    await caller.post("azure-monitor", common_alert())
    response = await caller.post("azure-monitor", common_alert())
    assert (response.status_code, response.json()) == (200, {"new": 0, "known": 1})


async def test_storage_that_is_down_is_told_and_the_alert_kept_once_when_it_is_sent_again(caller: Caller) -> None:
    caller.down = True
    response = await caller.post("azure-monitor", common_alert())
    assert "Table storage" in problem(response, 503, "upstream_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    caller.down = False
    assert [(await caller.post("azure-monitor", common_alert())).status_code for _ in range(2)] == [202, 200]
    assert len(await caller.kept("adf-1")) == 1


@pytest.mark.parametrize("body", [{"what": "is this"}, [1, None], None, "text", 7, [], {}, {"data": {"essentials": 3}}])
async def test_what_nobody_knows_is_kept(caller: Caller, body: Any) -> None:
    assert (await caller.post("azure-monitor", body)).status_code == 202
    assert [alert.kind for alert in await caller.kept("unknown")] == ["unknown"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\xfa", b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"e}"])
async def test_what_is_no_json_is_refused(caller: Caller, body: bytes) -> None:
    problem(await caller.post("azure-monitor", body), 400, "invalid_json")


@pytest.mark.parametrize("what", ["azure-monitor", "event-grid", "plain"])
async def test_the_largest_alert_is_taken_and_a_larger_one_is_not(caller: Caller, what: str) -> None:
    largest = json.dumps({"pipeline": "a", "message": ""})
    body = largest.replace('""', '"' + "x" * (LARGEST - len(largest)) + '"').encode()
    assert (await caller.post(what, body)).status_code == 202
    problem(await caller.post(what, body + b" "), 413, "payload_too_large")


async def test_a_batch_of_events_is_taken_whole(caller: Caller) -> None:
    events = [{"id": str(n), "eventType": "RunFailed", "topic": FACTORY, "subject": "x"} for n in range(3)]
    response = await caller.post("event-grid", events + events[:1])
    assert (response.status_code, response.json()) == (202, {"new": 3, "known": 1})


async def test_a_cloud_event_is_taken(caller: Caller) -> None:
    event = {"specversion": "1.0", "id": "1", "source": FACTORY, "type": "RunFailed"}
    assert (await caller.post("event-grid", event)).status_code == 202
    assert [alert.kind for alert in await caller.kept("adf-1")] == ["event"]


async def test_a_plain_alert_is_taken(caller: Caller) -> None:
    body = {"pipeline": "LoadSales", "run_id": CODE, "factory": "adf-1", "message": "no rows", "status": "Failed"}
    assert (await caller.post("plain", body)).status_code == 202
    (alert,) = await caller.kept("adf-1")
    assert (alert.kind, alert.pipeline, alert.run_ids) == ("plain", "LoadSales", (CODE,))


@pytest.mark.parametrize("path", alerts.EXAMPLES)
async def test_the_examples_of_the_description_are_alerts(caller: Caller, path: str) -> None:
    assert (await caller.post(path.removeprefix("/"), alerts.EXAMPLES[path])).status_code == 202
    assert await caller.kept("unknown") == []


async def test_event_grid_is_told_that_its_events_are_wanted(caller: Caller) -> None:
    response = await caller.post("event-grid", validation(validationCode=CODE), aeg_event_type="SubscriptionValidation")
    assert (response.status_code, response.json()) == (200, {"validationResponse": CODE})
    assert caller.woken == []


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (validation(validationCode=CODE), ""),
        (validation(validationCode=CODE), "Notification"),
        (validation(), "SubscriptionValidation"),
        (validation(validationCode=None), "SubscriptionValidation"),
        (validation(validationCode={"a": 1}), "SubscriptionValidation"),
        (validation(validationCode="<script>alert(1)</script>"), "SubscriptionValidation"),
        (validation(validationCode="1" * 101), "SubscriptionValidation"),
        ([{"id": "1", "eventType": "RunFailed", "data": {"validationCode": CODE}}], "SubscriptionValidation"),
        ([], "SubscriptionValidation"),
        ("text", "SubscriptionValidation"),
    ],
)
async def test_a_spoiled_or_invented_validation_is_refused_and_not_kept(caller: Caller, body: Any, header: str) -> None:
    response = await caller.post("event-grid", body, aeg_event_type=header)
    problem(response, 400, "invalid_request")
    assert "validationResponse" not in response.text
    assert caller.woken == []


async def test_event_grid_may_send_cloud_events(caller: Caller) -> None:
    headers = {"WebHook-Request-Origin": "eventgrid.azure.net"}
    response = await caller.http.options("/api/alerts/event-grid", headers=headers)
    assert response.status_code == 200
    assert response.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert int(response.headers["WebHook-Allowed-Rate"]) > 0


@pytest.mark.parametrize("origin", ["", "evil.example", "eventgrid.azure.net.evil.example", "*"])
async def test_nobody_else_may_send_cloud_events(caller: Caller, origin: str) -> None:
    response = await caller.http.options("/api/alerts/event-grid", headers={"WebHook-Request-Origin": origin})
    problem(response, 403, "not_permitted")
    assert "WebHook-Allowed-Origin" not in response.headers


@pytest.mark.parametrize("what", ["azure-monitor", "event-grid", "plain"])
async def test_no_alert_however_spoiled_is_refused(caller: Caller, what: str) -> None:
    random = Random(what)
    for body in SAMPLES.values():
        for _ in range(5):
            told = spoiled(body, random, SMALL, 3)
            response = await caller.post(what, told)
            assert response.status_code in (200, 202), f"{response.text}: {told}"


async def test_bodies_cut_anywhere_are_refused_as_no_json(caller: Caller) -> None:
    body = json.dumps(SAMPLES["metric"]).encode()
    for length in range(0, len(body), 37):
        problem(await caller.post("azure-monitor", body[:length]), 400, "invalid_json")
