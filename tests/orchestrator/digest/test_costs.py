"""What runs cost, reckoned from some of each pipeline."""

from __future__ import annotations

from decimal import Decimal

from orchestrator.digest.costs import BILLED, in_turns
from orchestrator.digest.facts import Cost
from tests.orchestrator.digest.paper import Paper
from tests.tools_worker.datafactory.build import make_activity
from tools_worker.datafactory.models import PipelineRun

ONE_RUN = Decimal("0.25") + Decimal("0.001")  # a DIU-hour, and the activity run


def copies(paper: Paper, run: PipelineRun, hours: float = 1) -> None:
    line = {"meterType": "AzureIR", "duration": hours, "unit": "DIUHours"}
    output = {"billingReference": {"activityType": "DataMovement", "billableDuration": [line]}}
    paper.factory.activities[run.run_id] = [make_activity(1, status="Succeeded", output=output)]


async def cost(paper: Paper) -> Cost | None:
    return (await paper.facts()).factories[0].cost


async def test_all_runs_of_a_small_day_are_billed() -> None:
    paper = Paper()
    for hours in (1, 3):
        copies(paper, paper.run(), hours)
    assert await cost(paper) == Cost(4 * Decimal("0.25") + Decimal("0.002"), 2, 2, whole=True, priced=True)


async def test_a_busy_pipeline_costs_what_some_of_its_runs_cost_as_often_as_it_ran() -> None:
    paper = Paper()
    for _ in range(100):
        copies(paper, paper.run("Hourly", hours_ago=3))
    found = await cost(paper)
    assert found is not None
    assert (found.billed, found.runs, found.whole) == (BILLED, 100, True)
    assert abs(found.usd - 100 * ONE_RUN) < Decimal("0.0001")


async def test_a_rare_and_dear_pipeline_is_not_lost_among_many_cheap_runs() -> None:
    paper = Paper()
    copies(paper, paper.run("Warehouse", minutes=200), 40)
    for _ in range(200):
        paper.run("Ping", minutes=1)
    found = await cost(paper)
    assert found is not None
    assert found.usd >= 10


async def test_more_pipelines_than_are_billed_make_a_lower_bound() -> None:
    paper = Paper()
    for number in range(BILLED + 1):
        copies(paper, paper.run(f"Pipeline{number}"))
    found = await cost(paper)
    assert found is not None
    assert (found.billed, found.whole) == (BILLED, False)


async def test_runs_without_billing_figures_have_no_price() -> None:
    paper = Paper()
    paper.factory.activities[paper.run().run_id] = [make_activity(1, status="Succeeded")]
    found = await cost(paper)
    assert found is not None
    assert not found.priced


async def test_nothing_that_ran_costs_nothing() -> None:
    assert await cost(Paper()) is None


def test_each_pipeline_has_its_turn_the_longest_first() -> None:
    paper = Paper()
    runs = [paper.run("Short", minutes=1), paper.run("Short", minutes=1), paper.run("Long", minutes=60)]
    assert [run.pipeline for run in in_turns(runs)] == ["Long", "Short", "Short"]
    assert list(in_turns([])) == []
