"""HTTP triggers, asked over HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.localcloud.host.conftest import KEY
from tests.localcloud.host.running import APPS, Notes, RunningHost, host


@pytest.fixture(scope="module")
def client(served: RunningHost) -> Iterator[httpx.Client]:
    with served.client() as client:
        yield client


@pytest.fixture
def stranger(served: RunningHost) -> Iterator[httpx.Client]:
    """A caller without a key."""
    with httpx.Client(base_url=served.url, trust_env=False) as stranger:
        yield stranger


def test_the_first_registered_route_that_matches_answers(client: httpx.Client) -> None:
    assert client.get("/api/things/special").text == "special"
    assert client.get("/api/things/7").text == "thing 7"


def test_a_route_of_another_method_is_passed_over(client: httpx.Client) -> None:
    assert client.delete("/api/things/special").status_code == 204
    assert client.post("/api/things/special").status_code == 404


def test_a_constraint_that_does_not_hold_is_no_match(client: httpx.Client) -> None:
    assert client.get("/api/numbers/42").text == "number 42"
    assert client.get("/api/numbers/many").status_code == 404


def test_a_function_sees_the_whole_request(client: httpx.Client, served: RunningHost) -> None:
    answer = client.post("/api/echo/a%20b/c?x=1&x=2&y=z", content="body", headers={"X-Some": "thing"})
    seen = answer.json()
    assert answer.status_code == 201
    assert seen["url"] == f"{served.url}/api/echo/a%20b/c?x=1&x=2&y=z"
    assert (seen["method"], seen["rest"], seen["body"]) == ("POST", "a b/c", "body")
    assert seen["params"] == {"x": "1,2", "y": "z"}
    assert seen["header"] == "thing"


def test_a_response_keeps_its_type_and_headers(client: httpx.Client) -> None:
    answer = client.post("/api/echo")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-own"] == "1"
    assert client.get("/api/things/special").headers["content-type"] == "text/plain; charset=utf-8"


def test_the_context_names_function_and_invocation(client: httpx.Client) -> None:
    seen = client.post("/api/echo").json()
    assert seen["function"] == "echo"
    assert seen["directory"] == str(APPS)
    assert seen["invocation"] == seen["thread"]
    assert seen["retries"] == 0


def test_the_callers_trace_goes_on_in_the_context(client: httpx.Client) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert client.post("/api/echo", headers={"traceparent": trace}).json()["trace"] == trace


def test_without_a_trace_one_begins(client: httpx.Client) -> None:
    assert client.post("/api/echo").json()["trace"].startswith("00-")


def test_a_function_key_opens_by_header_and_by_query(stranger: httpx.Client) -> None:
    assert stranger.post("/api/echo", headers={"x-functions-key": KEY}).status_code == 201
    assert stranger.post(f"/api/echo?code={KEY}").status_code == 201


@pytest.mark.parametrize("path", ["/api/echo", "/api/echo?code=wrong", "/api/echo?code=%C3%BC"])
def test_without_the_key_a_function_stays_shut(stranger: httpx.Client, path: str) -> None:
    assert stranger.post(path).status_code == 401


def test_admin_level_needs_the_key_too(stranger: httpx.Client, client: httpx.Client) -> None:
    assert stranger.get("/api/owner").status_code == 401
    assert client.get("/api/owner").text == "owner"


def test_dots_in_a_path_cannot_reach_a_function_through_an_open_route(served: RunningHost) -> None:
    address = urlsplit(served.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    connection.request("POST", "/api/open/x/../%2E%2E/echo", body=b"")
    assert connection.getresponse().status == 401
    connection.close()


def test_an_exception_is_logged_and_not_told(client: httpx.Client, served: RunningHost) -> None:
    answer = client.get("/api/broken")
    assert (answer.status_code, answer.content) == (500, b"")
    log = served.log.read_text()
    assert "ValueError: the secret reason" in log
    assert "Traceback" in log


def test_a_function_outlives_a_caller_who_hangs_up(client: httpx.Client, shared_notes: Notes) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.get("/api/slow?seconds=0.4", timeout=0.15)
    shared_notes.wait_for("slow ended")


def test_a_blocking_function_does_not_hold_up_others(client: httpx.Client, served: RunningHost) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.get("/api/blocking?seconds=1", timeout=0.1)
    assert client.get("/api/things/special", timeout=0.5).text == "special"


def test_an_answer_over_the_limit_is_a_gateway_timeout(environment: dict[str, str], tmp_path: Path) -> None:
    with (
        host("everything:app", environment, tmp_path, "--http-limit-seconds", "0.2") as running,
        running.client() as client,
    ):
        answer = client.get("/api/slow?seconds=1")
    assert answer.status_code == 504
    assert answer.headers["content-type"] == "application/problem+json"
    assert "'slow'" in answer.json()["detail"]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host that was given no settings at all."""
    with host("web_behind_routes:app", {"LOCAL_FUNCTION_KEY": ""}, tmp_path_factory.mktemp("bare")) as running:
        yield running


def test_a_web_app_behind_the_middleware_answers_and_was_started_once(bare: RunningHost) -> None:
    with bare.client() as client:
        answers = [client.get("/api/web/items/a%2Bb?q=c%26d").json() for _ in range(2)]
    assert answers == [{"item": "a+b", "q": "c&d", "function": "door", "started": ["lifespan"]}] * 2


def test_without_a_key_one_is_made_up_and_told(bare: RunningHost) -> None:
    assert len(bare.key) > 20
    with bare.client() as client:
        assert client.get("/api/owner").text == "owner"


def test_a_whole_web_app_is_served_with_its_lifespan(tmp_path: Path) -> None:
    with (
        host("whole_web_app:app", {"LOCAL_FUNCTION_KEY": "other"}, tmp_path, "--key", "mine") as running,
        running.client() as client,
    ):
        assert running.key == "mine"
        assert client.get("/api/ready").json() == {"ready": True}
