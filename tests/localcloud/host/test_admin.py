"""The admin API, timers fired by hand, and the Event Grid webhook."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.localcloud.host.conftest import KEY
from tests.localcloud.host.running import Notes, Queues, RunningHost

WEBHOOK = "/runtime/webhooks/eventgrid?functionName=heard&code=" + KEY
EVENT = {
    "id": "e1",
    "topic": "/subscriptions/s",
    "subject": "LoadSales",
    "eventType": "Some.Type",
    "eventTime": "2026-01-02T03:04:05Z",
    "data": {},
    "dataVersion": "1",
}


@pytest.fixture(scope="module")
def client(served: RunningHost) -> Iterator[httpx.Client]:
    with served.client() as client:
        yield client


def test_ping_needs_no_key_and_the_rest_does(served: RunningHost) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as stranger:
        assert stranger.get("/admin/host/ping").status_code == 200
        assert stranger.get("/admin/host/status").status_code == 401
        assert stranger.get("/admin/functions").status_code == 401
        assert stranger.post("/admin/functions/tick", json={}).status_code == 401


def test_the_status_says_running(client: httpx.Client) -> None:
    assert client.get("/admin/host/status").json()["state"] == "Running"


def test_functions_are_listed_with_their_triggers(client: httpx.Client, served: RunningHost) -> None:
    functions = {function["name"]: function["trigger"] for function in client.get("/admin/functions").json()}
    assert len(functions) == served.functions
    assert functions["answer"] == "queueTrigger"
    assert functions["tick"] == "timerTrigger"


def test_a_timer_can_be_fired_now(client: httpx.Client, shared_notes: Notes) -> None:
    assert client.post("/admin/functions/tick", json={"input": ""}).status_code == 202
    shared_notes.wait_for("tick False ['Last', 'LastUpdated', 'Next']")


def test_a_queue_function_can_be_given_a_message(client: httpx.Client, shared_queues: Queues) -> None:
    assert client.post("/admin/functions/answer", json={"input": "by hand"}).status_code == 202
    assert '"got": "by hand"' in shared_queues.receive("out")[0]


def test_an_unknown_function_is_told_with_those_there_are(client: httpx.Client) -> None:
    answer = client.post("/admin/functions/nothing", json={"input": ""})
    assert answer.status_code == 404
    assert "tick" in answer.json()["detail"]


def test_an_input_that_is_no_json_is_refused(client: httpx.Client) -> None:
    assert client.post("/admin/functions/tick", content=b"{").status_code == 400


def test_a_subscription_is_confirmed_with_its_code(client: httpx.Client) -> None:
    event = {
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": "abc"},
    }
    answer = client.post(WEBHOOK, json=[event], headers={"aeg-event-type": "SubscriptionValidation"})
    assert answer.json() == {"validationResponse": "abc"}


def test_a_cloud_events_subscription_is_confirmed_by_origin(client: httpx.Client) -> None:
    answer = client.options(WEBHOOK, headers={"WebHook-Request-Origin": "eventgrid.azure.net"})
    assert answer.status_code == 200
    assert answer.headers["webhook-allowed-origin"] == "eventgrid.azure.net"


def test_an_event_runs_its_function(client: httpx.Client, shared_notes: Notes) -> None:
    assert client.post(WEBHOOK, json=[EVENT], headers={"aeg-event-type": "Notification"}).status_code == 202
    assert "event EventGridEvent e1 LoadSales" in shared_notes.lines()


def test_a_cloud_event_runs_its_function_as_such(client: httpx.Client, shared_notes: Notes) -> None:
    event = {"specversion": "1.0", "id": "c1", "source": "/s", "type": "t", "subject": "LoadSales", "data": {}}
    answer = client.post(WEBHOOK, json=event, headers={"content-type": "application/cloudevents+json"})
    assert answer.status_code == 202
    assert "event CloudEvent c1 LoadSales" in shared_notes.lines()


def test_an_event_without_the_key_is_refused(client: httpx.Client) -> None:
    path = "/runtime/webhooks/eventgrid?functionName=heard"
    assert client.post(path, json=[EVENT], headers={"x-functions-key": "wrong"}).status_code == 401


@pytest.mark.parametrize(("path", "body", "status"), [(WEBHOOK, b"nonsense", 400), (WEBHOOK + "x", b"[]", 401)])
def test_what_is_no_event_is_refused(client: httpx.Client, path: str, body: bytes, status: int) -> None:
    assert httpx.post(str(client.base_url) + path, content=body, trust_env=False).status_code == status
