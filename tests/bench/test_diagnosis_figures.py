"""The figures of the diagnosis bench count what they say that they count."""

from __future__ import annotations

from bench.diagnosis.figures import line, summarised
from bench.diagnosis.grading import Grade
from bench.diagnosis.playing import Played
from bench.diagnosis.truth import Case


def played(level: int, *wrong: str, author: str = "team", world: str = "w", forbidden: tuple[str, ...] = ()) -> Played:
    case = Case(world, {"id": "x", "level": level, "author": author})
    return Played(case, Grade(wrong, forbidden), reply_bytes=100, raw_ratio=0.1, seconds=0.5, adf_calls=3)


def test_levels_are_counted_apart() -> None:
    assert summarised([played(1), played(1, "path"), played(2)])["levels"] == {
        "1": {"passed": 1, "total": 2, "pass_rate": 0.5},
        "2": {"passed": 1, "total": 1, "pass_rate": 1.0},
    }


def test_blind_cases_are_counted_apart_from_the_levels_of_the_team() -> None:
    found = summarised([played(1), played(1, "path", author="blind")])
    assert found["levels"]["1"]["total"] == 1
    assert found["blind"] == {
        "passed": 0,
        "total": 1,
        "pass_rate": 0.0,
        "levels": {"1": {"passed": 0, "total": 1, "pass_rate": 0.0}},
    }


def test_forbidden_conclusions_of_all_authors_count_and_fail_the_case() -> None:
    found = summarised([played(1, author="blind", forbidden=("secret told",)), played(1, forbidden=("a", "b"))])
    assert found["forbidden_conclusions"] == 3
    assert found["levels"]["1"]["passed"] == 0


def test_worlds_are_counted_apart() -> None:
    assert set(summarised([played(1), played(1, world="v")])["worlds"]) == {"v", "w"}


def test_a_line_tells_what_was_wrong() -> None:
    assert line(played(3, "path none", forbidden=("secret told",))).endswith("path none; FORBIDDEN: secret told")
