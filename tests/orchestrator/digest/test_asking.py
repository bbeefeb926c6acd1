"""What a digest finds, what it asks for that, and what it says of those who do not answer."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import AppError, NotFound, UpstreamThrottled, UpstreamUnavailable
from orchestrator.digest import asking
from orchestrator.digest.asking import QUERIES_A_DAY, QUERIES_A_WEEK
from tests.orchestrator.digest.paper import DAY, Paper, silent
from tests.tools_worker.datafactory.build import NOW
from tools_worker.datafactory.memory import MemoryDataFactory

AWAY = UpstreamUnavailable("Data Factory does not answer.")


async def test_runs_are_counted_in_the_period_in_which_they_ended() -> None:
    paper = Paper()
    paper.run(hours_ago=24.1, minutes=30)  # began before the day, ended in it
    paper.run(hours_ago=26, minutes=60)  # ended before it
    paper.run(status="Failed")
    paper.run(status="Cancelled")
    paper.run(status="InProgress")  # has not ended
    digest = await paper.digest()
    assert (digest.runs, digest.failed, digest.cancelled, digest.exact) == (3, 1, 1, True)


async def test_a_busy_day_asks_what_it_may_ask_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_RUNS", 100)  # so that those that failed are asked for by themselves
    paper = busy()
    await paper.digest()
    assert sum(paper.factory.calls.values()) == QUERIES_A_DAY


async def test_so_does_a_week(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_RUNS", 100)
    paper = busy()
    for number in range(300):
        paper.run(f"Pipeline{number % 30}", hours_ago=200 + number / 10)
    await paper.digest(weekly=True)
    assert sum(paper.factory.calls.values()) == QUERIES_A_WEEK


def busy() -> Paper:
    paper = Paper()
    for number in range(300):
        paper.run(f"Pipeline{number % 30}", hours_ago=1 + number / 100)
    for number in range(20):
        paper.run(f"Broken{number}", "Failed", hours_ago=5)
    return paper


async def test_a_quiet_day_costs_one_query() -> None:
    paper = Paper()
    digest = await paper.digest()
    assert (digest.runs, paper.factory.calls) == (0, {"pipeline_runs": 1})


async def test_more_runs_than_are_read_are_said_to_be_more_and_failures_stay_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "MAX_RUNS", 100)
    digest = await busy().digest()
    assert (digest.runs, digest.failed, digest.exact) == (100, 20, False)
    assert "adf-test had more runs than are read: the newest 100 are counted." in digest.gaps


@pytest.mark.parametrize("error", [AWAY, NotFound("There is no such factory any more.")])
async def test_a_factory_that_does_not_answer_is_named_and_spoils_no_other(error: AppError) -> None:
    paper = Paper()
    paper.run()
    paper.factories.append(silent("adf-away", error, "pipeline_runs"))
    digest = await paper.digest()
    assert (digest.runs, digest.factories, digest.silent) == (1, ("adf-test",), ("adf-away",))
    assert f"adf-away could not be asked: {error}" in digest.gaps


async def test_where_no_factory_answers_nothing_is_claimed_of_runs() -> None:
    paper = Paper([silent("adf-away", AWAY, "pipeline_runs")])
    digest = await paper.digest()
    assert (digest.runs, digest.failed, digest.silent) == (None, None, ("adf-away",))


async def test_a_factory_that_never_answers_is_left_out_in_time() -> None:
    paper = Paper([MemoryDataFactory("adf-test"), hanging := MemoryDataFactory("adf-hangs")])
    paper.run()

    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    hanging.pipeline_runs = hang  # type: ignore[assignment,method-assign]
    facts = await paper.editor.fetch_facts("daily", NOW - DAY, NOW, seconds=0.05)
    assert facts.silent == (("adf-hangs", "it took too long."),)
    assert [each.name for each in facts.factories] == ["adf-test"]


async def test_a_part_that_cannot_be_read_is_a_gap_and_the_rest_is_told() -> None:
    paper = Paper([silent("adf-test", UpstreamThrottled("Too many queries."), "activity_runs")])
    paper.run(status="Failed")
    digest = await paper.digest()
    assert (digest.failed, len(digest.failures)) == (1, 1)
    assert "adf-test: why some runs failed could not be read: Too many queries." in digest.gaps
    assert "adf-test: what runs cost could not be read: No activity runs could be read." in digest.gaps


async def test_one_factory_alone_is_asked_when_it_is_named() -> None:
    paper = Paper([MemoryDataFactory("adf-test"), other := MemoryDataFactory("adf-other")])
    await paper.incident(factory="adf-other")
    digest = await paper.digest(factory="ADF-test")
    assert (digest.factories, digest.incidents_open, other.calls) == (("adf-test",), 0, {})


async def test_a_factory_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound, match="adf-test"):
        await Paper().digest(factory="adf-tset")


async def test_a_week_is_held_against_the_week_before() -> None:
    paper = Paper()
    paper.run(status="Failed", hours_ago=30)
    paper.run(hours_ago=100)
    for hours in (170, 200, 300):
        paper.run(status="Failed", hours_ago=hours)
    digest = await paper.digest(weekly=True)
    assert (digest.runs, digest.failed, digest.runs_before, digest.failed_before) == (2, 1, 3, 3)


async def test_a_day_is_not() -> None:
    paper = Paper()
    paper.run(hours_ago=30)
    assert (await paper.digest()).runs_before is None
