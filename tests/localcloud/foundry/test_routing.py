"""The routing bench: it tells hits from misses."""

from __future__ import annotations

from typing import Any

from bench.routing import HERE, Score, ToolSet, judge, lines_of, play
from localcloud.foundry.thinking.turns import Call


def score(line: dict[str, Any], *calls: Call, wanted: list[str | None]) -> Score:
    found = Score()
    judge(found, {"question": "?", **line}, wanted, calls)
    return found


def test_the_right_tool_with_other_arguments_is_half_a_hit() -> None:
    found = score({"expect_args": {"city": "Oslo"}}, Call("weather", {"city": "Rome"}), wanted=["weather"])
    assert (found.tool, found.arguments, found.with_arguments) == (1, 0, 1)


def test_calling_a_tool_where_none_fits_is_a_miss() -> None:
    assert score({}, Call("weather", {}), wanted=[None]).tool == 0
    assert score({}, wanted=[None]).tool == 1


def test_further_keys_of_a_line_are_expected_arguments() -> None:
    found = score({"intent": "x", "job": "loadsales"}, Call("jobs", {"job": "LoadSales"}), wanted=["jobs"])
    assert found.arguments == 1


async def test_most_foreign_questions_find_their_tool() -> None:
    found = await play(lines_of(HERE / "foreign.jsonl"), {"foreign": ToolSet.load(HERE / "tools_foreign.json")})
    assert found.tool / found.asked >= 0.9
