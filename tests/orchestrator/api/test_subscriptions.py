"""Questions with a callback: accepted where it may go, unsubscribed as often as anybody likes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.orchestrator.api.doors import by_path
from tests.orchestrator.api.test_api import Caller, calling, endless, problem

URL = "https://prod-12.westeurope.logic.azure.com/workflows/1/runs/2/actions/Wait/x?sp=%2Frun&sig=a-b_c"
QUESTION = {"question": "What failed?", "callback_url": URL}


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBACK_SIGNING_KEY", "k" * 32)
    monkeypatch.setenv("LINK_SIGNING_KEY", "l" * 32)
    monkeypatch.delenv("CALLBACK_HOSTS", raising=False)


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with calling(endless) as made:
        yield made


async def subscribe(caller: Caller, **changes: str) -> httpx.Response:
    return await caller.http.post("/api/subscriptions", json=QUESTION | changes)


async def test_a_subscription_is_a_run_with_a_place_to_end_it(caller: Caller) -> None:
    answer = await subscribe(caller)
    run = await caller.store.load(answer.json()["run_id"])
    assert (answer.status_code, run.callback_url, run.question) == (201, URL, "What failed?")
    assert answer.headers["Location"].startswith(f"http://localhost:7071/hooks/subscriptions/{run.id}?exp=")
    assert "sig=a-b_c" not in answer.text


async def test_a_workflow_that_repeats_its_call_has_one_subscription(caller: Caller) -> None:
    first, again = await subscribe(caller), await subscribe(caller)
    assert (again.status_code, again.json()["run_id"]) == (201, first.json()["run_id"])
    other = await subscribe(caller, callback_url=URL + "2")
    assert other.json()["run_id"] != first.json()["run_id"]


async def test_one_address_cannot_wait_for_two_questions(caller: Caller) -> None:
    await subscribe(caller)
    problem(await subscribe(caller, question="What is slow?"), 409, "conflict")


async def test_whoever_has_the_link_unsubscribes_without_a_key_and_again(caller: Caller) -> None:
    where = (await subscribe(caller)).headers["Location"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(by_path(caller.app))) as engine:
        answers = [await engine.delete(where) for _ in range(2)]
        other = await engine.delete(where.replace("subscriptions/run-", "subscriptions/run-0"))
    assert [answer.status_code for answer in answers] == [204, 204]
    problem(other, 401, "unauthenticated")
    [run_id] = await caller.store.active()
    assert await caller.store.withdrawn(run_id)
    assert await caller.store.cancel_requested(run_id)


async def test_a_workflow_that_knows_only_its_address_unsubscribes_by_it(caller: Caller) -> None:
    run_id = (await subscribe(caller)).json()["run_id"]
    for _ in range(2):
        answer = await caller.http.post("/api/subscriptions/cancel", json={"callback_url": URL})
        assert answer.status_code == 204
    assert await caller.store.withdrawn(run_id)


async def test_unsubscribing_what_is_not_there_is_well(caller: Caller) -> None:
    assert (await caller.http.delete("/api/subscriptions/run-unknown")).status_code == 204
    gone = await caller.http.post("/api/subscriptions/cancel", json={"callback_url": URL})
    assert gone.status_code == 204


@pytest.mark.parametrize("path", ["/api/ask", "/api/subscriptions"])
@pytest.mark.parametrize(
    "url", ["https://evil.example/", "http://169.254.169.254/metadata", "https://10.0.0.1/", "http://127.0.0.1/", "x"]
)
async def test_a_callback_goes_to_hosts_on_the_list_alone(caller: Caller, path: str, url: str) -> None:
    answer = await caller.http.post(path, json=QUESTION | {"callback_url": url})
    problem(answer, 422, "invalid_arguments")
    assert await caller.store.active() == []


@pytest.mark.parametrize("path", ["/api/ask", "/api/subscriptions"])
async def test_without_a_key_to_sign_with_none_is_taken(
    caller: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBACK_SIGNING_KEY", "")
    body = problem(await caller.http.post(path, json=QUESTION), 503, "not_configured")
    assert "CALLBACK_SIGNING_KEY" in body["hint"]


async def test_a_question_takes_its_callback_along(caller: Caller) -> None:
    answer = await caller.ask(wait_seconds=0, callback_url=URL)
    run = await caller.store.load(answer.json()["run_id"])
    assert (answer.status_code, run.callback_url) == (202, URL)
    assert "sig=a-b_c" not in answer.text


async def test_a_key_of_another_callback_is_another_question(caller: Caller) -> None:
    headers = {"Idempotency-Key": "one"}
    await caller.http.post("/api/ask", json=QUESTION | {"wait_seconds": 0}, headers=headers)
    changed = QUESTION | {"wait_seconds": 0, "callback_url": URL + "2"}
    problem(await caller.http.post("/api/ask", json=changed, headers=headers), 409, "conflict")
