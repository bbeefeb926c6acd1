"""Who did what in the stand-in's world of operations, at a fixed time, as its Activity Log tells it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from core.clients import LoopbackCredential
from tests.tools_worker.tools.asking import rows_of
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.sdk import SdkDataFactory
from tools_worker.runtime.tools import Reply, ToolContext
from tools_worker.tools.adf_changes import TOOL

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


async def asked(url: str, **arguments: Any) -> Reply:
    factory = SdkDataFactory(Arm(LoopbackCredential(), RETAIL.subscription, endpoint=url), RETAIL, clock=lambda: NOW)
    try:
        return await TOOL.run(ToolContext(Factories([factory]), NOW), TOOL.arguments.model_validate(arguments))
    finally:
        await factory.close()


async def test_two_days_of_the_factory(url: str) -> None:
    reply = await asked(url, hours=48, limit=100)
    assert "22 actions in 'adf-retail' in the last 48 hours, newest first: " in reply.summary
    assert (reply.data["total"], len(rows_of(reply.data["changes"])), reply.data["exact"]) == (22, 22, True)
    assert {evidence.kind for evidence in reply.evidence} == {"activity_log"}
    assert "trigger StockEveryHour was stopped by dora at 2026-03-10 01:00 UTC" in reply.summary


async def test_cancelled_runs_have_their_pipeline(url: str) -> None:
    reply = await asked(url, kind="pipelineruns", operation="cancel")
    cancelled = {(row["pipeline"], row["by"]) for row in reply.data["changes"]}
    assert cancelled == {("MonthEnd", "hugo"), ("ExportTax", "gina"), ("SampleReceipts", "nora")}


async def test_who_cancelled_a_pipeline_named_in_any_case(url: str) -> None:
    by_name = await asked(url, name="monthend", operation="cancel")
    by_pipeline = await asked(url, pipeline="monthend", operation="cancel")
    assert [row["by"] for row in by_name.data["changes"]] == ["hugo"]
    assert [row["by"] for row in by_pipeline.data["changes"]] == ["hugo"]


async def test_which_triggers_were_stopped(url: str) -> None:
    reply = await asked(url, kind="triggers", operation="stop")
    assert [row["name"] for row in reply.data["changes"]] == ["StockEveryHour", "PricesEveryHour"]


async def test_what_was_changed_before_it_broke_though_the_period_is_short(url: str) -> None:
    reply = await asked(url, pipeline="LoadLoyalty", since="2026-03-10")
    assert reply.data["total"] == 0
    assert "The newest change before it broke: linked service LoyaltyDb was changed by bob" in reply.summary
    assert {evidence.kind for evidence in reply.evidence} == {"activity_log", "pipeline_run"}
