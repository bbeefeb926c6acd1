"""Records read from JSON that keeps no promises."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools_worker.datafactory.models import ActivityRun, IntegrationRuntime, Pipeline, PipelineRun, Trigger, TriggerRun

RUN = {
    "runId": "r-1",
    "pipelineName": "LoadSales",
    "status": "Failed",
    "runStart": "2026-03-10T02:00:00.1234567Z",
    "runEnd": None,
    "durationInMs": 1500,
    "invokedBy": {"name": "Nightly", "id": "t", "invokedByType": "ScheduleTrigger", "pipelineRunId": "p-1"},
    "lastUpdated": "2026-03-10T02:00:02Z",
    "message": "Operation on target X failed: …",
}
ACTIVITY = {
    "activityRunId": "a-1",
    "activityName": "Copy",
    "activityType": "Copy",
    "status": "Failed",
    "activityRunStart": "2026-03-10T02:00:00Z",
    "error": {"errorCode": "2200", "message": "…", "failureType": "UserError", "target": "Copy", "details": []},
    "output": {"rowsRead": 3, "pipelineRunId": "c-1"},
}
READERS = [PipelineRun.of, ActivityRun.of, TriggerRun.of, Pipeline.of, Trigger.of, IntegrationRuntime.of]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def texts_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(texts_in(entry) for entry in value.values()), set())
    if isinstance(value, list):
        return set().union(*(texts_in(entry) for entry in value), set())
    return {str(value)}


@st.composite
def mutated(draw: st.DrawFn, original: dict[str, Any]) -> dict[str, Any]:
    """The original with fields dropped or replaced by anything."""
    copy: dict[str, Any] = json.loads(json.dumps(original))
    for name in draw(st.lists(st.sampled_from(sorted(copy)), max_size=6, unique=True)):
        if draw(st.booleans()):
            del copy[name]
        else:
            copy[name] = draw(JSON)
    return copy


@settings(max_examples=150, deadline=None)
@given(mutated(RUN))
def test_reads_any_pipeline_run_and_makes_nothing_up(raw: dict[str, Any]) -> None:
    run = PipelineRun.of(raw)
    known = texts_in(raw) | {""}
    assert {run.run_id, run.pipeline, run.status, run.message, run.invoked_by.run_id} <= known


@settings(max_examples=150, deadline=None)
@given(mutated(ACTIVITY))
def test_reads_any_activity_run_and_makes_nothing_up(raw: dict[str, Any]) -> None:
    run = ActivityRun.of(raw)
    known = texts_in(raw) | {""}
    assert {run.id, run.name, run.type, run.status, run.error.code, run.error.message, run.child_run_id} <= known


@settings(max_examples=100, deadline=None)
@given(JSON, st.sampled_from(READERS))
def test_reads_anything_at_all(raw: object, read: Any) -> None:
    read(raw)


def test_reads_seven_digits_of_a_second() -> None:
    assert PipelineRun.of(RUN).start == datetime(2026, 3, 10, 2, 0, 0, 123456, tzinfo=UTC)


def test_takes_a_time_without_zone_as_utc() -> None:
    assert PipelineRun.of({"runStart": "2026-03-10T02:00:00"}).start == datetime(2026, 3, 10, 2, tzinfo=UTC)


def test_turns_other_zones_into_utc() -> None:
    assert PipelineRun.of({"runStart": "2026-03-10T02:00:00+02:00"}).start == datetime(2026, 3, 10, 0, tzinfo=UTC)


def test_keeps_an_unknown_status_as_it_is() -> None:
    assert PipelineRun.of({"status": "Pondering"}).status == "Pondering"


def test_leaves_a_missing_end_missing() -> None:
    assert PipelineRun.of(RUN).end is None


def official() -> list[Any]:
    folder = Path(__file__).resolve().parents[4] / "shared" / "adf" / "swagger_examples"
    files = [folder / f"{name}.json" for name in ("PipelineRuns_QueryByFactory", "ActivityRuns_QueryByPipelineRun")]
    if not all(file.exists() for file in files):
        return []
    return [json.loads(file.read_text())["responses"]["200"]["body"]["value"] for file in files]


def test_reads_the_official_examples() -> None:
    examples = official()
    if not examples:
        pytest.skip("the official API examples are not beside this checkout")
    runs, activities = examples
    assert all(PipelineRun.of(raw).run_id == raw["runId"] for raw in runs)
    assert all(ActivityRun.of(raw).id == raw["activityRunId"] for raw in activities)
