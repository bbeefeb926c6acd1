"""Tools about things: runtimes, definitions, lineage, performance, cost, factories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.clients import LoopbackCredential
from core.errors import NotFound
from tests.tools_worker.datafactory.build import guid, make_activity, make_run
from tests.tools_worker.datafactory.conftest import adf_url as adf_url  # the stand-in, also for this folder
from tests.tools_worker.tools.asking import ask, prod, rows_of
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import FactoryId, IntegrationRuntime, Trigger
from tools_worker.datafactory.sdk import SdkDataFactory
from tools_worker.runtime.tools import Reply, ToolContext, ToolSpec
from tools_worker.tools import (
    adf_cost,
    adf_explain_pipeline,
    adf_factories,
    adf_integration_runtimes,
    adf_lineage,
    adf_run_performance,
    adf_triggers,
)

COPIED = {
    "billingReference": {
        "activityType": "DataMovement",
        "billableDuration": [{"meterType": "AzureIR", "duration": 1, "unit": "DIUHours"}],
    },
    "usedDataIntegrationUnits": 4,
    "executionDetails": [
        {
            "sink": {"throttlingErrors": 6},
            "detailedDurations": {"queuingDuration": 2, "transferDuration": 386},
            "profile": {"transfer": {"details": {"writingToSink": {"workingDuration": 335}}}},
        }
    ],
}


def copied(**more: Any) -> MemoryDataFactory:
    activity = make_activity(1, status="Succeeded", output=COPIED)
    return prod(runs=[make_run(1, status="Succeeded")], activities={guid(1): [activity]}, **more)


def hosted(state: str = "Online") -> IntegrationRuntime:
    node = {"nodeName": "N1", "status": state, "concurrentJobsLimit": 20}
    return IntegrationRuntime("SHIR", "SelfHosted", state, (node,), {"version": "5.1", "latestVersion": "5.2"})


async def test_cost_of_a_run_with_the_date_of_the_prices() -> None:
    reply = await ask(adf_cost.TOOL, copied(), run_id=guid(1))
    assert f"(run {guid(1)}) cost $0.25" in reply.summary
    assert "list prices of 2026-09-17" in reply.summary


async def test_cost_of_a_factory_says_how_many_runs_it_billed() -> None:
    reply = await ask(adf_cost.TOOL, copied())
    assert (reply.data["runs_billed"], reply.data["runs_not_billed"], reply.data["exact"]) == (1, 0, True)


async def test_cost_counts_the_runs_beyond_the_cap() -> None:
    reply = await ask(adf_cost.TOOL, prod(runs=[make_run(n) for n in range(1, adf_cost.MAX_RUNS + 6)]))
    assert reply.data["runs_not_billed"] == 5
    assert "5 runs not billed" in reply.summary


async def test_cost_of_an_unknown_pipeline_offers_the_closest() -> None:
    with pytest.raises(NotFound, match="'LoadSales'"):
        await ask(adf_cost.TOOL, copied(), pipeline="LoadSale")


async def test_performance_names_the_bottleneck_and_the_throttling() -> None:
    reply = await ask(adf_run_performance.TOOL, copied(), run_id=guid(1))
    assert "Bottleneck of CopySales: writing" in reply.summary
    assert "The sink throttled 6 requests" in reply.summary


async def test_performance_of_a_run_without_activities_claims_nothing() -> None:
    reply = await ask(adf_run_performance.TOOL, prod(runs=[make_run(1)]), run_id=guid(1))
    assert "nothing can be said" in reply.summary


async def test_factories_worst_first_with_zeros() -> None:
    reply = await ask(adf_factories.TOOL, MemoryDataFactory("adf-dev"), prod(runs=[make_run(1)]))
    assert [row["factory"] for row in reply.data["factories"]] == ["adf-prod", "adf-dev"]
    assert "adf-dev: 0 failed, 0 running, 0 succeeded" in reply.summary


async def test_a_runtime_that_is_full_is_called_full() -> None:
    load = {"nodeName": "N1", "concurrentJobsRunning": 20, "concurrentJobsLimit": 20, "cpuUtilization": 99}
    reply = await ask(adf_integration_runtimes.TOOL, prod(integration_runtimes=[hosted()], monitoring={"SHIR": [load]}))
    assert "Capacity: full (N1 CPU 99%, 20 of 20 jobs)" in reply.summary
    assert "the latest is 5.2" in reply.summary
    assert "moment's picture" in reply.summary


async def test_capacity_without_monitoring_data_is_unknown() -> None:
    reply = await ask(adf_integration_runtimes.TOOL, prod(integration_runtimes=[hosted("Offline")]))
    assert "capacity cannot be told" in reply.summary
    assert reply.data["runtimes"][0]["capacity"] == "unknown"


PROD = FactoryId("00000000-0000-0000-0000-000000000001", "rg-data-prod", "adf-prod")


async def against(url: str, tool: ToolSpec, **arguments: Any) -> Reply:
    factory = SdkDataFactory(Arm(LoopbackCredential(), PROD.subscription, endpoint=url), PROD)
    try:
        context = ToolContext(factories=Factories([factory]), now=datetime.now(UTC))
        return await tool.run(context, tool.arguments.model_validate(arguments))
    finally:
        await factory.close()


async def test_the_stand_ins_self_hosted_runtime_is_offline(adf_url: str) -> None:
    reply = await against(adf_url, adf_integration_runtimes.TOOL)
    assert "SHIR-OnPrem in adf-prod (SelfHosted) is Offline" in reply.summary


async def test_a_pipeline_of_the_stand_in_is_explained(adf_url: str) -> None:
    reply = await against(adf_url, adf_explain_pipeline.TOOL, pipeline="loadsales")
    assert "CopySalesToStaging: copies from 'SalesOrders' to" in reply.summary
    assert "It is started by" in reply.summary


async def test_readers_of_a_table_of_the_stand_in(adf_url: str) -> None:
    reply = await against(adf_url, adf_lineage.TOOL, data="sales.Orders")
    assert "LoadSales in adf-prod (activity CopySalesToStaging reads it)" in reply.summary


async def test_what_is_around_a_pipeline_of_the_stand_in(adf_url: str) -> None:
    reply = await against(adf_url, adf_lineage.TOOL, pipeline="LoadFactSales")
    assert "calls it" in reply.summary


async def test_the_dearest_pipelines_of_the_stand_in(adf_url: str) -> None:
    reply = await against(adf_url, adf_cost.TOOL, hours=12)
    assert "Dearest:" in reply.summary


async def test_all_factories_of_the_stand_in(adf_url: str) -> None:
    assert (await against(adf_url, adf_factories.TOOL)).data["factories"][0]["failed"] > 0


async def test_many_triggers_are_told_in_the_summary_or_in_a_row() -> None:
    hourly = {"typeProperties": {"recurrence": {"frequency": "Hour", "interval": 1}}}
    known = [Trigger(f"T{n:02}", "ScheduleTrigger", "Started", hourly) for n in range(12)]
    reply = await ask(adf_triggers.TOOL, prod(triggers=known), limit=10)
    told = [trigger.name for trigger in known if f"{trigger.name} in adf-prod" in reply.summary]
    rows = [row["trigger"] for row in rows_of(reply.data["more_triggers"])]
    assert told + rows == [trigger.name for trigger in known[:10]]
    assert "5 more in the data. 2 not listed (limit=12 lists all)." in reply.summary
    assert (reply.data["left_out"], reply.truncated) == (2, True)
