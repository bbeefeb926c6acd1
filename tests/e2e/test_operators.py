"""What operators ask, in words, through the whole app: each question reaches the tool that can answer it."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import World

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]

QUESTIONS = [
    ("What failed last night, and why?", "adf_failures", "MergeFactSales"),
    ("What do the failures of the last 24 hours have in common?", "adf_failures", "causes"),
    ("Why did SyncCrm fail, and is it ours or the source's?", "adf_diagnose_run", "source side"),
    ("Why did LoadSales fail and is a rerun safe?", "adf_diagnose_run", "Rerun from the failed activity once"),
    ("Which reruns did SyncCrm have in its run history?", "adf_run_history", "SyncCrm"),
    ("Which runs are stuck in progress or queued?", "adf_stuck_runs", "BackfillOrders"),
    ("Is LoadCustomers getting slower? Show its run history and trend", "adf_run_history", "in the median"),
    ("Which integration runtimes are offline, and what is their capacity?", "adf_integration_runtimes", "SHIR-OnPrem"),
    ("Which pipelines are late against their schedule?", "adf_missed_runs", "DevPaused"),
    ("Is there a tumbling window backlog?", "adf_missed_runs", "triggers"),
    ("Which runs are queued behind the concurrency limit?", "adf_stuck_runs", "BackfillOrders"),
    ("An alert fired for LoadInventory without an error: why did it fail?", "adf_diagnose_run", "schema mapping"),
    ("How often did LoadSales fail in the last 7 days?", "adf_run_history", "LoadSales"),
    ("Group the failures of the last 24 hours by cause", "adf_failures", "causes"),
    ("What did the pipelines cost in the last 48 hours?", "adf_cost", "$"),
    ("Why was ExportFinance cancelled, and by whom?", "adf_diagnose_run", "was cancelled"),
    ("How many runs did LoadSales have in the last 72 hours?", "adf_run_history", "LoadSales"),
    ("Compare all factories: which one is worst?", "adf_factories", "adf-prod"),
]


@pytest.mark.parametrize(("question", "tool", "told"), QUESTIONS)
async def test_reaches_the_tool_that_answers_it(world: World, question: str, tool: str, told: str) -> None:
    run = await world.ask(question)
    assert run["status"] == "done", run
    assert tool in {event["tool"] for event in await world.events(run["run_id"])}
    assert told in run["answer"]
    assert run["unsupported"] == []
