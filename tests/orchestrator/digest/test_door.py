"""The digest over HTTP: what was asked for, ready to be sent on, and nothing in it that must not go out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest

from orchestrator.api import app as api
from orchestrator.digest import services
from orchestrator.digest.services import DigestServices
from tests.orchestrator.api.doors import through
from tests.orchestrator.digest.paper import Paper


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
async def http(paper: Paper) -> AsyncIterator[httpx.AsyncClient]:
    app = api.build()
    app.dependency_overrides[services.provided] = lambda: DigestServices(paper.editor, cast("Any", None))
    transport = httpx.ASGITransport(through("api", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:7071") as client:
        yield client


async def test_the_day_is_told_as_figures_and_as_a_text(paper: Paper, http: httpx.AsyncClient) -> None:
    run = paper.run(status="Failed")
    body = (await http.get("/api/digest")).json()
    assert (body["runs"], body["failed"], body["runs_before"]) == (1, 1, None)
    assert (body["since"], body["until"]) == ("2026-03-09T08:00:00Z", "2026-03-10T08:00:00Z")
    assert body["text"].startswith("The day in Data Factory\n1 of 1 run failed.\n")
    assert run.run_id in body["text"]
    assert run.run_id in body["failures"][0]


async def test_the_week_is_told_beside_the_one_before(paper: Paper, http: httpx.AsyncClient) -> None:
    paper.run(hours_ago=100)
    paper.run(hours_ago=200, status="Failed")
    body = (await http.get("/api/digest", params={"period": "week", "factory": "adf-test"})).json()
    assert (body["runs"], body["runs_before"], body["failed_before"]) == (1, 1, 1)
    assert "The week in Data Factory\nThe only run went well.\n" in body["text"]
    assert "The week before: 1 of 1 run failed\n" in body["text"]


@pytest.mark.parametrize(("query", "status"), [("factory=adf-tset", 404), ("period=month", 422)])
async def test_what_cannot_be_asked_for_is_refused(query: str, status: int, http: httpx.AsyncClient) -> None:
    assert (await http.get(f"/api/digest?{query}")).status_code == status


async def test_no_secret_goes_out(paper: Paper, http: httpx.AsyncClient) -> None:
    secret = "Server=x;Password=hunter2hunter2;"
    await paper.incident(title=f"LoadSales failed {secret}", diagnosis={"cause": secret})
    paper.factory.runs.append(replace(paper.run(status="Failed"), run_id="another", pipeline=f"Load {secret}"))
    answer = await http.get("/api/digest")
    assert "LoadSales failed" in answer.text
    assert "hunter2" not in answer.text
