from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools_worker.datafactory.failures import INSUFFICIENT, classify, signature_of
from tools_worker.datafactory.failures.rules import CATEGORIES, load, shipped

RULE = {"id": "r", "category": "timeout", "when": {"text": "slow"}, "cause": "Slow.", "fix": "Wait."}


@pytest.mark.parametrize(
    ("message", "code", "activity", "category"),
    [
        ("Login failed for user 'x'.", "2200", "Copy", "authentication"),
        ("Client with IP address '1.2.3.4' is not allowed to access the server.", "", "Copy", "network"),
        ("This request is not authorized to perform this operation using this permission.", "", "", "authorization"),
        ("The Self-hosted Integration Runtime 'SHIR' is offline", "2010", "Copy", "integration_runtime"),
        ("Transaction was deadlocked on lock resources", "2402", "SqlServerStoredProcedure", "concurrency_lock"),
        ("Violation of PRIMARY KEY constraint 'PK'.", "2402", "SqlServerStoredProcedure", "constraint_violation"),
        ("status code 429 TooManyRequests", "2200", "Copy", "throttling_quota"),
        ("Invalid object name 'dbo.T'.", "2200", "Copy", "not_found"),
        ("Execution Timeout Expired.", "2200", "Copy", "timeout"),
        ("KeyError: 'tenure'", "6002", "SynapseNotebook", "user_code"),
        ("Cluster ran into out of memory issue", "4502", "ExecuteDataFlow", "compute_resources"),
        (
            "The function 'int' was invoked with a parameter that is not valid.",
            "InvalidTemplate",
            "",
            "expression_parameter",
        ),
    ],
)
def test_sorts(message: str, code: str, activity: str, category: str) -> None:
    assert classify(message, code, activity).category == category


def test_gives_the_same_verdict_through_the_wrappers() -> None:
    inner = "Login failed for user 'x'."
    assert classify(f"Operation on target A failed: {inner}").rule == classify(inner).rule


def test_says_that_it_does_not_know() -> None:
    failure = classify("Zxcvb qwerty.", "9999", "Copy")
    assert (failure.category, failure.confidence, failure.cause) == (INSUFFICIENT, "low", "")


def test_says_that_there_is_no_text() -> None:
    assert classify("", "", "Copy").reason == "the error message is empty"


def test_every_rule_is_about_a_known_category() -> None:
    assert {rule.category for rule in shipped()} <= CATEGORIES


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"category": "gremlins"}, "gremlins"),
        ({"transience": "sometimes"}, "transience"),
        ({"when": {}}, "empty"),
        ({"when": {"text": "("}}, "Rule 'r'"),
        ({"when": {"txet": "x"}}, "txet"),
        ({"severity": 3}, "severity"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps([RULE | change]))
    with pytest.raises(ValueError, match="mine") as caught:
        load(file)
    assert complaint in str(caught.value)


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps([RULE, RULE]))
    with pytest.raises(ValueError, match="twice"):
        load(file)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Run 00000000-0000-4000-8000-000000000001 timed out", "Run 00000000-0000-4000-8000-000000000002 timed out"),
        ("row 118 of 'a.csv' is bad", "row 7 of 'b.csv' is bad"),
        ("since 2026-03-01T00:00:00Z", "since 2026-03-02T01:02:03.45Z"),
        ("Operation on target A failed: It broke.", "It broke."),
    ],
)
def test_failures_of_one_kind_have_one_signature(one: str, other: str) -> None:
    assert signature_of(one) == signature_of(other)


def test_failures_of_two_kinds_have_two() -> None:
    assert signature_of("Login failed for user 'a'.") != signature_of("Invalid object name 'a'.")


def test_an_activity_and_its_run_have_one_signature() -> None:
    error = "ErrorCode=SqlFailedToConnect,'Type=X,Message=Cannot connect.,Source=Y,'"
    assert signature_of(error, "2200") == signature_of(f"Operation on target Copy failed: {error}")


CORPUS = Path(__file__).resolve().parents[5] / "shared" / "adf" / "failures.jsonl"


@pytest.mark.skipif(not CORPUS.exists(), reason="the collection of real failures is not beside this checkout")
def test_sorts_most_real_failures_right() -> None:
    rows = [json.loads(line) for line in CORPUS.read_text().splitlines()]

    def right(row: dict[str, Any]) -> bool:
        found = classify(row["raw"] or "", row["outer_error_code"] or "", row["activity_type"] or "", row["side"] or "")
        category = "unknown" if found.category == INSUFFICIENT else found.category
        return category in (row["category"], *row["alt_categories"])

    assert sum(map(right, rows)) >= 0.93 * len(rows)
