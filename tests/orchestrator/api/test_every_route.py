"""Every route, asked by everybody who may not: the routes come from the app itself, so a new one is in it at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import Depends, FastAPI

from orchestrator.api import app as api
from orchestrator.api import callers, links, teams_signature
from orchestrator.links import signature
from tests.orchestrator.api.doors import principal, through
from tests.orchestrator.teams.test_activity import ACTIVITY

KEY = "k" * 44
TEAMS = "dGhlIHNlY3VyaXR5IHRva2VuIG9mIFRlYW1z"
EVERYBODY = principal("reader", "operator", "approver")
SUBJECT = "run-1"
LATER = datetime.now(UTC) + timedelta(hours=1)


@dataclass(frozen=True)
class Attempt:
    name: str
    door: str | None
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    body: bytes = b"{}"


def link(purpose: str, subject: str = SUBJECT, until: datetime = LATER, key: str = KEY) -> str:
    expires = str(int(until.timestamp()))
    return f"exp={expires}&sig={signature(key, purpose, subject, expires)}"


def activity(minutes_ago: float = 0.0) -> bytes:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return json.dumps({**ACTIVITY, "timestamp": at.isoformat()}).encode()


def signed(body: bytes, token: str = TEAMS) -> dict[str, str]:
    return {"authorization": teams_signature.signature(token, body).decode()}


def attempts() -> Iterator[Attempt]:
    """What somebody may try, right for some routes and wrong for the others."""
    unsigned = "eyJhbGciOiJub25lIn0.eyJyb2xlcyI6WyJBY3Rpb25Hcm91cHNTZWN1cmVXZWJob29rIl19."
    for door in (None, "", "api", "hooks", "ui", "API", "runs_serve"):
        named = door if door is None else repr(door)
        yield Attempt(f"nothing, {named}", door)
        yield Attempt(f"a function key, {named}", door, {"x-functions-key": "key"}, "code=key")
        yield Attempt(f"a person, {named}", door, {"x-ms-client-principal": EVERYBODY})
        yield Attempt(f"a nobody, {named}", door, {"x-ms-client-principal": principal()})
        yield Attempt(f"who may read, {named}", door, {"x-ms-client-principal": principal("reader")})
        yield Attempt(f"a stranger's name, {named}", door, {"x-ms-client-principal-name": "ana@contoso.com"})
        yield Attempt(f"Teams, {named}", door, signed(activity()), body=activity())
        yield Attempt(f"an empty body signed, {named}", door, signed(b""), body=b"")
        yield Attempt(f"a link, {named}", door, query=link("run"))
        yield Attempt(f"a link of another run, {named}", door, query=link("run", "run-2"))
        yield Attempt(f"a link for another purpose, {named}", door, query=link("incident"))
        yield Attempt(f"a link that is over, {named}", door, query=link("run", until=LATER - timedelta(hours=2)))
        yield Attempt(f"a link of another key, {named}", door, query=link("run", key="x" * 44))
        yield Attempt(f"an unsigned token, {named}", door, {"authorization": f"Bearer {unsigned}"})
        yield Attempt(f"a password, {named}", door, {"authorization": "Basic YTpi"})


RIGHT: dict[str, Callable[[Attempt], bool]] = {  # what a route accepts, by what its guard says of it
    "function key": lambda each: each.door == "api",
    "signed link to this run": lambda each: each.door == "hooks" and each.name.startswith("a link, "),
    "signed link to this incident": lambda each: False,  # every link tried is to a run's id
    "signed link to this subscription": lambda each: False,
    "Teams, by HMAC": lambda each: False,  # the body sent is another second's: see test_teams_signature
    "person with the role reader": lambda each: (
        each.door == "ui" and each.name.startswith(("a person, ", "who may read"))
    ),
    "person with the role operator": lambda each: each.door == "ui" and each.name.startswith("a person, "),
    "token of Azure Monitor or Event Grid": lambda each: False,
}
STANDS_FOR = {  # the parameters of paths
    "run_id": SUBJECT,
    "incident_id": "inc-202611-3f2a9c01d4e5",
    "action_id": "A-202611-3f2a9c01d4e57b6a",
    "name": "approval.js",
}
ROUTES = [
    (method, path, callers.guards(route)[0])
    for path, route in callers.routes(api.build())
    for method in sorted(route.methods)
]


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "LINK_SIGNING_KEY": KEY,
        "TEAMS_SECURITY_TOKEN": TEAMS,
        "WEBSITE_AUTH_ENABLED": "True",
        "TOKEN_TENANT_ID": "tenant",
        "TOKEN_AUDIENCES": "api://ops",
    }.items():
        monkeypatch.setenv(name, value)


async def status(app: FastAPI, method: str, path: str, attempt: Attempt) -> int:
    entered = app if attempt.door is None else through(attempt.door, app)
    where = path.format_map(STANDS_FOR)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(entered), base_url="http://localhost") as http:
        answer = await http.request(
            method, f"{where}?{attempt.query}", headers=attempt.headers, content=attempt.body or None
        )
    return answer.status_code


@pytest.mark.parametrize(("method", "path", "guard"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
async def test_nobody_comes_in_who_may_not(method: str, path: str, guard: callers.Guard) -> None:
    app = api.build()
    may = RIGHT[guard.accepts]
    wrong = [each for each in attempts() if not may(each)]
    answers = {each.name: (await status(app, method, path, each), each.door == guard.door) for each in wrong}
    assert not {
        name: code for name, (code, same_door) in answers.items() if code not in (REFUSED if same_door else SHUT)
    }


REFUSED, SHUT = {401, 403}, {403, 404}


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/api/health", "nothing, 'api'"),
        ("GET", "/hooks/runs/{run_id}", "a link, 'hooks'"),
        ("GET", "/ui/me", "a person, 'ui'"),
    ],
)
async def test_who_may_comes_in(method: str, path: str, name: str) -> None:
    [right] = [each for each in attempts() if each.name == name]
    assert await status(api.build(), method, path, right) not in REFUSED


@pytest.mark.parametrize("path", ["/api/health", "/", "/apiary", "/api", "/robots.txt", "//api/health"])
async def test_what_lies_behind_no_door_is_not_there(path: str) -> None:
    assert await status(api.build(), "GET", path, Attempt("nothing", "hooks")) == 404


async def handler() -> None: ...


def test_a_route_without_a_guard_keeps_the_app_from_starting() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.get("/api/open")(handler)
    with pytest.raises(RuntimeError, match="/api/open"):
        callers.check(app)


def test_so_does_one_with_two() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(api.KEY)])
    app.get("/api/both", dependencies=[Depends(links.SignedLink("run", "run_id"))])(handler)
    with pytest.raises(RuntimeError, match="2 guards"):
        callers.check(app)


def test_so_does_one_behind_another_door() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.get("/hooks/health", dependencies=[Depends(api.KEY)])(handler)
    with pytest.raises(RuntimeError, match="'api'"):
        callers.check(app)


def test_so_does_whatever_is_no_route_of_ours() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/ui", FastAPI())
    with pytest.raises(RuntimeError):
        callers.check(app)


def test_so_do_fastapis_own_pages() -> None:
    with pytest.raises(RuntimeError, match="openapi"):
        callers.check(FastAPI())


def test_the_documentation_says_of_every_route_who_may_call_it() -> None:
    told = (Path(__file__).resolve().parents[3] / "docs" / "security.md").read_text()
    rows = {f"| `{method} {path}` | {guard.accepts} |" for method, path, guard in ROUTES}
    assert rows == {line for line in told.splitlines() if line.startswith(("| `GET ", "| `POST ", "| `DEL", "| `OPT"))}
