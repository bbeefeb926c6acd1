"""NCRONTAB and periods without a clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from localcloud.host.schedules import read_schedule
from localcloud.host.settings import LoadError

FRIDAY = datetime(2026, 1, 2, 3, 4, 5, 600, UTC)  # a Friday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * * *", "2026-01-02T03:04:06"),
        ("0 */5 * * * *", "2026-01-02T03:05:00"),
        ("0 4 3 * * *", "2026-01-03T03:04:00"),
        ("6 4 3 * * *", "2026-01-02T03:04:06"),
        ("0 0 0 1 * *", "2026-02-01T00:00:00"),
        ("0 30 9-17/4 * * mon-fri", "2026-01-02T09:30:00"),
        ("0 0 12 * * 0", "2026-01-04T12:00:00"),
        ("0 0 12 * * Sunday", "2026-01-04T12:00:00"),
        ("0 0 12 * * 7", "2026-01-04T12:00:00"),
        ("0 0 0 13 * 5", "2026-02-13T00:00:00"),
        ("0 0 0 29 feb *", "2028-02-29T00:00:00"),
        ("10,20 0 0 1 1 *", "2027-01-01T00:00:10"),
        ("5/20 * * * * *", "2026-01-02T03:04:25"),
        ("*/15 * * * *", "2026-01-02T03:15:00"),
    ],
)
def test_the_next_moment(text: str, expected: str) -> None:
    following = read_schedule(text).next_after(FRIDAY)
    assert following == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_period_counts_from_now() -> None:
    following = read_schedule("00:00:30").next_after(FRIDAY)
    assert following is not None
    assert (following - FRIDAY).total_seconds() == 30


def test_a_day_that_never_comes_is_none() -> None:
    assert read_schedule("0 0 0 30 2 *").next_after(FRIDAY) is None


@pytest.mark.parametrize(
    "text", ["", "* * *", "60 * * * * *", "* * * * 13 *", "*/0 * * * * *", "a * * * * *", "5-1 * * * * *"]
)
def test_what_is_no_schedule_is_told(text: str) -> None:
    with pytest.raises(LoadError, match="Schedule"):
        read_schedule(text)
