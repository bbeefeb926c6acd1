"""What was asked stands in the audit trail, which nobody has touched."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from tests.e2e.conftest import World

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]


async def test_a_question_and_its_calls_can_be_read_and_proven(world: World) -> None:
    run = await world.ask("Why did LoadSales fail last night?")
    async with world.http() as http:
        async with asyncio.timeout(30):  # it is written when the answer is on its way
            while not (told := (await http.get("/api/audit", params={"subject": run["run_id"]})).json()["entries"]):
                await asyncio.sleep(0.05)
        assert told[0]["what"] == "Why did LoadSales fail last night?"
        assert (told[0]["kind"], told[0]["outcome"]) == ("question", "done")
        calls = [entry for entry in told if entry["kind"] == "tool_call"]
        assert len(calls) == run["tool_calls"] > 0
        assert all(entry["intact"] for entry in told)
        policy = (await http.get("/api/audit", params={"kind": "configuration"})).json()["entries"]
        assert policy[-1]["subject"] == "policy.yaml"
        (await http.post("/admin/functions/audit_anchor", json={"input": ""})).raise_for_status()
    env = {"PATH": os.environ["PATH"], "STORAGE": world.settings["STORAGE"]}
    command = [sys.executable, "-m", "orchestrator.audit", "verify"]
    done = await asyncio.to_thread(subprocess.run, command, cwd=world.options.root, env=env, capture_output=True)
    assert (done.returncode, b"nothing was found" in done.stdout) == (0, True), done
