"""Every tool over a factory of which anything is spoilt: one reply, well formed, small enough, with nothing made up."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools_worker.properties.calling import call, questions
from tests.tools_worker.properties.mutation import GONE, places, put, spoilt
from tests.tools_worker.properties.worlds import BY_HAND, COLLECTED, official, recorded, without_collection

EXAMPLES = max(5, settings().max_examples // 8)  # each costs some 20 ms
WORLDS = {"by hand": BY_HAND} | ({"official": official(), "recorded": recorded()} if COLLECTED.is_dir() else {})
ASKED = [(name, *question) for name, world in WORLDS.items() for question in questions(world)]


@pytest.mark.parametrize(("name", "tool", "arguments"), ASKED)
async def test_a_sound_world_is_answered(name: str, tool: str, arguments: dict[str, Any]) -> None:
    told = await call(WORLDS[name], WORLDS[name].raw, tool, arguments)
    assert told["ok"] or name != "by hand", "every question of the world by hand has an answer"


NAMING = ("name", "runId", "pipelineName", "activityName", "activityType", "status", "state", "type", "nodeName")
HOLE = re.compile(r"  |\(,|\(\)|\( |''|: \.| ,|^ | \.(?:\s|$)")


READS = {  # the parts of a factory that the tool's sentences are about
    "adf_activity_runs": ("runs", "activities"),
    "adf_cost": ("runs", "activities"),
    "adf_factories": ("runs",),
    "adf_integration_runtimes": ("runtimes",),
    "adf_lineage": ("pipelines", "datasets", "triggers"),
}


@pytest.mark.parametrize("tool", READS)
async def test_a_missing_name_or_status_leaves_no_hole_in_the_sentences(tool: str) -> None:
    asked = [arguments for name, arguments in questions(BY_HAND) if name == tool][:2]
    for place in [p for p in places(BY_HAND.raw) if p[0] in READS[tool] and p[-1] in NAMING]:
        raw = json.loads(json.dumps(BY_HAND.raw))
        put(raw, place, GONE)
        for arguments in asked:
            told = await call(BY_HAND, raw, tool, arguments)
            summary = told.get("summary", "")
            assert not HOLE.search(summary), (place, summary)


@without_collection
def test_the_collection_is_read() -> None:
    assert set(WORLDS) == {"by hand", "official", "recorded"}


@pytest.mark.parametrize("tool", sorted({tool for tool, _ in questions(BY_HAND)}))
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
async def test_a_spoilt_world_is_answered(tool: str, data: st.DataObject) -> None:
    world = data.draw(st.sampled_from(list(WORLDS.values())))
    asked = data.draw(st.sampled_from([a for name, a in questions(world) if name == tool]))
    await call(world, data.draw(spoilt(world.raw)), tool, asked)
