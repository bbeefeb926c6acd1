"""What callers do is on the trail with who they are; what they are shown holds no secret."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import Request

from orchestrator.actions import services as action_services
from orchestrator.actions.services import ActionServices
from orchestrator.api import app as api
from orchestrator.api import callers, deeds
from orchestrator.audit.record import Actor, plain
from orchestrator.incidents import services as incident_services
from orchestrator.incidents.record import Incident
from orchestrator.notify import channel
from tests.orchestrator.actions.desk import ASK, Afternoon
from tests.orchestrator.api.doors import by_path
from tests.tools_worker.datafactory.build import NOW, make_run
from tests.tools_worker.runtime.sample import make_worker
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.runtime import worker

INCIDENT = "inc-202611-3f2a9c01d4e5"
BEA = callers.Caller("person", "bea@contoso.com", frozenset({"reader", "operator"}), "id-bea")
KEY = callers.Caller("key", "a function key")
SECRET = "Server=tcp:sql;Password=hunter2hunter2;"
DEEDS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("acknowledge", {"comment": "On it."}, "Taken up: LoadSales failed"),
    ("assign", {"to": "cleo@contoso.com"}, "Handed on: LoadSales failed"),
    ("comment", {"text": "The login was renewed."}, "Remarked on: LoadSales failed"),
    ("resolve", {"resolution": "The login was renewed."}, "Closed: LoadSales failed"),
)


class Site:
    """The app's own routes over memory."""

    def __init__(self) -> None:
        self.desk, self.person, app = Afternoon(ASK), BEA, api.build()
        self.trail = self.desk.trail
        factory = MemoryDataFactory("adf-prod", runs=[make_run(1)], pipelines=["LoadSales"])
        hands = replace(make_worker(), factories=Factories([factory]), now=lambda: NOW)
        desk = replace(self.desk.desk, telling=self.desk.telling)
        app.dependency_overrides |= {
            deeds.provided: lambda: self.trail.record,
            channel.provided: lambda: self.desk.channel,
            incident_services.provided: lambda: SimpleNamespace(incidents=self.desk.incidents),
            worker.provided: lambda: hands,
            action_services.provided: lambda: ActionServices(
                self.desk.store, self.desk.proposer, desk, cast("Any", None)
            ),
        }
        for guard, _ in api.GUARDED:
            app.dependency_overrides[guard] = self.let_in
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(by_path(app)), base_url="http://localhost:7071")

    async def let_in(self, request: Request) -> None:
        request.state.caller = BEA if request.url.path.startswith("/ui/") else KEY


@pytest.fixture
async def site() -> Site:
    made = Site()
    await made.desk.incidents.create(Incident(INCIDENT, "failure", "LoadSales failed", "cause", NOW, NOW))
    return made


@pytest.mark.parametrize(("deed", "body", "what"), DEEDS)
async def test_what_a_person_does_with_an_incident_is_on_the_trail(
    site: Site, deed: str, body: dict[str, str], what: str
) -> None:
    answer = await site.http.post(f"/ui/incidents/{INCIDENT}/{deed}", json=body)
    assert answer.status_code == 200, answer.text
    (entry,) = site.trail.entries
    assert (entry.kind, entry.what, entry.subject, entry.channel) == ("incident", what, INCIDENT, "ui")
    assert entry.actor == Actor("person", "bea@contoso.com", "id-bea")
    assert (entry.arguments, entry.outcome) == (body, answer.json()["status"])


@pytest.mark.parametrize(("deed", "body", "what"), DEEDS)
async def test_behind_a_key_a_name_is_what_the_caller_says(
    site: Site, deed: str, body: dict[str, str], what: str
) -> None:
    given = {"by": "the boss", **body}
    assert (await site.http.post(f"/api/incidents/{INCIDENT}/{deed}", json=given)).status_code == 200
    (entry,) = site.trail.entries
    assert (entry.what, entry.actor.kind, entry.arguments) == (what, "key", given)
    assert "boss" not in entry.actor.name


async def test_what_came_to_nothing_is_not_told_as_done(site: Site) -> None:
    closed = {"resolution": "It passed."}
    assert (await site.http.post(f"/ui/incidents/{INCIDENT}/resolve", json=closed)).status_code == 200
    assert (await site.http.post(f"/ui/incidents/{INCIDENT}/resolve", json=closed)).status_code == 409
    assert len(site.trail.entries) == 1


@pytest.mark.parametrize(
    ("body", "status", "outcome"),
    [
        ({"run_id": make_run(1).run_id}, 200, ""),
        ({"pipeline": "LoadNothing"}, 404, "error: not_found"),
        ({}, 422, "error: invalid_arguments"),
    ],
)
async def test_a_diagnosis_without_a_model_is_a_question_on_the_trail(
    site: Site, body: dict[str, str], status: int, outcome: str
) -> None:
    answer = await site.http.post("/api/diagnose", json=body)
    assert answer.status_code == status, answer.text
    (entry,) = site.trail.entries
    assert (entry.kind, entry.actor.kind, entry.arguments) == ("question", "key", body)
    assert entry.outcome == (outcome or answer.json()["outcome"])
    assert plain(entry)["subject"] == body.get("run_id", "")


async def test_an_action_is_shown_without_secrets(site: Site) -> None:
    given = {"pipeline": "LoadSales", "parameters": {"connection": SECRET}}
    body = {"kind": "run_pipeline", "factory": "adf-prod", "arguments": given, "why": SECRET}
    made = (await site.http.post("/api/actions", json=body)).json()
    no = {"decision": "withdraw", "digest": made["digest"], "comment": SECRET}
    await site.http.post(f"/ui/approvals/{made['id']}", json=no)
    for path in (f"/api/actions/{made['id']}", f"/ui/actions/{made['id']}", "/api/actions?state=all", "/api/approvals"):
        assert "hunter2" not in (await site.http.get(path)).text
    assert (await site.desk.store.load(made["id"])).operation.arguments["parameters"] == {"connection": SECRET}


async def test_an_action_for_an_incident_that_is_not_there_is_refused(site: Site) -> None:
    body = {"kind": "rerun", "factory": "adf-prod", "arguments": {"run_id": "r-1"}, "incident_id": "inc-202611-0000"}
    answer = await site.http.post("/api/actions", json=body)
    assert (answer.status_code, await site.desk.store.active()) == (404, [])
    body["incident_id"] = INCIDENT
    assert (await site.http.post("/api/actions", json=body)).status_code == 201


async def test_a_diagnosis_is_posted_where_that_is_asked_for(site: Site) -> None:
    for post in (False, True):
        answer = await site.http.post("/api/diagnose", json={"pipeline": "LoadSales", "post": post})
        assert answer.status_code == 200
        assert [message.title for message in site.desk.channel.messages] == ["Diagnosis: LoadSales failed"] * post
