"""Dates, months, times of day and zones, as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from localcloud.foundry.thinking.arguments import Source, fill
from localcloud.foundry.thinking.stretches import agreed_clock, stretch_of, zone_of
from localcloud.foundry.thinking.turns import Offer

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
TEXT = {"type": "string"}
JOBS = Offer(
    "jobs",
    "Lists jobs.",
    {"properties": {"since": TEXT, "until": TEXT, "timezone": TEXT, "hours": {"type": "integer", "maximum": 1080}}},
)


@pytest.mark.parametrize(
    ("text", "stretch"),
    [
        ("between 2026-03-01 and 2026-03-04", ("2026-03-01", "2026-03-04")),
        ("from 3 March to 5 March 2026", ("2026-03-03", "2026-03-05")),
        ("on March 4th", ("2026-03-04", "2026-03-04")),
        ("since 2026-03-04", ("2026-03-04", "")),
        ("up to 2026-03-04", ("", "2026-03-04")),
        ("on 12 November", ("2025-11-12", "2025-11-12")),
        ("in December", ("2025-12-01", "2025-12-31")),
        ("in February 2026", ("2026-02-01", "2026-02-28")),
        ("what failed yesterday?", ("2026-03-09", "2026-03-09")),
        ("between 05:00 and 05:30", ("2026-03-10T05:00:00Z", "2026-03-10T05:30:00Z")),
        ("between 22:00 and 23:00", ("2026-03-09T22:00:00Z", "2026-03-09T23:00:00Z")),
        ("from 22:00 to 02:00", ("2026-03-09T22:00:00Z", "2026-03-10T02:00:00Z")),
        ("since 22:00", ("2026-03-09T22:00:00Z", "")),
        ("2026-03-01T05:00:00Z to 2026-03-01T05:30:00Z", ("2026-03-01T05:00:00Z", "2026-03-01T05:30:00Z")),
    ],
)
def test_a_stretch_is_read(text: str, stretch: tuple[str, str]) -> None:
    assert stretch_of(text, NOW) == stretch


@pytest.mark.parametrize("text", ["in the last 3 days", "since yesterday", "on 31 June", "it may be late"])
def test_what_names_no_dates_is_no_stretch(text: str) -> None:
    assert stretch_of(text, NOW) is None


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("in Europe/Berlin", "Europe/Berlin"),
        ("Tokyo time", "Asia/Tokyo"),
        ("Some/Thing", None),
        ("what time is it", None),
    ],
)
def test_a_zone_is_read(text: str, zone: str | None) -> None:
    assert zone_of(text) == zone


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("done by seven", "07:00"),
        ("before 6:30", "06:30"),
        ("by 7 pm", "19:00"),
        ("by noon", "12:00"),
        ("by Anna", None),
    ],
)
def test_an_agreed_time_of_day_is_read(text: str, clock: str | None) -> None:
    assert agreed_clock(text) == clock


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("jobs of the last 3 days", {"hours": 72}),
        ("jobs between 2026-03-01 and 2026-03-04", {"since": "2026-03-01", "until": "2026-03-04"}),
        ("jobs on 2026-03-01 in Berlin time",
         {"since": "2026-03-01", "until": "2026-03-01", "timezone": "Europe/Berlin"}),
        ("jobs of three months ago", {"since": "2025-12-10", "until": "2025-12-10"}),
    ],
)  # fmt: skip
def test_dates_go_to_since_and_until_and_spans_to_the_number(text: str, arguments: dict[str, object]) -> None:
    assert fill(JOBS, Source(text, "", NOW)).arguments == arguments
