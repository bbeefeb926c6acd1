"""Queues, backlogs, paused triggers and hanging children of the stand-in's world of operations, at a fixed time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from core.clients import LoopbackCredential
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.sdk import SdkDataFactory
from tools_worker.runtime.tools import Reply, ToolContext, ToolSpec
from tools_worker.tools import (
    adf_missed_runs,
    adf_pipeline_runs,
    adf_run_performance,
    adf_stuck_runs,
)

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
RETAIL = FactoryId("00000000-0000-0000-0000-000000000001", "rg-retail", "adf-retail")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "localcloud.adf", "--port", "0", "--exit-with-stdin"]
    command += ["--scenario", "operations", "--now", NOW.isoformat()]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


async def asked(url: str, tool: ToolSpec, **arguments: Any) -> Reply:
    factory = SdkDataFactory(Arm(LoopbackCredential(), RETAIL.subscription, endpoint=url), RETAIL, clock=lambda: NOW)
    try:
        return await tool.run(ToolContext(Factories([factory]), NOW), tool.arguments.model_validate(arguments))
    finally:
        await factory.close()


async def test_the_failed_window_that_blocks_the_others(url: str) -> None:
    reply = await asked(url, adf_missed_runs.TOOL, trigger="stockwindows")
    (row,) = reply.data["triggers"]
    assert row["blocked_by"]["status"] == "Failed"
    assert row["open_windows"] == row["waiting"] + 1
    assert row["blocked_by"]["trigger_run"] in {evidence.id for evidence in reply.evidence}
    assert f"{row['waiting']} windows after it wait for the window from" in reply.summary


async def test_since_when_a_stopped_trigger_is_silent(url: str) -> None:
    reply = await asked(url, adf_missed_runs.TOOL, trigger="StockEveryHour")
    assert "'StockEveryHour' in 'adf-retail', which starts CountStock: is stopped; " in reply.summary
    assert "it last fired 2026-03-10 00:" in reply.summary


async def test_a_trigger_that_was_paused_and_fires_again(url: str) -> None:
    reply = await asked(url, adf_missed_runs.TOOL, trigger="PricesEveryHour")
    assert "nothing fired between 2026-03-09 " in reply.summary
    assert "when it fired again (trigger run " in reply.summary


async def test_a_copy_that_waited_for_a_busy_runtime(url: str) -> None:
    reply = await asked(url, adf_run_performance.TOOL, pipeline="copypos")
    assert reply.data["bottleneck"]["phase"] == "queue"
    assert "on integration runtime 'SHIR-Stores'" in reply.summary


async def test_a_copy_that_its_source_throttled(url: str) -> None:
    reply = await asked(url, adf_run_performance.TOOL, pipeline="CopyReviews", which="slowest", since="2026-03-09")
    assert "slowed by the throttling of the source" in reply.summary


async def test_the_hanging_activity_of_a_grandchild(url: str) -> None:
    reply = await asked(url, adf_stuck_runs.TOOL)
    assert "in activity MatchLedger (SqlServerStoredProcedure) of its child ReconcileStores (run " in reply.summary
    assert "2 levels down" in reply.summary


async def test_a_run_queued_behind_the_concurrency_of_its_pipeline(url: str) -> None:
    runs = (await asked(url, adf_stuck_runs.TOOL)).data["runs"]
    (queued,) = [run for run in runs if run["pipeline"] == "RebuildCube" and run["status"] == "Queued"]
    (holder,) = [run for run in runs if run["pipeline"] == "RebuildCube" and run["status"] == "InProgress"]
    assert (queued["reason"], queued["behind"]) == ("concurrency", [holder["run_id"]])


async def test_a_run_of_late_evening_belongs_to_the_next_local_day(url: str) -> None:
    day = {"pipeline": "CloseTills", "since": "2026-03-10", "until": "2026-03-10"}
    assert (await asked(url, adf_pipeline_runs.TOOL, **day, timezone="Europe/Amsterdam")).data["total"] == 1
    assert (await asked(url, adf_pipeline_runs.TOOL, **day)).data["total"] == 0


async def test_two_failed_nights_missed_the_agreed_time(url: str) -> None:
    arguments = {"pipeline": "CloseTills", "agreed_finish": "00:33", "timezone": "Europe/Amsterdam"}
    reply = await asked(url, adf_missed_runs.TOOL, **arguments, since="2026-03-08")
    (kept,) = reply.data["agreed"]
    assert [day["state"] for day in kept["days"]] == ["late", "missed", "missed"]
    newest = kept["days"][2]["run_id"]
    assert f"2026-03-10 (due 2026-03-09 23:33 UTC) was missed: run {newest} ended Failed" in reply.summary
