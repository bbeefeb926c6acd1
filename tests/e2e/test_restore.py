"""All records are lost, and put back: answers, conversations, incidents and the audit trail are as they were."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from localcloud.launch.cloud import ROOT
from tests.e2e.conftest import World, opened
from tests.e2e.test_incidents import PIPELINE, latest_run
from tests.infra.test_backup import at

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]
FAILED = "What failed in the last 24 hours, and why?"


async def ran(world: World, *words: str) -> str:
    """A command of ours, with the app's own settings."""
    env = {"PATH": os.environ["PATH"], "STORAGE": world.settings["STORAGE"]}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, cwd=ROOT, env=env, stdout=pipe, stderr=pipe
    )
    said, wrong = await process.communicate()
    assert process.returncode == 0, (said + wrong).decode()
    return said.decode()


async def incidents(world: World, wanted: int) -> list[dict[str, Any]]:
    """At least so many."""
    async with world.http() as http, asyncio.timeout(60):
        while True:
            found: list[dict[str, Any]] = (await http.get("/api/incidents?state=all")).json()["incidents"]
            if len(found) >= wanted:
                return found
            await asyncio.sleep(0.5)


async def tell_of_a_failure(world: World) -> None:
    """Of a run that failed some time today: the watcher alone takes what is older than an hour for history."""
    run = await latest_run(world)
    alert = {"factory": "adf-prod", "pipeline": PIPELINE, "run_id": run["runId"], "at": run["runEnd"]}
    async with world.http() as http:
        (await http.post("/api/alerts/plain", json=alert)).raise_for_status()


async def get(world: World, path: str) -> Any:
    async with world.http() as http:
        return (await http.get(path)).json()


async def test_everything_is_lost_and_comes_back(tmp_path: Path) -> None:
    copy = str(tmp_path / "copy")
    async with opened(tmp_path) as world:
        first = await world.ask(FAILED)
        assert first["status"] == "done", first
        await tell_of_a_failure(world)
        opened_before = {each["id"] for each in await incidents(world, 1)}
        trail = {entry["hash"] for entry in (await get(world, "/api/audit?limit=100"))["entries"]}
        await ran(world, "infra.backup", "save", copy)
        await world.stop_app()
        async with at(world.settings["STORAGE"]) as storage:
            await storage.emptied()
        await world.start_app()
        assert (await get(world, f"/api/runs/{first['run_id']}"))["code"] == "not_found"

        await world.stop_app()
        async with at(world.settings["STORAGE"]) as storage:  # what the app wrote while nothing was there
            await storage.emptied()
        await ran(world, "infra.backup", "restore", copy)
        assert "nothing was found" in await ran(world, "orchestrator.audit", "verify")
        await world.start_app()
        assert (await get(world, f"/api/runs/{first['run_id']}"))["answer"] == first["answer"]
        assert opened_before <= {each["id"] for each in await incidents(world, len(opened_before))}
        kept = {entry["hash"] for entry in (await get(world, "/api/audit?limit=500"))["entries"]}
        assert len(trail) > 0
        assert trail <= kept
        again = await world.ask("Which runs did it have in the last 48 hours?", session_id=first["session_id"])
        assert (again["status"], again["session_id"]) == ("done", first["session_id"])
