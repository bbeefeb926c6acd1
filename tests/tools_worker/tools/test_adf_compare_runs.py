from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.errors import NotFound
from tests.tools_worker.datafactory.build import ago, guid, make_activity, make_run
from tests.tools_worker.tools.asking import ask, prod
from tools_worker.datafactory.models import ActivityRun, PipelineRun
from tools_worker.tools.adf_compare_runs import TOOL

GOOD = make_run(2, status="Succeeded", start=ago(days=1), minutes=20)


def copied(number: int, rows: int, minutes: float = 1, **changes: Any) -> ActivityRun:
    return make_activity(number, status="Succeeded", minutes=minutes, output={"rowsCopied": rows}, **changes)


def factory(one: list[ActivityRun], other: list[ActivityRun], run: PipelineRun | None = None) -> dict[str, Any]:
    return {"runs": [run or make_run(1), GOOD], "activities": {guid(1): one, guid(2): other}}


async def test_tells_where_the_ways_of_two_runs_part() -> None:
    after = make_activity(9, name="Publish", type="WebActivity", status="Succeeded", minute=5)
    made = factory([make_activity(1, error="no")], [copied(2, 100), after])
    reply = await ask(TOOL, prod(**made), run_id=guid(1))
    assert "CopySales (Failed, was Succeeded) and Publish (not run, was Succeeded)" in reply.summary
    assert guid(1) in reply.summary
    assert guid(2) in reply.summary
    assert {evidence.id for evidence in reply.evidence} == {guid(1), guid(2)}


async def test_tells_what_took_longer_and_what_moved_fewer_rows() -> None:
    run = make_run(1, status="Succeeded")
    made = factory([copied(1, 1_000, minutes=12)], [copied(2, 50_000, minutes=3)], run)
    reply = await ask(TOOL, prod(**made), run_id=guid(1))
    assert "CopySales 12 min 0 s, was 3 min 0 s" in reply.summary
    assert "CopySales 1,000, was 50,000" in reply.summary


async def test_small_ups_and_downs_are_noise() -> None:
    made = factory([copied(1, 1_000, minutes=1.1)], [copied(2, 1_050, minutes=1)], make_run(1, status="Succeeded"))
    reply = await ask(TOOL, prod(**made), run_id=guid(1))
    assert "Nothing of substance differs" in reply.summary
    assert reply.data["differences"] == []


async def test_iterations_are_compared_as_a_whole() -> None:
    one = [copied(n, 10, iteration=f"i{n}") for n in range(1, 4)]
    other = [copied(n, 10, iteration=f"j{n}") for n in range(4, 7)]
    reply = await ask(TOOL, prod(**factory(one, other, make_run(1, status="Succeeded"))), run_id=guid(1))
    assert reply.data["differences"] == []


async def test_names_the_parameters_that_differ_with_masked_values_in_the_data_only() -> None:
    run = replace(make_run(1, status="Succeeded"), parameters={"connection": "AccountKey=c2VjcmV0c2VjcmV0c2VjcmV0;x=1"})
    reply = await ask(TOOL, prod(**factory([], [], run)), run_id=guid(1))
    assert "Parameters that differ: connection." in reply.summary
    assert "c2VjcmV0" not in str(reply)


async def test_compares_with_the_run_that_is_named() -> None:
    older = make_run(3, status="Succeeded", start=ago(days=5))
    made = factory([make_activity(1, error="no")], [])
    made["runs"].append(older)
    assert guid(3) in (await ask(TOOL, prod(**made), run_id=guid(1), with_run_id=guid(3))).summary


async def test_says_when_there_is_no_good_run_to_compare_with() -> None:
    with pytest.raises(NotFound, match="no run that went well"):
        await ask(TOOL, prod(runs=[make_run(1)], activities={}), run_id=guid(1))
