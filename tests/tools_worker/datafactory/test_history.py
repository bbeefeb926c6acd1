"""A duration that grows day by day."""

from __future__ import annotations

import pytest

from tests.tools_worker.datafactory.build import ago, make_run
from tools_worker.datafactory.history import drift
from tools_worker.datafactory.models import PipelineRun


def days(minutes: list[float]) -> list[PipelineRun]:
    """One run a day, the oldest first."""
    return [
        make_run(n, status="Succeeded", start=ago(days=len(minutes) - n), minutes=each)
        for n, each in enumerate(minutes)
    ]


def test_steady_growth_is_told_with_both_ends() -> None:
    found = drift(days([10 * 1.045**n for n in range(14)]))
    assert found is not None
    assert found.slower
    assert (round(found.first / 60), round(found.last / 60), found.days) == (10, 17, 13)


def test_growth_shows_through_noise() -> None:
    assert drift(days([10 + n + (-1) ** n * 1.5 for n in range(14)])) is not None


def test_what_gets_faster_is_told_too() -> None:
    found = drift(days([30 - n for n in range(14)]))
    assert found is not None
    assert not found.slower


@pytest.mark.parametrize(
    "minutes",
    [
        [10.0] * 14,
        [10, 11] * 7,
        [10, 10, 10, 60, 10, 10, 10, 10, 10, 10],
        [10 + n / 100 for n in range(14)],  # grows, and not by enough to matter
        [10, 12, 14, 16, 18],  # too few days
        [20, 11, 18, 12, 17, 13, 19, 12, 18, 14],
        [],
    ],
)
def test_no_trend_is_claimed(minutes: list[float]) -> None:
    assert drift(days(minutes)) is None


def test_many_runs_a_day_count_once_a_day() -> None:
    runs = [
        make_run(n, status="Succeeded", start=ago(minutes=5 * n), minutes=40 - 30 * n / 4000) for n in range(1, 4000)
    ]
    found = drift(runs)
    assert found is not None
    assert found.slower
