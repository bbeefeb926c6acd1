"""Signed links: for one thing, one purpose and a while; and whose address they carry."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.requests import Request

from core.errors import RequestError
from core.settings import Settings
from orchestrator.api.callers import FUNCTION
from orchestrator.api.links import SignedLink, origin
from orchestrator.links import Links, signature
from orchestrator.runs.record import Run
from tests.orchestrator.api.doors import by_path
from tests.orchestrator.api.test_api import calling, slow

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = "0123456789abcdef0123456789abcdef"
RUN = Run("run-1", "What failed?", "session-1", NOW, NOW + timedelta(minutes=5))
LINKS = Links("https://ops.example", KEY)


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_SIGNING_KEY", KEY)


async def follow(url: str, *, run_id: str = "run-1", at: datetime = NOW) -> str:
    scope = {
        "type": "http",
        "method": "GET",
        "headers": [],
        "path_params": {"run_id": run_id},
        "query_string": urlsplit(url).query.encode(),
        FUNCTION: "hooks",
    }
    return (await SignedLink("run", "run_id", lambda: at)(Request(scope))).kind


async def test_a_link_to_a_run_is_good_until_an_hour_after_its_deadline() -> None:
    assert await follow(LINKS.run(RUN), at=NOW + timedelta(minutes=64)) == "link"
    with pytest.raises(RequestError, match="no longer valid"):
        await follow(LINKS.run(RUN), at=NOW + timedelta(minutes=65))


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("exp=1", "exp=2"),
        lambda url: url.replace("exp=", "exp=0"),
        lambda url: url.replace("exp=", "exp=%20"),
        lambda url: url[:-1],
        lambda url: url + "=",
        lambda url: url.split("&sig")[0],
        lambda url: url.split("?")[0],
        lambda url: url.split("&sig=")[0] + "&sig=%C3%A9%00",
        lambda url: url.split("exp=")[0] + "exp=" + "9" * 5000,
        lambda url: LINKS.subscription(RUN),
        lambda url: Links("https://ops.example", KEY[::-1]).run(RUN),
    ],
)
async def test_a_link_that_was_changed_is_worth_nothing(change: object) -> None:
    assert callable(change)
    with pytest.raises(RequestError, match="wrong or no longer valid"):
        await follow(change(LINKS.run(RUN)))


async def test_a_link_is_good_for_its_own_run_alone() -> None:
    with pytest.raises(RequestError):
        await follow(LINKS.run(RUN), run_id="run-2")


@pytest.mark.parametrize("expires", ["", "-1", "1e99", "99999999999999", "١٢٣", "12 "])
async def test_an_end_that_is_no_time_is_over_even_if_it_were_signed(expires: str) -> None:
    with pytest.raises(RequestError):
        await follow(f"?exp={expires}&sig={signature(KEY, 'run', 'run-1', expires)}")


def test_without_a_key_a_link_leads_where_the_function_key_is_needed() -> None:
    assert Links("https://ops.example").run(RUN) == "https://ops.example/api/runs/run-1"


def test_a_key_is_not_shown() -> None:
    assert KEY not in repr(LINKS)


async def test_a_202_points_to_a_link_that_answers_without_a_key_until_the_run_has_ended() -> None:
    async with calling(slow) as caller:
        accepted = await caller.ask(wait_seconds=0)
        where, transport = accepted.headers["Location"], httpx.ASGITransport(by_path(caller.app))
        assert urlsplit(where).path.startswith("/hooks/runs/run-")
        assert set(parse_qs(urlsplit(where).query)) == {"exp", "sig"}
        async with httpx.AsyncClient(transport=transport) as stranger:
            polled = await stranger.get(where)
            assert polled.status_code == 202
            assert polled.headers["Location"] == where
            while (polled := await stranger.get(where)).status_code == 202:
                await asyncio.sleep(0.05)
    assert (polled.status_code, polled.json()["status"]) == (200, "done")


def address(host: str, env: dict[str, str] | None = None, **settings: str) -> str:
    request = Request({"type": "http", "headers": [(b"host", host.encode("latin-1"))]})
    return origin(Settings(**settings), env or {}, request)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1:7071", "localhost:7071", "[::1]:7071", "localhost"])
def test_on_this_machine_the_app_is_where_it_was_called(host: str) -> None:
    assert address(host) == f"http://{host}"


@pytest.mark.parametrize(
    "host", ["evil.example", "", "localhost@evil.example", "localhost/../", "[::1", "127.0.0.1:7071#", "é", "a b"]
)
def test_a_host_that_a_caller_names_leads_nowhere_else(host: str) -> None:
    assert address(host) == ""
    assert address(host, {"WEBSITE_HOSTNAME": "ops.azurewebsites.net"}) == "https://ops.azurewebsites.net"


def test_the_address_in_the_settings_comes_first() -> None:
    env = {"WEBSITE_HOSTNAME": "ops.azurewebsites.net"}
    assert address("localhost", env, public_url="https://ops.example") == "https://ops.example"


def test_the_real_host_on_this_machine_names_itself_too() -> None:
    assert address("evil.example", {"WEBSITE_HOSTNAME": "localhost:7071"}) == "http://localhost:7071"


async def test_a_thousand_who_follow_one_link_are_all_answered_and_leave_nothing_behind() -> None:
    async with calling() as caller:
        run = await caller.store.load((await caller.ask()).json()["run_id"])
        where, transport = Links("http://localhost:7071", KEY).run(run), httpx.ASGITransport(by_path(caller.app))
        async with httpx.AsyncClient(transport=transport) as stranger:
            answers = await asyncio.gather(*(stranger.get(where) for _ in range(1000)))
        assert {answer.status_code for answer in answers} == {200}
        assert await caller.store.active() == []
        assert len(await caller.store.events(run.id)) == run.events
