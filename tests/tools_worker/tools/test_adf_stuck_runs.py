"""What runs that do not end wait for, over a world in memory. It is 2026-03-10 08:00 UTC."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.tools_worker.datafactory.build import ago, calls, guid, make_activity, make_run
from tests.tools_worker.tools.asking import ask, prod
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import ActivityRun, Pipeline, PipelineRun
from tools_worker.tools.adf_stuck_runs import TOOL


def going(
    number: int, pipeline: str = "LoadSales", hours: float = 9, status: str = "InProgress", parent: int = 0
) -> PipelineRun:
    return make_run(
        number, pipeline=pipeline, status=status, start=ago(hours=hours), parent=guid(parent) if parent else ""
    )


def opened(activity: ActivityRun, hours: float = 8) -> ActivityRun:
    return replace(activity, start=ago(hours=hours), end=None, duration_ms=None)


def world(
    *runs: PipelineRun, inside: dict[int, list[ActivityRun]] | None = None, **definitions: dict[str, Any]
) -> MemoryDataFactory:
    names = sorted({run.pipeline for run in runs})
    good = [
        make_run(1000 + 10 * place + n, pipeline=name, status="Succeeded", start=ago(days=n))
        for place, name in enumerate(names)
        for n in range(1, 5)
    ]
    return prod(
        runs=[*good, *runs],
        activities={guid(number): activities for number, activities in (inside or {}).items()},
        pipelines=[Pipeline(name, definitions.get(name, {})) for name in names],
    )


async def test_names_the_deepest_activity_in_progress_of_a_hanging_child() -> None:
    factory = world(
        going(1, "Master"),
        going(2, "Child", parent=1),
        going(3, "Grandchild", parent=2),
        inside={
            1: [opened(calls(1, 2, status="InProgress"))],
            2: [opened(make_activity(2, name="Loop", type="ForEach", status="InProgress")),
                opened(calls(3, 3, status="InProgress"))],
            3: [opened(make_activity(4, name="CopyBig", status="InProgress"), hours=7)],
        },
    )  # fmt: skip
    reply = await ask(TOOL, factory)
    assert (
        f"(run {guid(1)}), in activity CopyBig (Copy) of its child Grandchild (run {guid(3)}, 2 levels down) for "
        "7 h 0 min." in reply.summary
    )
    assert "2 of them are child runs of these." in reply.summary
    assert [step["run_id"] for step in reply.data["runs"][0]["in_progress"]] == [guid(1), guid(2), guid(3)]
    assert reply.data["runs"][0]["reason"] == "activity"
    assert reply.next == [f"adf_activity_runs run_id={guid(3)} factory=adf-prod"]
    assert guid(10_004) in {evidence.id for evidence in reply.evidence}


async def test_finds_the_child_by_its_parent_where_the_output_does_not_tell() -> None:
    call = replace(opened(calls(1, 2, status="InProgress")), output={})
    copy = opened(make_activity(4, name="CopyBig", status="InProgress"))
    factory = world(going(1, "Master"), going(2, "Child", parent=1), inside={1: [call], 2: [copy]})
    assert f"of its child Child (run {guid(2)})" in (await ask(TOOL, factory)).summary


async def test_a_child_queued_behind_its_concurrency_is_the_reason() -> None:
    factory = world(
        going(1, "Master"),
        going(2, "Child", status="Queued", parent=1),
        going(3, "Child", hours=20),
        inside={1: [opened(calls(1, 2, status="InProgress"))]},
        Child={"concurrency": 1},
    )
    reply = await ask(TOOL, factory)
    assert (
        f"waiting for its child Child (run {guid(2)}), which is queued, behind its concurrency of 1: run {guid(3)} has "
        "the place since 2026-03-09 12:00 UTC, with 1 run in progress and 1 queued." in reply.summary
    )
    row = next(row for row in reply.data["runs"] if row["run_id"] == guid(1))
    assert (row["reason"], row["waits_for_run"]) == ("concurrency", guid(2))


async def test_an_activity_in_the_queue_of_a_runtime_is_told_apart_from_concurrency() -> None:
    copy = opened(make_activity(1, status="Queued"), hours=3)
    reply = await ask(TOOL, world(going(1), inside={1: [copy]}, LoadSales={"concurrency": 1}))
    assert (
        "its activity CopySales (Copy) is queued for 3 h 0 min, so its integration runtime has no room" in reply.summary
    )
    assert reply.data["runs"][0]["reason"] == "integration_runtime_queue"
    assert reply.next == ["adf_integration_runtimes factory=adf-prod"]


async def test_a_queued_run_without_a_limit_is_not_blamed_on_one() -> None:
    reply = await ask(TOOL, world(going(1, status="Queued")))
    assert "its definition sets no concurrency that would hold it back" in reply.summary
    assert reply.data["runs"][0]["reason"] == "unknown"


async def test_a_queued_run_with_free_places_is_not_blamed_on_concurrency() -> None:
    reply = await ask(TOOL, world(going(1, status="Queued"), LoadSales={"concurrency": 4}))
    assert "although only 0 of the 4 runs that its concurrency allows are in progress" in reply.summary


async def test_of_an_unknown_definition_nothing_is_claimed() -> None:
    factory = world(going(1, status="Queued"))
    factory.definitions = []
    assert "concurrency" not in (await ask(TOOL, factory)).summary


async def test_warns_of_a_queue_that_is_nearly_full() -> None:
    runs = [going(1), *(going(n, status="Queued", hours=1) for n in range(2, 100))]
    reply = await ask(TOOL, world(*runs, LoadSales={"concurrency": 1}))
    assert "The queue of LoadSales in adf-prod holds 98 runs: 100 are the most" in reply.summary


async def test_runs_that_call_each_other_in_a_circle_end() -> None:
    factory = world(
        going(1, "A", parent=2),
        going(2, "B", parent=1),
        inside={1: [opened(calls(1, 2, status="InProgress"))], 2: [opened(calls(2, 1, status="InProgress"))]},
    )
    assert "2 unfinished runs" in (await ask(TOOL, factory)).summary


async def test_nothing_in_progress_is_said() -> None:
    reply = await ask(TOOL, world(going(1)))
    assert "with no activity in progress" in reply.summary
    assert reply.data["runs"][0]["reason"] == "nothing_in_progress"


@pytest.mark.parametrize(
    "broken", [None, "2", -1, 0, 10**30, True, [], {"value": "@x", "type": "Expression"}], ids=repr
)
async def test_a_broken_concurrency_is_no_trouble(broken: Any) -> None:
    reply = await ask(TOOL, world(going(1, status="Queued"), LoadSales={"concurrency": broken}))
    assert guid(1) in reply.summary
