"""An alert at night: taken in, diagnosed, told in Teams once, over when the pipeline ran well again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.e2e.conftest import World

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]
SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "callers" / "payloads"
FACTORY = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-data-prod"
    "/providers/Microsoft.DataFactory/factories/adf-prod"
)
PIPELINE = "LoadFactSales"  # its last run violated a key; the next one will not


class Channel:
    """What Teams was sent, over HTTP."""

    def __init__(self) -> None:
        self.cards: list[dict[str, Any]] = []
        self._server: asyncio.Server | None = None

    def about(self, pipeline: str) -> list[dict[str, Any]]:
        """Its failure: the watcher may find other troubles of the same night."""
        return [card for card in self.cards if f"{pipeline} failed" in json.dumps(card)]

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/workflows/1?sig=secret"

    async def close(self) -> None:
        assert self._server
        self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        self.cards += [attachment["content"] for attachment in body["attachments"]]
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest_asyncio.fixture(loop_scope="session")
async def channel(world: World) -> AsyncIterator[Channel]:
    opened = Channel()
    url = await opened.open()
    await world.stop_app()
    await world.start_app(TEAMS_WEBHOOK_URL=url)
    yield opened
    await world.stop_app()
    await world.start_app()
    await opened.close()


def sample(name: str) -> dict[str, Any]:
    if not SAMPLES.is_dir():
        pytest.skip("the samples of alerts are not beside this checkout")
    body: dict[str, Any] = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    return body


def about(body: dict[str, Any], ended: datetime, *, resolved_at: datetime | None = None) -> dict[str, Any]:
    """The sample, told about the stand-in's factory and a run of it that ended then."""
    essentials, context = body["data"]["essentials"], body["data"]["alertContext"]
    essentials["alertTargetIDs"] = [FACTORY.lower()]
    essentials["configurationItems"] = ["adf-prod"]
    essentials["firedDateTime"] = (ended + timedelta(minutes=6)).isoformat()
    if resolved_at:
        essentials["resolvedDateTime"] = resolved_at.isoformat()
    condition = context["condition"]
    condition["windowStartTime"] = (ended - timedelta(minutes=3)).isoformat()
    condition["windowEndTime"] = (ended + timedelta(minutes=2)).isoformat()
    condition["allOf"][0]["dimensions"][0]["value"] = PIPELINE
    body["data"]["customProperties"] = None
    return body


async def latest_run(world: World) -> dict[str, Any]:
    url = f"{world.adf}{FACTORY}/queryPipelineRuns?api-version=2018-06-01"
    now = datetime.fromisoformat((await asked(world, "GET", "/_clock"))["now"])
    body = {
        "lastUpdatedAfter": (now - timedelta(days=2)).isoformat(),
        "lastUpdatedBefore": (now + timedelta(days=1)).isoformat(),
        "filters": [{"operand": "PipelineName", "operator": "Equals", "values": [PIPELINE]}],
        "orderBy": [{"orderBy": "RunStart", "order": "DESC"}],
    }
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": "Bearer test"}) as http:
        run: dict[str, Any] = (await http.post(url, json=body)).json()["value"][0]
        return run


async def asked(world: World, method: str, path: str, body: Any = None) -> Any:
    async with httpx.AsyncClient(base_url=world.adf, trust_env=False, headers={"authorization": "Bearer t"}) as http:
        response = await http.request(method, path, json=body)
        response.raise_for_status()
        return response.json()


async def incident_when(world: World, ready: Callable[[dict[str, Any]], bool], seconds: float = 30) -> dict[str, Any]:
    async with world.http() as http:
        seen: Any = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    listed = (await http.get("/api/incidents", params={"state": "all"})).json()["incidents"]
                    failures = (each for each in listed if each["kind"] == "failure")
                    seen = next((each for each in failures if each["pipelines"] == [PIPELINE]), listed)
                    if isinstance(seen, dict) and ready(seen):
                        found: dict[str, Any] = (await http.get(f"/api/incidents/{seen['id']}")).json()
                        return found
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"not in time: {seen}") from None


async def test_alert_in_incident_diagnosis_card_out_resolved(world: World, channel: Channel) -> None:
    fired, resolved = sample("alert_common_metric_adf_fired.json"), sample("alert_common_metric_adf_resolved.json")
    run = await latest_run(world)
    assert run["status"] == "Failed"
    ended = datetime.fromisoformat(run["runEnd"])
    async with world.http() as http:
        for expected in (202, 200):  # told twice, as senders do
            answer = await http.post("/api/alerts/azure-monitor", json=about(fired, ended))
            assert answer.status_code == expected, answer.text
        incident = await incident_when(world, lambda each: each["status"] == "diagnosed")
        assert incident["runs"][0]["run_id"] == run["runId"]
        assert (incident["category"], incident["alerts_count"]) == ("constraint_violation", 1)
        assert incident["opened_by"] == "adf-pipeline-failed"
        await until(lambda: len(channel.about(PIPELINE)) == 1)
        assert run["runId"] in json.dumps(channel.about(PIPELINE))

        await asked(world, "POST", f"{FACTORY}/pipelines/{PIPELINE}/createRun?api-version=2018-06-01", {})
        await asked(world, "POST", "/_clock", {"advance_seconds": 3600})
        over = datetime.fromisoformat((await asked(world, "GET", "/_clock"))["now"])
        await http.post("/api/alerts/azure-monitor", json=about(resolved, ended, resolved_at=over))
        await incident_when(world, lambda each: each["status"] == "resolved")
        await until(lambda: len(channel.about(PIPELINE)) == 2)  # told last of all, when the alerts have joined
        incident = await incident_when(world, lambda each: each["status"] == "resolved")
        told = [entry["what"] for entry in incident["timeline"]]
        assert {"opened", "alert", "diagnosed", "notified", "alert_over", "recovered", "resolved"} <= set(told)
        report = await http.get(f"/api/incidents/{incident['id']}/report")
        assert report.text.startswith(f"# {PIPELINE} failed")
        assert report.headers["content-type"].startswith("text/plain")


async def until(true: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.1)
