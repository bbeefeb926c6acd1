from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidArguments
from tests.tools_worker.datafactory.build import NOW
from tools_worker.datafactory.period import Period, between, last_hours


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def asked(since: str = "", until: str = "", timezone: str = "") -> Period:
    return between(since, until, timezone, NOW)


def test_a_date_is_the_whole_local_day() -> None:
    period = asked("2026-03-08", "2026-03-08", "Europe/Berlin")
    assert (period.since, period.until) == (utc(2026, 3, 7, 23), utc(2026, 3, 8, 23))
    assert period.words == "on 2026-03-08 (Europe/Berlin, 2026-03-07 23:00 to 2026-03-08 23:00 UTC)"


def test_a_day_on_which_the_clocks_change_is_shorter() -> None:
    period = asked("2026-03-08", "2026-03-08", "America/New_York")
    assert period.until is not None
    assert (period.until - period.since).total_seconds() == 23 * 3600


def test_windows_names_of_zones_are_known() -> None:
    assert asked("2026-03-08", "", "W. Europe Standard Time").since == utc(2026, 3, 7, 23)


def test_a_time_with_an_offset_is_taken_as_it_is() -> None:
    period = asked("2026-03-09T01:00:00+01:00", "2026-03-09T04:00:00Z", "Asia/Tokyo")
    assert (period.since, period.until) == (utc(2026, 3, 9), utc(2026, 3, 9, 4))
    assert period.words == "from 2026-03-09 00:00 to 2026-03-09 04:00 UTC"


def test_a_time_without_an_offset_is_local() -> None:
    assert asked("2026-03-09T00:30", "", "Asia/Tokyo").since == utc(2026, 3, 8, 15, 30)


def test_an_end_alone_is_its_day_or_the_day_before_it() -> None:
    assert asked(until="2026-03-08").since == utc(2026, 3, 8)
    assert asked(until="2026-03-08T06:00:00Z").since == utc(2026, 3, 7, 6)


def test_today_goes_on() -> None:
    period = asked("2026-03-10", "2026-03-10")
    assert period.until is None
    assert period.words == "on 2026-03-10 (UTC), so far"


@pytest.mark.parametrize(
    ("since", "until", "timezone", "words"),
    [
        ("2026-03-11", "", "", "in the future: it is 2026-03-10 08:00 UTC now"),
        ("", "2027-01-01", "", "in the future"),
        ("2026-03-09", "2026-03-08", "", "is not after since"),
        ("2026-03-09T05:00Z", "2026-03-09T05:00Z", "", "is not after since"),
        ("yesterday", "", "", "since 'yesterday' is neither a date nor a time. Give 2026-03-09"),
        ("9999-12-31", "", "", "in the future"),
        ("0001-01-01", "", "Asia/Tokyo", "neither a date nor a time"),
        ("2026-03-09", "9999-12-31", "", "neither a date nor a time"),
        ("2026-03-09", "", "Mars/Olympus", "Time zone 'Mars/Olympus' is not known"),
    ],
)
def test_refuses_what_is_no_past_period(since: str, until: str, timezone: str, words: str) -> None:
    with pytest.raises(InvalidArguments, match=words):
        asked(since, until, timezone)


def test_of_a_long_period_the_part_that_is_kept_is_read() -> None:
    period = asked("2026-01-01", "2026-02-28")
    assert (period.since, period.gone) == (utc(2026, 1, 24, 8), False)
    assert "keeps runs for 45 days: what was before 2026-01-24 08:00 UTC is not counted" in period.caveat
    assert "Log Analytics" in period.caveat


def test_of_an_old_period_nothing_is_kept() -> None:
    period = asked("2025-12-01", "2025-12-31")
    assert period.gone
    assert "nothing from 2025-12-01 to 2025-12-31" in period.caveat


def test_a_period_holds_its_beginning_and_not_its_end() -> None:
    period = asked("2026-03-08", "2026-03-08")
    assert (period.holds(utc(2026, 3, 8)), period.holds(utc(2026, 3, 9)), period.holds(None)) == (True, False, True)


def test_hours_go_back_from_now() -> None:
    period = last_hours(24, NOW)
    assert (period.since, period.until, period.words) == (utc(2026, 3, 9, 8), None, "in the last 24 hours")


def test_many_hours_are_spoken_of_as_days() -> None:
    assert [last_hours(hours, NOW).words[12:] for hours in (48, 72, 73, 336)] == [
        "48 hours",
        "3 days",
        "73 hours",
        "14 days",
    ]


TIMES = st.one_of(
    st.just(""),
    st.text(max_size=40),
    st.dates().map(str),
    st.datetimes(timezones=st.none() | st.timezones()).map(lambda when: when.isoformat()),
)
ZONES = st.one_of(st.just(""), st.text(max_size=60), st.timezone_keys())


@given(since=TIMES, until=TIMES, timezone=ZONES)
def test_any_words_give_a_period_in_the_past_or_a_refusal(since: str, until: str, timezone: str) -> None:
    if not since and not until:
        return
    try:
        period = asked(since, until, timezone)
    except InvalidArguments:
        return
    assert period.since <= NOW
    assert period.until is None or period.since < period.until <= NOW
    assert period.gone or (NOW - period.since).days <= 45
    assert period.words
