"""The cloud that the storm comes over: storage on disk behind a proxy, both stand-ins, two instances of the app."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.chaos.instances import Instance
from bench.chaos.witness import Witness
from localcloud import azurite
from localcloud.launch.children import Children
from localcloud.launch.cloud import ROOT, Options, app_settings, start_server
from localcloud.storageproxy.proxy import Proxy

LOGS = Path(".localcloud/logs/bench-chaos")
RUN_DEADLINE_SECONDS = 40.0
TOOL_DEADLINE_SECONDS = 15.0
SETTINGS = {
    "RUN_DEADLINE_SECONDS": f"{RUN_DEADLINE_SECONDS:g}",
    "TOOL_DEADLINE_SECONDS": f"{TOOL_DEADLINE_SECONDS:g}",
    "ADF_TIMEOUT_SECONDS": "5",
    "ADF_CACHE_SECONDS": "0",
    "HEARTBEAT_SECONDS": "1",
    "LEARN_MCP_URL": "off",
    "INCIDENT_NARRATIVE": "off",  # questions that the watcher asks are in nobody's log here
}
AGENT_API = {"authorization": "Bearer chaos"}


class Storage:
    """Azurite with its data on disk, so that it can be stopped and started again."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._azurite = azurite.start(data)
        self.ports = (self._azurite.blob_port, self._azurite.queue_port, self._azurite.table_port)
        self.restarts = 0
        self._one_at_a_time = asyncio.Lock()

    async def restart(self) -> None:
        """SIGTERM, then a new process on the same data."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self.stop)
            self._azurite = await asyncio.to_thread(azurite.start, self._data, self.ports)
            self.restarts += 1

    def stop(self) -> None:
        self._azurite.process.terminate()
        self._azurite.process.wait(15)
        for pipe in (self._azurite.process.stdin, self._azurite.process.stderr):
            if pipe:
                pipe.close()


@dataclass(frozen=True)
class World:
    """`http` speaks to the stand-ins' own switches; the asker has a client of its own."""

    storage: Storage
    proxy: Proxy
    connection: str  # to storage, through the proxy
    direct: str  # past it
    witness: Witness
    adf: str
    foundry: str
    journal: Path
    settings: dict[str, str]
    instances: list[Instance]
    http: httpx.AsyncClient

    async def post(self, url: str, body: dict[str, Any]) -> None:
        (await self.http.post(f"{url}/_faults", json=body)).raise_for_status()

    async def calm(self) -> None:
        """No more faults."""
        self.proxy.faults.clear()
        await self.post(self.foundry, {"clear": True})
        (await self.http.delete(f"{self.adf}/_faults")).raise_for_status()

    async def stats(self, url: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(f"{url}/_stats")).json()
        return found

    async def listed(self, path: str) -> list[dict[str, Any]]:
        """All that the agent service has under a path, by its own API."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            url = f"{self.foundry}/api/projects/local/{path}?limit=100&order=asc{after}"
            page = (await self.http.get(url, headers=AGENT_API)).json()
            found += page["data"]
            if not page["has_more"]:
                return found
            after = f"&after={page['last_id']}"


@asynccontextmanager
async def world(seed: int, logs: Path = LOGS) -> AsyncIterator[World]:
    options = Options(logs=logs)
    journal = ROOT / logs / "queues.jsonl"
    journal.parent.mkdir(parents=True, exist_ok=True)
    journal.unlink(missing_ok=True)
    children = Children(ROOT / logs)
    instances: list[Instance] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as data:
        storage = await asyncio.to_thread(Storage, Path(data))
        try:
            async with Proxy(storage.ports, seed) as proxy, httpx.AsyncClient(trust_env=False, timeout=30) as http:
                connection, direct = (azurite.connection_string(*ports) for ports in (proxy.ports, storage.ports))
                witness = Witness()
                proxy.watch = witness.see
                adf = await start_server(options, children, "adf", ())
                arguments = ("--queues", connection, "--log", str(journal), "--seed", str(seed))
                foundry = await start_server(options, children, "foundry", arguments)
                settings = {**app_settings(connection, adf, foundry, ""), **SETTINGS}
                key = secrets.token_urlsafe(16)
                instances += [
                    Instance(name, port, key, ROOT / logs, settings)
                    for name, port in zip(("first", "second"), azurite.free_ports(2), strict=True)
                ]
                await asyncio.gather(*(each.start() for each in instances))
                try:
                    yield World(
                        storage, proxy, connection, direct, witness, adf, foundry, journal, settings, instances, http
                    )
                finally:
                    await asyncio.gather(*(each.stop() for each in instances))
                    await children.stop(3)
        finally:
            await asyncio.to_thread(storage.stop)
