"""The whole app over Azurite and the stand-ins, as processes of their own, started once for all these tests."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from localcloud.launch.children import Children
from localcloud.launch.cloud import (
    Options,
    adf_arguments,
    app_settings,
    foundry_arguments,
    start_app,
    start_server,
    start_storage,
)

KEY = "e2e-key"
CHANGING = ("create", "cancel", "start", "stop", "rerun")
HEARTBEAT = {"HEARTBEAT_SECONDS": "0.5"}  # so that an abandoned run is noticed within seconds


@dataclass
class World:
    """The stand-ins, and one process of the app that can be killed and started again."""

    options: Options
    children: Children
    settings: dict[str, str]
    adf: str
    foundry: str
    app_url: str = ""
    app_children: Children | None = None

    async def start_app(self, **settings: str) -> None:
        self.app_children = Children(self.options.root / self.options.logs / "app")
        self.app_url = await start_app(self.options, self.app_children, KEY, self.settings | HEARTBEAT | settings)

    async def stop_app(self) -> None:
        if self.app_children:
            await self.app_children.stop(3)

    async def kill_app(self) -> None:
        """SIGKILL, as a dying instance: no drain, no good-bye."""
        assert self.app_children
        (child,) = self.app_children.running()
        os.kill(child.pid, signal.SIGKILL)
        await self.stop_app()

    def http(self) -> httpx.AsyncClient:
        headers = {"x-functions-key": KEY}
        return httpx.AsyncClient(base_url=self.app_url, headers=headers, timeout=120, trust_env=False)

    async def ask(self, question: str, **body: Any) -> dict[str, Any]:
        """The run as it ended, or as it is after 60 seconds."""
        async with self.http() as http:
            response = await http.post("/api/ask", json={"question": question, "wait_seconds": 60, **body})
            run: dict[str, Any] = response.json()
            return run

    async def ended(self, run_id: str, seconds: float = 60) -> dict[str, Any]:
        async with self.http() as http, asyncio.timeout(seconds):
            while (response := await http.get(f"/api/runs/{run_id}")).status_code == 202:
                await asyncio.sleep(0.1)
            run: dict[str, Any] = response.json()
            return run

    async def events(self, run_id: str) -> list[dict[str, Any]]:
        async with self.http() as http:
            events: list[dict[str, Any]] = (await http.get(f"/api/runs/{run_id}/events")).json()["events"]
            return events

    async def sweep(self) -> None:
        """Fire the sweeper's timer now instead of within fifteen seconds."""
        async with self.http() as http:
            (await http.post("/admin/functions/runs_sweep", json={"input": ""})).raise_for_status()

    async def foundry_faults(self, **faults: Any) -> None:
        """Arm the agent service's fault switches; `clear=True` disarms them."""
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(f"{self.foundry}/_faults", json=faults)).raise_for_status()

    @asynccontextmanager
    async def adf_trouble(self, **trouble: Any) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=self.adf, trust_env=False) as http:
            (await http.post("/_faults", json=trouble)).raise_for_status()
            try:
                yield
            finally:
                (await http.delete("/_faults")).raise_for_status()

    async def changes(self) -> dict[str, int]:
        """What Data Factory was told to change, by its own count."""
        async with httpx.AsyncClient(base_url=self.adf, trust_env=False) as http:
            counts: dict[str, int] = (await http.get("/_stats")).json()["requests"]
        return {name: count for name, count in counts.items() if any(verb in name.lower() for verb in CHANGING)}

    async def foundry_stats(self) -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False) as http:
            stats: dict[str, Any] = (await http.get(f"{self.foundry}/_stats")).json()
            return stats


@asynccontextmanager
async def opened(logs: Path) -> AsyncIterator[World]:
    options = Options(logs=logs)
    children = Children(options.logs)
    try:
        storage, adf = await asyncio.gather(
            start_storage(options, children), start_server(options, children, "adf", adf_arguments(options))
        )
        foundry = await start_server(options, children, "foundry", foundry_arguments(storage, options))
        learn = await start_server(options, children, "learn", ())
        made = World(options, children, app_settings(storage, adf, foundry, learn), adf, foundry)
        try:
            await made.start_app()
            yield made
        finally:
            await made.stop_app()
    finally:
        await children.stop(3)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with opened(Path(tmp_path_factory.mktemp("logs"))) as made:
        yield made
