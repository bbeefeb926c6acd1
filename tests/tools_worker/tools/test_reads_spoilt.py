"""The newer ways to ask the tools about time, over factories of which anything is spoilt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools_worker.properties.calling import call
from tests.tools_worker.properties.mutation import spoilt
from tests.tools_worker.properties.worlds import BY_HAND, COLLECTED, World, official, recorded

EXAMPLES = max(5, settings().max_examples // 6)
WORLDS = [BY_HAND, *((official(), recorded()) if COLLECTED.is_dir() else ())]
DATES = {"since": "2000-01-01", "timezone": "Europe/Berlin"}  # all that is kept


def ways(world: World) -> dict[str, tuple[str, dict[str, Any]]]:
    pipeline = {"pipeline": world.pipeline}
    return {
        "agreed": ("adf_missed_runs", {**pipeline, **DATES, "agreed_finish": "06:00"}),
        "missed": ("adf_missed_runs", DATES),
        "latest": ("adf_run_performance", pipeline),
        "slowest": ("adf_run_performance", {**pipeline, **DATES, "which": "slowest"}),
        "runs": ("adf_pipeline_runs", DATES),
        "failures": ("adf_failures", DATES),
        "history": ("adf_run_history", {**pipeline, **DATES}),
        "stuck": ("adf_stuck_runs", {"factor": 1.1}),
        "changes": ("adf_changes", {**pipeline, "hours": 24 * 90}),
    }


@pytest.mark.parametrize("way", list(ways(BY_HAND)))
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
async def test_a_spoilt_world_is_answered(way: str, data: st.DataObject) -> None:
    world = data.draw(st.sampled_from(WORLDS))
    tool, arguments = ways(world)[way]
    await call(world, data.draw(spoilt(world.raw)), tool, arguments)


@pytest.mark.parametrize("way", list(ways(BY_HAND)))
async def test_a_sound_world_is_answered(way: str) -> None:
    assert (await call(BY_HAND, BY_HAND.raw, *ways(BY_HAND)[way]))["ok"]
