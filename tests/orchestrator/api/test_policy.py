"""Asking the policy what it would say, and what the app says of itself while the policy cannot be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestrator.api import app as api
from tests.orchestrator.api.doors import through

POLICY = """
environments:
  - {name: production, factories: [adf-prod]}
calendars:
  - {name: freeze, timezone: Europe/Berlin, dates: [2026-12-18..2027-01-06]}
rules:
  - {name: frozen, why: holidays., effect: deny, match: {environments: [production], during: [freeze]}}
  - name: fleeting
    why: it passes
    effect: allow
    match: {tags: {team: sales}, annotations: [nightly], confidence: medium, transience: [transient],
      categories: [network], repeatable: [yes], callers: [playbook], pipelines: [Load*]}
    limits: {per_hour: 5, per_pipeline_per_hour: 4, per_incident: 2}
  - {name: rest, why: people know, effect: ask, ask: {roles: [approver], approvals: 2, expires_minutes: 30}}
"""
WHOLE: dict[str, Any] = {
    "action": "rerun",
    "factory": "adf-prod",
    "factory_tags": {"team": "sales"},
    "pipeline": "LoadSales",
    "annotations": ["nightly"],
    "callers": ["playbook"],
    "at": "2026-11-21T06:00:00Z",
    "this_hour": 4,
    "of_pipeline_this_hour": 3,
    "of_incident": 1,
    "confidence": "high",
    "transience": "transient",
    "category": "network",
    "repeatable": "yes",
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    monkeypatch.setenv("POLICY_FILE", str(path))
    return path


@pytest.fixture
async def http(path: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(through("api", api.build()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:7071") as client:
        yield client


async def explained(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await http.post("/api/policy/explain", json={**WHOLE, **changes})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_it_tells_which_rule_decides_and_why_not_those_before(http: httpx.AsyncClient) -> None:
    assert await explained(http, confidence="low") == {
        "effect": "ask",
        "rule": "rest",
        "why": "people know",
        "limit": None,
        "environment": "production",
        "at": "2026-11-21T06:00:00Z",
        "ask": {"roles": ["approver"], "approvals": 2, "four_eyes": True, "expires_minutes": 30},
        "passed": [
            {"rule": "frozen", "condition": "during", "told": "it is not freeze"},
            {"rule": "fleeting", "condition": "confidence", "told": "low is less than medium"},
        ],
        "stopped": "",
    }


@pytest.mark.parametrize(
    ("field", "value", "condition"),
    [
        ("factory_tags", {}, "tags"),
        ("pipeline", "PostLedger", "pipelines"),
        ("annotations", [], "annotations"),
        ("callers", ["key"], "callers"),
        ("confidence", None, "confidence"),
        ("transience", None, "transience"),
        ("category", None, "categories"),
        ("repeatable", "unknown", "repeatable"),
    ],
)
async def test_every_field_counts(http: httpx.AsyncClient, field: str, value: Any, condition: str) -> None:
    assert (await explained(http))["rule"] == "fleeting"
    told = await explained(http, **{field: value})
    assert (told["rule"], told["passed"][1]["condition"]) == ("rest", condition)


@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        ("this_hour", 5, "per_hour"),
        ("of_pipeline_this_hour", 4, "per_pipeline_per_hour"),
        ("of_incident", 2, "per_incident"),
    ],
)
async def test_a_limit_that_is_reached_is_named(http: httpx.AsyncClient, field: str, value: int, limit: str) -> None:
    told = await explained(http, **{field: value})
    assert (told["effect"], told["rule"], told["limit"], told["ask"]) == ("deny", "fleeting", limit, None)


async def test_the_time_is_that_of_the_question(http: httpx.AsyncClient) -> None:
    told = await explained(http, at="2026-12-17T23:30:00Z")  # half past midnight in Berlin
    assert (told["effect"], told["rule"], told["why"]) == ("deny", "frozen", "holidays")


async def test_the_action_and_the_factory_are_enough(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/policy/explain", json={"action": "cancel", "factory": "elsewhere"})
    assert (answer.json()["rule"], answer.json()["environment"]) == ("rest", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "delete"},
        {"factory": " "},
        {"callers": ["root"]},
        {"at": "2026-11-21T06:00:00"},
        {"at": "9999-12-31T23:59:00Z"},
        {"category": "netwrk"},
        {"this_hour": -1},
        {"unknown": 1},
    ],
)
async def test_what_is_no_action_is_refused(http: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    answer = await http.post("/api/policy/explain", json={**WHOLE, **wrong})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_while_the_policy_is_broken_the_last_one_is_explained_and_writes_stop(
    http: httpx.AsyncClient, path: Path
) -> None:
    assert (await explained(http))["stopped"] == ""
    path.write_text("rules: [{name: x}]", encoding="utf-8")
    told = await explained(http)
    assert told["rule"] == "fleeting"
    assert told["stopped"].startswith(
        "Nothing is changed until policy.yaml is sound. Line 1: rules[0].why: Field required."
    )


async def test_health_says_that_the_policy_is_gone_and_that_nothing_is_changed(
    http: httpx.AsyncClient, path: Path
) -> None:
    def told(answer: httpx.Response) -> list[tuple[str, str]]:
        return [(each["area"], each["text"]) for each in answer.json()["problems"] if each["setting"] == "POLICY_FILE"]

    assert told(await http.get("/api/health")) == []
    path.unlink()
    answer = await http.get("/api/health")
    assert answer.status_code == 503
    gone = "policy.yaml cannot be read: No such file or directory."
    assert told(answer) == [("policy", gone), ("writes", f"Nothing is changed until policy.yaml is sound. {gone}")]
