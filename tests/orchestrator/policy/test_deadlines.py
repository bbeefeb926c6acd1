"""When pipelines have to have ended, from what the policy says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.policy.reading import parse


def dues(told: str, after: str, until: str) -> list[str]:
    """The times between two moments, in UTC."""
    entry = parse(f"importance:\n- {{severity: 1, why: x, {told}}}").importance[0]
    found = entry.dues(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (after, until)))
    return [f"{due:%m-%d %H:%M}" for due in found]


def test_a_time_of_the_day_comes_each_day() -> None:
    assert dues('finish_by: "06:00"', "2026-03-09T06:00", "2026-03-11T06:00") == ["03-10 06:00", "03-11 06:00"]


def test_a_day_of_the_week_is_that_of_the_place() -> None:
    friday = 'finish_by: "00:30", timezone: Europe/Berlin, days: [Friday]'
    assert dues(friday, "2026-03-09T00:00", "2026-03-16T00:00") == ["03-12 23:30"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "W. Europe Standard Time"])
def test_it_is_the_clock_on_the_wall_that_counts(zone: str) -> None:
    told = f'finish_by: "06:00", timezone: {zone}'
    assert dues(told, "2026-03-28T00:00", "2026-03-30T00:00") == ["03-28 05:00", "03-29 04:00"]


def test_a_time_that_the_clock_leaves_out_is_an_hour_later() -> None:
    told = 'finish_by: "02:30", timezone: Europe/Berlin'
    assert dues(told, "2026-03-28T12:00", "2026-03-29T12:00") == ["03-29 01:30"]


def test_without_a_time_nothing_is_due() -> None:
    assert dues("factory: a", "2026-03-09T00:00", "2026-03-11T00:00") == []
