"""What the alerts are offered to: storage, Data Factory, one or more instances of the app, and a channel for its cards.

No agent service: alerts need none. The timer that looks at every factory each minute is off, so that whatever is found
is found because an alert came.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
from azure.data.tables.aio import TableServiceClient

from bench.alerts.estate import GROUPS, Cause, resource_id, write
from bench.alerts.signals import FailedRun
from bench.alerts.verdict import Card, Row, Story
from bench.scale import Part, cpu, parts
from core import clients
from function_app import app
from localcloud.launch.children import Children
from localcloud.launch.cloud import Options, adf_arguments, app_settings, start_app, start_server, start_storage
from orchestrator.stores.alert_tables import ALERTS
from orchestrator.stores.rows import unpacked

LOGS = Path(".localcloud/logs/bench-alerts")
VERSION = "api-version=2018-06-01"
HTTP = ("api", "hooks", "ui")
# How functions share processes. apart: as Flex Consumption hosts them, which gives HTTP functions instances of their
# own, together: all in one process, twice: two such processes.
Layout = Literal["apart", "together", "twice"]
WATCHER_OFF = {"AzureWebJobs.watch_all.Disabled": "true"}


class Channel:
    """What Teams would be sent: a small server that takes cards and notes when they came."""

    def __init__(self) -> None:
        self.cards: list[Card] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                at = time.perf_counter()
                length = next(
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                content = json.loads(await reader.readexactly(length))
                self.cards += [Card.of(each["content"], at) for each in content["attachments"]]
                writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # they hung up
        finally:
            writer.close()


@dataclass(frozen=True)
class Cloud:
    storage: str
    adf: str
    urls: list[str]
    hands: str  # the process without HTTP functions, where there is one
    key: str
    channel: Channel
    working: list[Part]
    http: httpx.AsyncClient = field(repr=False)

    async def failed_runs(self, causes: tuple[Cause, ...]) -> list[FailedRun]:
        """As Data Factory tells them; of pipelines that belong to no cause, none may have failed."""
        homes = {(cause.factory, name): cause.id for cause in causes for name in cause.everything}
        return [
            FailedRun(run["runId"], homes[factory, run["pipelineName"]], factory, run["pipelineName"], ended(run))
            for factory in GROUPS
            for run in await self._runs(factory)
            if run["status"] == "Failed"
        ]

    async def fail(self, cause: Cause) -> FailedRun:
        """Start the pipeline of a cause and wait until it has failed."""
        (pipeline,) = cause.pipelines
        url = f"{self.adf}{resource_id(cause.factory)}"
        run_id = (await self.http.post(f"{url}/pipelines/{pipeline}/createRun?{VERSION}", json={})).json()["runId"]
        async with asyncio.timeout(30):
            while (run := (await self.http.get(f"{url}/pipelineruns/{run_id}?{VERSION}")).json())["status"] != "Failed":
                await asyncio.sleep(0.1)
        return FailedRun(run_id, cause.id, cause.factory, pipeline, ended(run))

    def cpu_seconds(self) -> dict[str, float]:
        """Used so far by each part, and by this process, which offers and takes cards."""
        return {**cpu(self.working), "bench": time.process_time()}

    async def adf_queries(self) -> int:
        """What Data Factory was asked, by whomever."""
        counts: dict[str, int] = (await self.http.get(f"{self.adf}/_stats")).json()["requests"]
        return sum(counts.values())

    async def stories(self) -> list[Story]:
        """All incidents, as the API tells them."""
        listed = await self._get("/api/incidents?state=all&limit=500")
        return [Story.of(await self._get(f"/api/incidents/{each['id']}")) for each in listed["incidents"]]

    async def rows(self) -> list[Row]:
        """What was kept of alerts, read past the app."""
        found = []
        async with TableServiceClient.from_connection_string(self.storage, transport=clients.transport()) as tables:
            async for row in tables.get_table_client(ALERTS).list_entities():
                told = unpacked(row)
                found.append(Row(str(told["instance"]).rsplit("/", 1)[-1], bool(told["fired"]), str(row["incident"])))
        return found

    async def diagnose(self, run_id: str) -> None:
        """Once in every process."""
        headers = {"x-functions-key": self.key}
        for url in self.urls:
            (await self.http.post(f"{url}/api/diagnose", json={"run_id": run_id}, headers=headers)).raise_for_status()
        if self.hands:
            told = {"input": json.dumps({"run_id": run_id, "CorrelationId": "warm"})}
            url = f"{self.hands}/admin/functions/adf_diagnose_run"
            (await self.http.post(url, json=told, headers=headers)).raise_for_status()

    async def _runs(self, factory: str) -> list[dict[str, Any]]:
        now = datetime.fromisoformat((await self.http.get(f"{self.adf}/_clock")).json()["now"])
        body: dict[str, Any] = {
            "lastUpdatedAfter": (now - timedelta(days=1)).isoformat(),
            "lastUpdatedBefore": (now + timedelta(minutes=1)).isoformat(),
        }
        found: list[dict[str, Any]] = []
        while True:
            answer = await self.http.post(f"{self.adf}{resource_id(factory)}/queryPipelineRuns?{VERSION}", json=body)
            page = answer.json()
            found += page["value"]
            if not page.get("continuationToken"):
                return found
            body["continuationToken"] = page["continuationToken"]

    async def _get(self, path: str) -> Any:
        answer = await self.http.get(f"{self.urls[0]}{path}", headers={"x-functions-key": self.key})
        answer.raise_for_status()
        return answer.json()


def ended(run: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(run["runEnd"])


def disabled(names: Iterable[str]) -> dict[str, str]:
    return {f"AzureWebJobs.{name}.Disabled": "true" for name in names}


def processes(layout: Layout) -> list[dict[str, str]]:
    """The settings by which each process of a layout differs. Those with HTTP functions come first."""
    if layout == "together":
        return [{}]
    if layout == "twice":
        return [{}, {}]
    others = [str(function.get_function_name()) for function in app.get_functions()]
    return [disabled(name for name in others if name not in HTTP), disabled(HTTP)]


@asynccontextmanager
async def cloud(layout: Layout) -> AsyncIterator[Cloud]:
    options = Options(logs=LOGS)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="alerts-"))
        children = Children(options.root / LOGS)
        stack.push_async_callback(children.stop, 3)
        storage = await start_storage(options, children)
        scenario = ("--scenario", str(write(Path(folder))))
        adf = await start_server(options, children, "adf", (*adf_arguments(options), *scenario))
        channel = Channel()
        server = await asyncio.start_server(channel.take, "127.0.0.1", 0)
        stack.callback(server.close)
        port = server.sockets[0].getsockname()[1]
        settings = {name: value for name, value in app_settings(storage, adf, "", "").items() if value}
        settings = {name: value for name, value in settings.items() if not name.startswith(("FOUNDRY_", "LEARN_"))}
        settings |= {"TEAMS_WEBHOOK_URL": f"http://127.0.0.1:{port}/workflows/1?sig=bench", **WATCHER_OFF}
        key, urls, running = secrets.token_urlsafe(16), [], children.running()
        for number, own in enumerate(processes(layout), 1):
            apps = Children(options.root / LOGS / f"instance-{number}")
            stack.push_async_callback(apps.stop, 3)
            urls.append(await start_app(options, apps, key, settings | own))
            running += apps.running()
        hands = urls.pop() if layout == "apart" else ""
        headers = {"authorization": "Bearer bench"}
        http = await stack.enter_async_context(httpx.AsyncClient(headers=headers, timeout=60, trust_env=False))
        yield Cloud(storage, adf, urls, hands, key, channel, parts(running), http)
