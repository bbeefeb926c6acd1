"""The doctor at the whole app, as `make dev` starts it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from localcloud.launch.cloud import Options, running
from orchestrator.doctor.rota import CHECKS

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]
NOT_HERE = {"operator_credential", "alert_wiring"}  # nobody is assigned, and no alerts come, on this machine


async def test_the_local_cloud_passes_whole_before_and_after_a_question(tmp_path: Path) -> None:
    async with (
        running(Options(logs=tmp_path, teams=True, storage_made=True)) as cloud,
        httpx.AsyncClient(
            base_url=cloud.url, headers={"x-functions-key": cloud.key}, timeout=120, trust_env=False
        ) as http,
    ):
        for asked in (False, True):
            if asked:
                run = await http.post("/api/ask", json={"question": "What failed last night?", "wait_seconds": 60})
                assert run.json()["status"] == "done", run.text
            answer = await http.get("/api/health", params={"deep": "true"})
            health = answer.json()
            assert [each for each in health["findings"] if each["result"] in ("failed", "warning")] == []
            assert (answer.status_code, health["status"]) == (200, "ok")
            assert {each["check"] for each in health["findings"]} == {check.name for check in CHECKS}
            assert {each["check"] for each in health["findings"] if each["result"] == "skipped"} == NOT_HERE
        assert cloud.key not in answer.text
        assert (await http.get("/api/health")).json()["findings"] == []
