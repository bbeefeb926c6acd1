"""The three systems that are compared, each over stand-ins of its own: how it is started, asked and stopped.

async with standing("pattern", turn_ms=1000, adf_ms=50) as stand: await stand.ask("What failed?")
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from bench.compare import estate
from bench.scale import Part, parts
from localcloud.launch.children import Children, Spec
from localcloud.launch.cloud import (
    ROOT,
    SUBSCRIPTION,
    UNWATCHED,
    Options,
    app_settings,
    base_environment,
    foundry_arguments,
    start_app,
    start_server,
    start_storage,
    storage_log,
)

LOGS = Path(".localcloud/logs/bench-compare")
GROUP, FACTORY = "rg-data-prod", "adf-prod"  # all systems are told of this one factory alone
FACTORY_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DataFactory/factories/{FACTORY}"
SYSTEMS = ("ours", "pattern", "floor")
WIDE = "pattern_wide"  # the common pattern, its conversations on more threads than it has in practice
THREADS = {"pattern": "6", WIDE: "40"}  # Python's own number on two cores, which the Functions worker takes, is 6
STAND_INS = ("storage", "adf", "learn", "foundry")
TOOLS_APP = ("--app", "bench.compare.pattern.function_app:app", "--root", "bench/compare/pattern")
WAIT_SECONDS = 110  # the longest that our own route keeps a caller


@dataclass(frozen=True)
class Reply:
    """`run` names it at the system that was asked."""

    status: str
    text: str
    run: str

    @property
    def done(self) -> bool:
        return self.status in ("done", "completed")

    @property
    def ended(self) -> bool:
        return self.status not in ("queued", "working", "waiting_tool", "needs_approval")


@dataclass(frozen=True)
class Stand:
    """A system that runs. `parts` are its own processes, without the stand-ins."""

    system: str
    http: httpx.AsyncClient
    adf: str
    foundry: str
    storage_log: Path
    parts: list[Part]

    async def ask(self, question: str) -> Reply:
        if self.system == "ours":
            body = {"question": question, "wait_seconds": WAIT_SECONDS}
            return reply((await self.http.post("/api/ask", json=body)).json())
        said = (await self.http.post("/ask", json={"question": question})).json()
        return Reply(said["status"], said["answer"], said["run"])

    async def look(self, run: str) -> Reply:
        """At a run of ours that had not ended."""
        return reply((await self.http.get(f"/api/runs/{run}")).json())


def reply(said: Mapping[str, Any]) -> Reply:
    return Reply(said["status"], said.get("answer") or "", said["run_id"])


@asynccontextmanager
async def standing(
    system: str, turn_ms: float, adf_ms: float, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Stand]:
    (ROOT / LOGS / system).mkdir(parents=True, exist_ok=True)
    scenario = str(estate.write(ROOT / LOGS / system))
    options = Options(logs=LOGS / system, adf_arguments=("--scenario", scenario, "--latency-ms", f"{adf_ms:g}"))
    children = Children(options.root / options.logs)
    key = secrets.token_urlsafe(16)
    try:
        storage = await start_storage(options, children)
        adf = await start_server(options, children, "adf", options.adf_arguments)
        learn = await start_server(options, children, "learn", ())
        thinking = replace(options, foundry_arguments=("--turn-ms", f"{turn_ms:g}"))
        foundry = await start_server(options, children, "foundry", foundry_arguments(storage, thinking))
        usual = (
            app_settings(storage, adf, foundry, learn)
            | UNWATCHED
            | {"ADF_FACTORIES": FACTORY_ID}
            | dict(settings or {})
        )
        url = await start_system(system, options, children, key, usual)
        own = parts([child for child in children.running() if child.spec.name not in STAND_INS])
        headers = {"x-functions-key": key}
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=url, headers=headers, timeout=180, limits=limits, trust_env=False
        ) as http:
            yield Stand(system, http, adf, foundry, storage_log(options), own)
    finally:
        await children.stop(3)


async def start_system(system: str, options: Options, children: Children, key: str, settings: Mapping[str, str]) -> str:
    if system == "ours":
        return await start_app(options, children, key, settings)
    environment = base_environment() | dict(settings)
    if system in THREADS:
        environment |= {**pattern_settings(settings), "THREADS": THREADS[system]}
        tools = (
            "localcloud.host",
            "--app",
            "bench.compare.pattern.function_app:app",
            "--root",
            "bench/compare/pattern",
            "--storage-log",  # both hosts hear of a message at once: what a real one takes to ask is in neither
            str(storage_log(options)),
        )
        await start_module(children, "tools", environment, *tools)
    return await start_module(children, system, environment, f"bench.compare.{system.removesuffix('_wide')}")


async def start_module(children: Children, name: str, environment: Mapping[str, str], *module: str) -> str:
    command = [sys.executable, "-m", *module]
    command += ["--exit-with-stdin"] if module[0] == "localcloud.host" else []
    ready = await children.start(Spec(name, command, environment, ROOT))
    return str(ready["url"])


def pattern_settings(settings: Mapping[str, str]) -> dict[str, str]:
    queues = dict(part.split("=", 1) for part in settings["STORAGE"].split(";") if part)["QueueEndpoint"]
    return {
        "QUEUES": queues,
        "ADF_RESOURCE_GROUP": GROUP,
        "ADF_FACTORY": FACTORY,
        "PYTHON_THREADPOOL_THREAD_COUNT": "6",
        "PYTHONPATH": str(ROOT),
    }
