"""The link of a card opens the incident's report, for whoever has the link, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from orchestrator.api.app import build
from orchestrator.incidents import services
from orchestrator.links import Links
from tests.orchestrator.api.doors import through
from tests.orchestrator.incidents.night import Night
from tools_worker.runtime.worker import utc_now


class Parts:
    def __init__(self, night: Night) -> None:
        self.incidents = night.incidents


async def opened(monkeypatch: pytest.MonkeyPatch, path: str, key: str = "k" * 32) -> httpx.Response:
    monkeypatch.setenv("LINK_SIGNING_KEY", key)
    night = Night()
    night.run()
    (incident,) = await night.look()
    app = build()
    app.dependency_overrides[services.provided] = lambda: Parts(night)
    transport = httpx.ASGITransport(app=through("hooks", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        return await http.get(path.format(id=incident.id, link=link(incident.id, utc_now())))


def link(incident_id: str, now: datetime) -> str:
    return Links("http://test", "k" * 32).incident(incident_id, now)


async def test_the_link_of_a_card_shows_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await opened(monkeypatch, "{link}")
    assert answer.status_code == 200
    assert answer.text.startswith("# LoadSales failed")
    assert answer.headers["content-type"].startswith("text/plain")


async def test_without_a_signature_or_with_another_key_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await opened(monkeypatch, "/hooks/incidents/{id}")).status_code == 401
    assert (await opened(monkeypatch, "{link}", key="other" * 8)).status_code == 401


async def test_a_link_is_over_after_a_week(monkeypatch: pytest.MonkeyPatch) -> None:
    old = link("inc-202603-000000000000", utc_now() - timedelta(days=7, seconds=1))
    assert (await opened(monkeypatch, old)).status_code == 401


def test_without_an_address_or_a_key_no_link_is_made() -> None:
    assert Links("", "k" * 32).incident("inc-1", utc_now()) == ""
    assert Links("https://app").incident("inc-1", utc_now()) == ""
