"""The counters of the scale bench turn red where a call is lost, repeated or worked twice."""

from __future__ import annotations

import os

import pytest

from bench.coldstart import package, summed
from bench.scale import Replies, cpu_seconds, totals, worked_twice


def answered(*correlations: str) -> Replies:
    replies = Replies(frozenset({"a", "b"}))
    for each in correlations:
        replies.take(each)
    return replies


def test_a_call_without_a_reply_is_lost() -> None:
    assert answered("a").lost == 1
    assert not answered("a").complete


def test_a_second_reply_to_a_call_is_counted() -> None:
    assert answered("a", "b", "b").repeated == 1
    assert answered("a", "b").repeated == 0


def test_a_reply_to_a_call_of_somebody_else_is_no_answer() -> None:
    assert answered("a", "c").lost == 1


def test_queries_beyond_those_of_one_answer_each_are_work_done_twice() -> None:
    assert worked_twice(queries=20, calls=10, queries_per_call=2) == 0
    assert worked_twice(queries=22, calls=10, queries_per_call=2) == 1
    assert worked_twice(queries=18, calls=10, queries_per_call=2) == -1


@pytest.mark.parametrize(("lost", "twice"), [(1, 0), (0, 1), (0, -1)])
def test_one_slip_at_any_number_of_instances_shows_in_the_totals(lost: int, twice: int) -> None:
    good = {"tools": {"lost": 0, "worked_twice": 0, "per_second": 10.0}, "questions": {"lost": 0}}
    bad = {"tools": {"lost": 0, "worked_twice": twice, "per_second": 20.0}, "questions": {"lost": lost}}
    found = totals({"1": good, "2": bad})
    assert (found["lost"], found["worked_twice"]) == (lost, abs(twice))
    assert found["ratio_tools_last_to_first"] == 2.0


def test_cpu_is_read_past_a_name_with_blanks_and_brackets() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    stat = f"7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 {ticks} {2 * ticks} 0 0"
    assert cpu_seconds(stat) == 3.0


def test_import_times_are_summed_by_package() -> None:
    traced = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:       100 |        100 |   azure.functions.queue\n"
        "import time:        50 |        150 | azure.functions\n"
        "something else\n"
    )
    assert summed(traced) == {"azure.functions": 150}
    assert package("tools_worker.tools.adf_cost") == "tools_worker.tools"
    assert package("yaml.reader") == "yaml"
