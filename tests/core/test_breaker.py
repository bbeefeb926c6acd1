from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.breaker import Breaker
from core.errors import UpstreamUnavailable

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def opened(clock: Clock) -> Breaker:
    breaker = Breaker("Azure Data Factory", failures=3, rest_seconds=10, clock=clock, now=lambda: NOON)
    for _ in range(3):
        breaker.check()
        breaker.failed()
    return breaker


def test_a_few_failures_are_borne() -> None:
    breaker = Breaker("X", failures=3)
    breaker.failed()
    breaker.failed()
    breaker.check()


def test_says_since_when_the_upstream_is_silent_and_when_to_try() -> None:
    with pytest.raises(UpstreamUnavailable) as refused:
        opened(Clock()).check()
    assert str(refused.value).startswith("Azure Data Factory is not answering since 12:00:00 UTC")
    assert "in 10 seconds" in str(refused.value)


def test_failures_that_are_not_in_a_row_do_not_open_it() -> None:
    breaker = Breaker("X", failures=2)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    breaker.check()


def test_after_the_rest_one_call_may_try() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.seconds = 11
    breaker.check()
    with pytest.raises(UpstreamUnavailable):
        breaker.check()


def test_one_success_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.seconds = 11
    breaker.check()
    breaker.succeeded()
    breaker.check()
    breaker.check()


def test_one_more_failure_keeps_it_open_and_since_when_stays() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.seconds = 11
    breaker.check()
    breaker.failed()
    clock.seconds = 20
    with pytest.raises(UpstreamUnavailable, match="since 12:00:00"):
        breaker.check()


def test_the_log_says_once_that_an_upstream_is_left_alone_and_once_that_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("WARNING", logger="breaker"):
        breaker = opened(Clock())
        breaker.failed()
        breaker.succeeded()
        breaker.succeeded()
    assert [record.getMessage() for record in caplog.records] == [
        "outcome=left_alone failures=3 upstream=Azure Data Factory",
        "outcome=answers_again upstream=Azure Data Factory",
    ]
