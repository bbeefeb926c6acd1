"""Records read from official examples of which any field is spoilt: nothing raises, and nothing is made up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools_worker.properties.calling import texts
from tests.tools_worker.properties.mutation import JSON, each_spoilt, spoilt
from tests.tools_worker.properties.worlds import BY_HAND, official, without_collection
from tools_worker.datafactory import fields
from tools_worker.datafactory.models import (
    ActivityRun,
    Dataset,
    IntegrationRuntime,
    Pipeline,
    PipelineRun,
    Trigger,
    TriggerRun,
)

Read = Callable[[object], Any]
READERS: dict[str, Read] = {
    "runs": PipelineRun.of,
    "activities": ActivityRun.of,
    "trigger_runs": TriggerRun.of,
    "pipelines": Pipeline.of,
    "datasets": Dataset.of,
    "triggers": Trigger.of,
    "runtimes": IntegrationRuntime.of,
}


def examples(raw: dict[str, Any]) -> Iterator[tuple[Read, Any]]:
    for part, read in READERS.items():
        records = raw[part].values() if part == "activities" else [raw[part]]
        yield from ((read, record) for listed in records for record in listed)


def checked(record: Any, raw: Any) -> None:
    """What the record says stands in `raw`; its times and durations can be reckoned with; its text can be sent."""
    known = {fields.sound(text) for text in texts(raw)} | {""}
    for part in dataclasses.fields(record):
        value = getattr(record, part.name)
        if isinstance(value, str):
            assert value in known, f"{part.name}: {value!r} is made up"
            value.encode()
        elif isinstance(value, datetime):
            assert value.utcoffset() == timedelta(0)
            value - timedelta(days=400), value + timedelta(days=400)
        elif isinstance(value, int) and part.name == "duration_ms":
            assert timedelta(milliseconds=value) >= timedelta(0)
        elif dataclasses.is_dataclass(value):
            checked(value, raw)


@pytest.mark.parametrize("part", READERS)
def test_one_odd_field_of_a_record_raises_nothing_and_makes_nothing_up(part: str) -> None:
    read, record = next((r, x) for r, x in examples(BY_HAND.raw) if r == READERS[part])
    for _, _, changed in each_spoilt(record):
        checked(read(changed), changed)


@without_collection
def test_one_odd_field_of_an_official_example_raises_nothing_and_makes_nothing_up() -> None:
    for read, record in examples(official().raw):
        for _, _, changed in each_spoilt(record):
            checked(read(changed), changed)


@given(st.data())
def test_several_odd_fields_raise_nothing_and_make_nothing_up(data: st.DataObject) -> None:
    read, record = data.draw(st.sampled_from(list(examples(BY_HAND.raw))))
    changed = data.draw(spoilt(record))
    checked(read(changed), changed)


@given(st.sampled_from(list(READERS.values())), JSON)
def test_anything_in_place_of_a_record_raises_nothing(read: Read, raw: Any) -> None:
    checked(read(raw), raw)


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), 2**63, -(10**400), True, "7", None, [7]])
def test_a_broken_number_is_unknown(broken: object) -> None:
    assert fields.whole({"n": broken}, "n") is None


@pytest.mark.parametrize("broken", [-1, 2**62, "60000", None])
def test_a_broken_duration_is_unknown_and_not_zero(broken: object) -> None:
    assert PipelineRun.of({"durationInMs": broken}).duration_ms is None


@pytest.mark.parametrize("none", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00+14:00"])
def test_the_dates_that_mean_no_date_are_unknown(none: str) -> None:
    assert PipelineRun.of({"runStart": none}).start is None


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    assert PipelineRun.of({"message": "broken \ud83d"}).message == "broken \N{REPLACEMENT CHARACTER}"
