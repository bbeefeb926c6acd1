"""A run beside the good runs before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.errors import UpstreamUnavailable
from tests.tools_worker.datafactory.build import NOW, ago, guid, make_activity, make_run
from tools_worker.datafactory.diagnosis import Diagnosis, diagnose
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import ActivityRun, PipelineRun


def good(number: int, days: float, **changes: Any) -> PipelineRun:
    return replace(make_run(number, status="Succeeded", start=ago(days=days)), **changes)


def copy(number: int, rows: int, **changes: Any) -> ActivityRun:
    return make_activity(number, status="Succeeded", output={"rowsRead": rows, "rowsCopied": rows}, **changes)


def factory(rows: int, *before: int, **changes: Any) -> MemoryDataFactory:
    """A good run that copied `rows`, and good runs before it, newest first."""
    run = replace(make_run(1, status="Succeeded"), **changes)
    earlier = [good(number, days=number) for number in range(2, len(before) + 2)]
    activities = {guid(number): [copy(number, moved)] for number, moved in enumerate(before, start=2)}
    return MemoryDataFactory(runs=[run, *earlier], activities={guid(1): [copy(1, rows)], **activities})


async def diagnosed(made: MemoryDataFactory) -> Diagnosis:
    return await diagnose(made, made.runs[0], NOW)


async def test_a_copy_that_moved_far_fewer_rows_than_usual_is_told() -> None:
    found = await diagnosed(factory(12, 10_000, 11_000, 9_000))
    (masked,) = found.masked_failures
    assert (masked.kind, masked.activity) == ("fewer_rows", "CopySales")
    assert "12 rows" in masked.what
    assert "10,000" in masked.what
    assert "but not all went well" in found.summary()


@pytest.mark.parametrize(("rows", "before"), [(5_000, (10_000,)), (3, (40,)), (12, ())])
async def test_ordinary_ups_and_downs_are_not_told(rows: int, before: tuple[int, ...]) -> None:
    assert (await diagnosed(factory(rows, *before))).masked_failures == ()


async def test_one_odd_run_does_not_make_the_usual() -> None:
    assert (await diagnosed(factory(1_000, 1_000, 500_000, 1_100))).masked_failures == ()


async def test_earlier_runs_that_cannot_be_read_are_no_error() -> None:
    made = factory(12, 10_000)
    read = made.activity_runs

    async def some(run: PipelineRun) -> Any:
        if run.run_id != guid(1):
            raise UpstreamUnavailable("ADF does not answer.")
        return await read(run)

    made.activity_runs = some  # type: ignore[method-assign]
    assert (await diagnosed(made)).masked_failures == ()


async def test_parameters_that_were_steady_and_changed_are_named_without_their_values() -> None:
    made = factory(100, 100, 100, parameters={"target": "secret-place", "day": "2026-03-10"})
    made.runs[1:] = [replace(run, parameters={"target": "dw", "day": str(run.start)}) for run in made.runs[1:]]
    found = await diagnosed(made)
    assert "Parameters differ from the good runs before it: target." in found.contributing
    assert "secret-place" not in found.summary()


async def test_a_run_far_longer_than_usual_is_told() -> None:
    made = factory(100, 100, 100, 100, duration_ms=3_600_000)
    assert any("It took 1 h" in text and "10 min" in text for text in (await diagnosed(made)).contributing)


async def test_too_few_runs_make_no_usual_time() -> None:
    made = factory(100, 100, duration_ms=3_600_000)
    assert (await diagnosed(made)).contributing == ()


@pytest.mark.parametrize(("hours", "told"), [(6, True), (0.2, False)])
async def test_a_run_that_goes_on_far_beyond_its_usual_time_should_be_looked_at(hours: float, told: bool) -> None:
    going = make_run(1, status="InProgress", start=ago(hours=hours))
    made = MemoryDataFactory(runs=[going, *(good(number, days=number) for number in (2, 3, 4))])
    found = await diagnosed(made)
    assert bool(found.recommended_actions) == told
    assert any("far longer" in text for text in found.contributing) == told


async def test_an_old_run_of_a_busy_pipeline_is_compared_with_its_own_neighbours() -> None:
    old = make_run(1, start=ago(days=20))
    before = good(2, days=20.01)
    after = [good(number, days=20 - number * 0.01) for number in range(3, 700)]
    made = MemoryDataFactory(runs=[old, before, *after], activities={guid(1): [make_activity(1, error="no")]})
    found = await diagnosed(made)
    assert any(guid(2) in text for text in found.contributing)
    assert guid(3) in found.recommended_actions[0].what
    assert any("too many" in gap for gap in found.evidence_gaps)
