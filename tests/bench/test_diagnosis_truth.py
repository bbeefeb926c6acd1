"""The truth of the worlds is well formed, and means the run and asks the question that it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bench.diagnosis.truth import BadTruth, Case, asked, load, meant, problems, worlds

ANCHOR = datetime(2026, 3, 18, 9, 30, tzinfo=UTC)


def case(**truth: Any) -> Case:
    run = {"factory": "f", "pipeline": "P", "nth": 1, "status": "Failed"}
    return Case("w", {"id": "x", "level": 1, "story": "", "run": run} | truth)


def make_run(run_id: str, status: str = "Failed", start: str = "08:00", end: str | None = "09:00") -> dict[str, Any]:
    at = {name: f"2026-03-18T{time}:00Z" if time else None for name, time in (("runStart", start), ("runEnd", end))}
    return {"runId": run_id, "status": status, **at}


@pytest.mark.parametrize("world", worlds())
def test_every_truth_is_well_formed(world: str) -> None:
    cases = load(world)
    assert len({case.id for case in cases}) == len(cases)


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ({"categorie": "network"}, "categorie is not known"),
        ({"category": "netwerk"}, "'netwerk' is not known"),
        ({"transience": ["sometimes"]}, "'sometimes' is not known"),
        ({"outcome": "fine"}, "'fine' is not known"),
        ({"level": "1"}, "level is of the wrong type"),
        ({"run": None}, "neither a run nor a question"),
        ({"tells": [{"in": "impact", "words": []}]}, "a tell without"),
    ],
)
def test_a_slip_of_the_pen_is_told(slip: dict[str, Any], told: str) -> None:
    assert any(told in problem for problem in problems(case(**slip).truth))


def test_the_nth_run_is_counted_among_those_with_its_status() -> None:
    runs = [make_run("a"), make_run("b", "Succeeded"), make_run("c")]
    wanted = {"factory": "f", "pipeline": "P", "nth": 2, "status": "Failed"}
    assert meant(case(run=wanted), runs, ANCHOR) == runs[2]


def test_without_a_status_any_run_counts() -> None:
    runs = [make_run("a", "Succeeded"), make_run("b")]
    assert meant(case(run={"factory": "f", "pipeline": "P"}), runs, ANCHOR) == runs[0]


def test_a_run_that_began_or_ended_since_does_not_count_as_what_it_became() -> None:
    runs = [make_run("later", start="09:31"), make_run("since", end="09:31"), make_run("before")]
    assert meant(case(), runs, ANCHOR) == runs[2]


def test_a_run_that_is_not_there_is_told() -> None:
    with pytest.raises(BadTruth, match="only 0 such runs of P"):
        meant(case(), [make_run("a", "Succeeded")], ANCHOR)


def test_a_question_is_the_id_of_the_run_unless_the_case_asks_otherwise() -> None:
    assert asked(case(), make_run("abc"), ANCHOR) == {"run_id": "abc"}


def test_places_of_a_question_are_filled() -> None:
    ask = {
        "run_id": "{run_id:upper}",
        "since": "{start-20m}",
        "until": "{end+1d}",
        "now": "{now-3h}",
        "start": "{start}",
        "hours": 4,
    }
    assert asked(case(ask=ask), make_run("abc"), ANCHOR) == {
        "run_id": "ABC",
        "since": "2026-03-18T07:40:00Z",
        "until": "2026-03-19T09:00:00Z",
        "now": "2026-03-18T06:30:00Z",
        "start": "2026-03-18T08:00:00Z",
        "hours": 4,
    }


def test_a_time_that_the_run_does_not_have_is_told() -> None:
    with pytest.raises(BadTruth, match="a time that its run does not have"):
        asked(case(ask={"since": "{end}"}), make_run("abc", end=None), ANCHOR)
