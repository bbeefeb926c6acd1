"""Storage and Data Factory of their own for one experiment, behind a proxy that sees each request of the app."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.actions import workshop
from bench.actions.instance import Instance, instance
from localcloud import azurite
from localcloud.launch.children import Children
from localcloud.launch.cloud import ROOT, Options, app_settings, start_server, start_storage
from localcloud.storageproxy.proxy import Proxy

LOGS = Path(".localcloud/logs/bench-actions")
VERSION = "api-version=2018-06-01"


@dataclass(frozen=True)
class Standin:
    """Data Factory past the app: what really happened there."""

    url: str
    http: httpx.AsyncClient

    async def runs(self) -> list[dict[str, Any]]:
        now = datetime.fromisoformat((await self.get("/_clock"))["now"])
        body: dict[str, Any] = {
            "lastUpdatedAfter": (now - timedelta(days=2)).isoformat(),
            "lastUpdatedBefore": (now + timedelta(minutes=1)).isoformat(),
        }
        found: list[dict[str, Any]] = []
        while True:
            page = await self._post(f"{workshop.RESOURCE_ID}/queryPipelineRuns?{VERSION}", body)
            found += page["value"]
            if not page.get("continuationToken"):
                return found
            body["continuationToken"] = page["continuationToken"]

    async def trigger_states(self) -> dict[str, str]:
        found = await self._post(f"{workshop.RESOURCE_ID}/querytriggers?{VERSION}", {})
        return {each["name"]: each["properties"]["runtimeState"] for each in found["value"]}

    async def requests(self) -> dict[str, int]:
        """How many of each, since the last reset."""
        told: dict[str, int] = (await self.get("/_stats"))["requests"]
        return told

    async def reset(self) -> None:
        (await self.http.post(f"{self.url}/_reset")).raise_for_status()

    async def turn_clock(self, seconds: float) -> None:
        await self._post("/_clock", {"advance_seconds": seconds})

    async def get(self, path: str) -> Any:
        answer = await self.http.get(f"{self.url}{path}")
        answer.raise_for_status()
        return answer.json()

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self.http.post(f"{self.url}{path}", json=body)
        answer.raise_for_status()
        return answer.json()


@dataclass(frozen=True)
class Lane:
    standin: Standin
    proxy: Proxy
    instances: Sequence[Instance]
    storage: str  # past the proxy


@asynccontextmanager
async def lane(name: str, failing: Sequence[str] = (), processes: int = 1) -> AsyncIterator[Lane]:
    options = Options(logs=LOGS / name)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="actions-")))
        scenario = workshop.write(folder, failing)
        children = Children(ROOT / options.logs)
        stack.push_async_callback(children.stop, 3)
        storage = await start_storage(options, children)
        adf = await start_server(options, children, "adf", ("--scenario", str(scenario)))
        ports = tuple(int(port) for port in _ports(storage))
        proxy = await stack.enter_async_context(Proxy((*ports, int(adf.rsplit(":", 1)[1]))))
        connection = azurite.connection_string(*proxy.ports[:3])
        settings = app_settings(connection, f"http://127.0.0.1:{proxy.ports[3]}", "", "")
        settings = {name: value for name, value in settings.items() if value} | {
            "POLICY_FILE": str(folder / "policy.yaml"),
            "BENCH_ADF": adf,
        }
        instances = [
            await stack.enter_async_context(instance(ROOT / LOGS / name / f"instance-{number}.log", settings))
            for number in range(processes)
        ]
        headers = {"authorization": "Bearer bench"}
        http = await stack.enter_async_context(httpx.AsyncClient(headers=headers, timeout=60, trust_env=False))
        yield Lane(Standin(adf, http), proxy, instances, storage)


def _ports(connection: str) -> list[str]:
    """Blob, queue, table."""
    parts = dict(part.split("=", 1) for part in connection.split(";") if "=" in part)
    return [parts[f"{kind}Endpoint"].rsplit(":", 1)[1].split("/")[0] for kind in ("Blob", "Queue", "Table")]
