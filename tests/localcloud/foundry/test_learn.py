"""The documentation that stands in for Microsoft Learn: its search finds what is asked for."""

from __future__ import annotations

import pytest

from localcloud.learn.pages import PAGES
from localcloud.learn.search import Index


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("What does error 2200 mean?", "error-2200-copy"),
        ("how do I rerun a pipeline from the failed activity", "rerun-pipeline"),
        ("login failed, cannot connect to the SQL server", "sql-failed-to-connect"),
        ("too many requests 429", "throttling-429"),
        ("self-hosted integration runtime offline", "self-hosted-runtime-offline"),
        ("trigger did not start", "schedule-trigger-missing-runs"),
        ("deadlock victim", "sql-deadlock-1205"),
        ("column not found schema drift", "schema-drift"),
        ("how long are runs kept", "monitor-retention"),
        ("pipeline succeeded but an activity failed", "error-handling-paths"),
    ],
)
def test_the_best_page_comes_first(query: str, path: str) -> None:
    assert Index(PAGES).search(query)[0].path == path


def test_nothing_is_found_for_words_no_page_has() -> None:
    assert Index(PAGES).search("zebra xylophone") == []


def test_every_page_has_an_address_of_its_own() -> None:
    assert len({page.url for page in PAGES}) == len(PAGES) >= 15
