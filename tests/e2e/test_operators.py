"""What operators ask, in words, through the whole app: the checklist of 25 questions and the cases at their edges.

What an answer must tell was written by hand from the story of the default world, not read off the app.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import World
from tools_worker.runtime.catalogue import TOOLS

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]

FACTORIES = "subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-data-{}/providers/"
Told = tuple[str, ...]
TRIED = 24  # runs looked through for one with a certain activity

QUESTIONS: list[tuple[int, str, str, Told]] = [
    (1, "What failed last night, and why?", "adf_failures", ("MergeFactSales", "constraint violation")),
    (1, "What broke overnight?", "adf_failures", ("LoadFactSales",)),
    (2, "What do the failures of the last 24 hours have in common?", "adf_failures",
     ("causes", "took down LoadWarehouse and NightlyMaster")),
    (3, "Why did SyncCrm fail, and is it ours or the source's?", "adf_diagnose_run", ("source side", "429")),
    (4, "Why did LoadSales fail, is a rerun safe, and can it be rerun with other parameters?", "adf_diagnose_run",
     ("Rerun from the failed activity once", "overwritten")),
    (5, "Which rerun belongs to which failed run of SyncCrm, and did it pass?", "adf_run_history",
     ("3 runs had reruns", "Succeeded")),
    (6, "Which runs are stuck in progress or queued?", "adf_stuck_runs", ("BackfillOrders", "CopyHistory")),
    (7, "Why was the last run of LoadCustomers slow, and where did its time go?", "adf_run_performance",
     ("CopyCustomers", "was usual")),
    (7, "Is LoadCustomers getting slower? Show its run history and trend", "adf_run_history", ("LoadCustomers",)),
    (8, "How long did the copies of the latest run of CopyErpOrders wait in the queue of the integration runtime?",
     "adf_run_performance", ("SHIR-OnPrem", "queue")),
    (9, "Which integration runtimes are offline, and what is their capacity?", "adf_integration_runtimes",
     ("SHIR-OnPrem in adf-prod (SelfHosted) is Offline",)),
    (10, "Were any due runs missed in the last 24 hours?", "adf_missed_runs",
     ("checked",)),
    (10, "Is the trigger DevPaused on?", "adf_triggers", ("DevPaused", "Stopped")),
    (11, "Did LoadCustomers end by 02:10 as agreed in the last 3 days, or was it late?", "adf_missed_runs",
     ("by 02:10 (UTC)", "Not in time")),
    (11, "Did LoadCustomers finish by 08:00 as agreed in the last 3 days?", "adf_missed_runs",
     ("by 08:00 (UTC)", "in time on")),
    (12, "Is there a tumbling window backlog for StreamEvents?", "adf_missed_runs", ("1 trigger",)),
    (13, "Which runs are queued behind the concurrency limit?", "adf_stuck_runs", ("behind its concurrency of 1",)),
    (15, "Only one alert came, so what else failed in the last 24 hours?", "adf_failures",
     ("LoadFactSales", "ImportFeedback")),
    (16, "Too many alerts: group the failures of the last 24 hours by cause", "adf_failures",
     ("took down LoadWarehouse and NightlyMaster",)),
    (17, "What did the pipelines cost in the last 48 hours?", "adf_cost", ("$", "list prices")),
    (18, "Who changed LoadSales before it broke?", "adf_changes", ("Nothing it is made of was changed between",)),
    (18, "Who changed ExportReports before it broke?", "adf_changes", ("pipeline ExportReports was changed by dana",)),
    (19, "Which pipelines read or write the table sales.Orders?", "adf_lineage",
     ("written by no pipeline", "BackfillOrders in adf-prod", "SandboxCopy in adf-dev", "LoadSales in adf-prod")),
    (19, "What breaks downstream when RefreshModels fails?", "adf_lineage", ("RefreshModels", "NightlyMaster")),
    (22, "Why was ExportFinance cancelled, and by whom?", "adf_diagnose_run",
     ("cancelled by operator", "BuildExtract")),
    (24, "Which runs did LoadSales have between 2026-03-01 and 2026-03-31?", "adf_run_history", ("45 days",)),
    (24, "Show the run history of LoadSales three months ago", "adf_run_history", ("45 days",)),
    (25, "Compare all factories: which one is worst?", "adf_factories", ("worst first: adf-prod",)),
]  # fmt: skip


async def answered(world: World, question: str, tool: str, *told: str) -> str:
    """The answer, made by this tool and telling all of this."""
    run = await world.ask(question)
    assert run["status"] == "done", run
    assert tool in {event["tool"] for event in await world.events(run["run_id"])}
    assert [words for words in told if words not in run["answer"]] == [], run["answer"]
    assert run["unsupported"] == []
    answer: str = run["answer"]
    return answer


@pytest.mark.parametrize(("number", "question", "tool", "told"), QUESTIONS)
async def test_the_question_is_answered_by_its_tool(
    world: World, number: int, question: str, tool: str, told: Told
) -> None:
    await answered(world, question, tool, *told)


async def test_14_an_alert_that_names_nothing_is_explained_by_its_window(world: World) -> None:
    start = datetime.fromisoformat((await runs_of(world, "PostLedger", "Failed"))[0]["runStart"])
    since, until = (f"{when:%Y-%m-%dT%H:%M:%SZ}" for when in (start, start + timedelta(minutes=30)))
    question = f"An alert fired between {since} and {until}, it names no pipeline and no error: why did it fire?"
    await answered(world, question, "adf_diagnose_run", "PostLedger", "ScoreChurn", "LoadInventory")


async def test_20_a_green_run_that_copied_nothing_is_told(world: World) -> None:
    empty = await run_with(world, "StreamEvents", lambda activity: copied(activity) == 0)
    question = f"Why is run {empty} green although its table is empty?"
    await answered(world, question, "adf_diagnose_run", "CopyEvents", "succeeded", empty)


async def test_21_a_failure_behind_a_handler_is_told(world: World) -> None:
    masked = await run_with(world, "PublishPrices", lambda activity: activity["status"] == "Failed")
    question = f"Why is run {masked} green although an activity failed?"
    await answered(world, question, "adf_diagnose_run", "CopyPrices", masked)


async def test_23_runs_between_two_dates_are_counted_to_the_last_page(world: World) -> None:
    question = f"How many runs of StreamEvents were there between {day(3)} and {day(2)}?"
    await answered(world, question, "adf_run_history", "192 runs of 'StreamEvents'")


# Edges


async def test_an_unknown_pipeline_gets_the_closest_name(world: World) -> None:
    await answered(world, "Why did LoadSalesX fail?", "adf_diagnose_run", "'LoadSales'")


async def test_an_unknown_run_id_is_not_found(world: World) -> None:
    unknown = "11111111-2222-3333-4444-555555555555"
    await answered(world, f"Why did run {unknown} fail?", "adf_diagnose_run", f"No pipeline run with id '{unknown}'")


async def test_the_id_of_an_activity_run_is_said_to_be_no_pipeline_run(world: World) -> None:
    run_id = (await runs_of(world, "LoadSales", "Failed"))[0]["runId"]
    activity = (await activities_of(world, run_id))[0]["activityRunId"]
    await answered(world, f"Why did run {activity} fail?", "adf_diagnose_run", activity, "activity run")


async def test_the_right_id_in_the_wrong_factory_is_found_where_it_lives(world: World) -> None:
    run_id = (await runs_of(world, "LoadSales", "Failed"))[0]["runId"]
    await answered(world, f"Why did run {run_id} fail in adf-dev?", "adf_diagnose_run", "adf-prod")


async def test_a_name_in_the_wrong_case_is_understood(world: World) -> None:
    await answered(world, "Why did LOADSALES fail last night?", "adf_diagnose_run", "LoadSales in adf-prod failed")


async def test_a_pipeline_that_never_ran_has_not_failed(world: World) -> None:
    await answered(world, "Why did NeverRun fail?", "adf_diagnose_run", "'NeverRun'", "has not run")


async def test_days_to_come_are_refused(world: World) -> None:
    question = f"How many runs did LoadSales have between {day(-30)} and {day(-32)}?"
    await answered(world, question, "adf_run_history", "in the future")


async def test_dates_the_wrong_way_round_are_told(world: World) -> None:
    question = f"How many runs did LoadSales have between {day(2)} and {day(4)}?"
    await answered(world, question, "adf_run_history", f"until ({day(4)}) is not after since ({day(2)})")


async def test_a_local_day_begins_at_local_midnight(world: World) -> None:
    question = f"How many runs did LoadSales have on {day(3)} in Asia/Kolkata time?"
    await answered(world, question, "adf_run_history", f"{day(4)} 18:30 to {day(3)} 18:30 UTC")


@pytest.mark.parametrize("order", ["Rerun LoadSales now", "Please cancel BackfillOrders", "stop the trigger EveryHour"])
async def test_an_order_that_the_question_did_not_allow_changes_nothing(world: World, order: str) -> None:
    before = await world.changes()
    run = await world.ask(order)
    assert (run["status"], run["actions"]) == ("done", [])
    called = {event["tool"] for event in await world.events(run["run_id"])} & {
        tool.name for tool in TOOLS if tool.writes
    }
    assert called, run  # it was understood
    assert await world.changes() == before


async def test_a_failure_that_never_was_is_not_explained(world: World) -> None:
    await answered(world, "Why did CleanupStaging fail?", "adf_diagnose_run", "succeeded", "No run of it failed")


async def test_a_success_that_never_was_is_not_explained(world: World) -> None:
    answer = await answered(world, "Did LoadInventory succeed last night?", "adf_run_history", "1 Failed")
    assert "Succeeded" not in answer


async def test_a_day_without_runs_has_none(world: World) -> None:
    run = await world.ask(f"What failed on {day(20)}?")
    assert run["status"] == "done"
    assert run["answer"].startswith("No ")
    assert day(20) in run["answer"]


def day(ago: int) -> str:
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()


def copied(activity: dict[str, Any]) -> int | None:
    rows: int | None = (activity.get("output") or {}).get("rowsCopied")
    return rows


async def run_with(world: World, pipeline: str, wanted: Callable[[dict[str, Any]], bool]) -> str:
    """The newest run of the pipeline that has such an activity run."""
    for run in (await runs_of(world, pipeline, "Succeeded"))[:TRIED]:
        if any(wanted(activity) for activity in await activities_of(world, run["runId"])):
            return str(run["runId"])
    raise AssertionError(f"no such run of {pipeline}")


async def runs_of(world: World, pipeline: str, status: str) -> list[dict[str, Any]]:
    """The runs of adf-prod as Data Factory has them, newest first."""
    filters = [{"operand": "PipelineName", "operator": "Equals", "values": [pipeline]},
               {"operand": "Status", "operator": "Equals", "values": [status]}]  # fmt: skip
    order = [{"orderBy": "RunStart", "order": "DESC"}]
    return await queried(world, "queryPipelineRuns", {"filters": filters, "orderBy": order})


async def activities_of(world: World, run_id: str) -> list[dict[str, Any]]:
    return await queried(world, f"pipelineruns/{run_id}/queryActivityruns", {})


async def queried(world: World, what: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    window = {"lastUpdatedAfter": f"{day(10)}T00:00:00Z", "lastUpdatedBefore": f"{day(-1)}T00:00:00Z"}
    factory = f"{world.adf}/{FACTORIES.format('prod')}Microsoft.DataFactory/factories/adf-prod"
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": "Bearer x"}) as http:
        response = await http.post(f"{factory}/{what}?api-version=2018-06-01", json=window | body)
    found: list[dict[str, Any]] = response.raise_for_status().json()["value"]
    return found
