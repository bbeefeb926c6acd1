"""Which pipelines are slower, and which are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from orchestrator.digest.durations import COMPARED, MAX_HISTORY
from orchestrator.digest.facts import Slower
from orchestrator.policy.reading import parse
from tests.orchestrator.digest.paper import Paper
from tests.tools_worker.datafactory.build import NOW


async def slower(paper: Paper) -> tuple[Slower, ...]:
    return (await paper.facts()).factories[0].slowness.found


def nightly(paper: Paper, minutes: Sequence[float], pipeline: str = "LoadSales") -> None:
    """A run each night; the last one in the period."""
    for number, took in enumerate(reversed(minutes)):
        paper.run(pipeline, hours_ago=6 + 24 * number, minutes=took)


async def test_a_night_far_beyond_what_is_usual_is_slower() -> None:
    paper = Paper()
    nightly(paper, [10, 11, 10, 12, 10, 10, 30])
    assert await slower(paper) == (Slower("adf-test", "LoadSales", 1, usual=600, took=1800),)


async def test_a_night_as_long_as_some_before_is_not() -> None:
    paper = Paper()
    nightly(paper, [10, 30, 10, 12, 10, 10, 30])
    assert await slower(paper) == ()


async def test_seconds_are_no_news() -> None:
    paper = Paper()
    nightly(paper, [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4])
    assert await slower(paper) == ()


async def test_a_pipeline_without_a_history_is_not_judged() -> None:
    paper = Paper()
    nightly(paper, [10, 10, 60])
    assert await slower(paper) == ()


async def test_a_lasting_change_is_told_with_its_beginning() -> None:
    paper = Paper()
    nightly(paper, [10] * 8 + [30] * 6)
    (found,) = await slower(paper)
    assert (found.usual, found.took, found.steady) == (600, 1800, False)
    assert found.since == NOW - timedelta(hours=6 + 24 * 5)


async def test_one_that_has_passed_is_not_told_again() -> None:
    paper = Paper()
    nightly(paper, [10] * 8 + [30] * 6 + [10])
    assert await slower(paper) == ()


async def test_a_duration_that_grows_day_by_day_is_told() -> None:
    paper = Paper()
    nightly(paper, [60 + 4 * number for number in range(12)])
    (found,) = await slower(paper)
    assert found.steady
    assert found.took > found.usual


async def test_failed_runs_say_nothing_of_durations() -> None:
    paper = Paper()
    nightly(paper, [10] * 8)
    paper.run(status="Failed", hours_ago=3, minutes=90)
    assert await slower(paper) == ()


async def test_the_busiest_are_looked_at_and_the_others_counted() -> None:
    paper = Paper()
    for number in range(COMPARED + 3):
        nightly(paper, [10, 10, 10, 10, 10, 10, 100 - number], f"Pipeline{number}")
    slowness = (await paper.facts()).factories[0].slowness
    assert {each.pipeline for each in slowness.found} == {f"Pipeline{number}" for number in range(COMPARED)}
    assert slowness.uncompared == 3


async def test_what_matters_to_people_is_looked_at_before_what_is_busy() -> None:
    paper = Paper(policy=parse("importance: [{pipelines: [Ledger], severity: 1, why: finance}]"))
    for number in range(COMPARED):
        nightly(paper, [60] * 7, f"Pipeline{number}")
    nightly(paper, [1, 1, 1, 1, 1, 1, 5], "Ledger")
    assert [each.pipeline for each in await slower(paper)] == ["Ledger"]


async def test_a_history_that_shows_only_the_period_is_not_taken_for_what_is_usual() -> None:
    paper = Paper()
    for number in range(MAX_HISTORY + 1):
        paper.run("Minutely", hours_ago=23 * number / MAX_HISTORY, minutes=0.1)
    for number in range(10):
        paper.run("Minutely", hours_ago=40 + number, minutes=0.1)
    slowness = (await paper.facts()).factories[0].slowness
    assert (slowness.found, slowness.uncompared) == ((), 1)
