from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import NotConfigured
from tools_worker.datafactory.failures import INSUFFICIENT, classify, remembered, signature_of
from tools_worker.datafactory.failures.rules import CATEGORIES, OWN_RULES_SETTING, known, load, own, shipped

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


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Totals differ. This is transient, please retry.", "TotalsDiffer"),
        ("Row counts differ", "500"),
        ("Transaction was deadlocked, Sql error number: 1205.", "1205"),
    ],
)
def test_what_an_author_lets_a_fail_activity_say_never_passes_by_itself(message: str, code: str) -> None:
    verdict = classify(message, code, "Fail")
    assert (verdict.category, verdict.transience) == ("user_code", "permanent")


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


def test_every_rule_says_cause_mend_and_where_it_is_documented() -> None:
    assert [rule.id for rule in shipped() if not (rule.cause and rule.fix)] == []
    assert [rule.id for rule in shipped() if not rule.docs.startswith("https://learn.microsoft.com/")] == []


@pytest.mark.parametrize(
    ("message", "category", "numbers"),
    [
        ("It broke. SqlErrorNumber=1205", "concurrency_lock", "SQL error 1205"),
        ("It broke. SqlErrorNumber=-2", "timeout", "SQL error -2"),
        ("ERROR [23505] it broke", "constraint_violation", "SQLSTATE 23505"),
        ("42P01: it broke", "not_found", "SQLSTATE 42P01"),
        ("It broke: ORA-01017", "authentication", "ORA-01017"),
        ("It broke with status code 409", "concurrency_lock", "HTTP 409"),
    ],
)
def test_goes_by_the_number_that_the_store_gave(message: str, category: str, numbers: str) -> None:
    failure = classify(message)
    assert (failure.category, failure.numbers) == (category, numbers)
    assert numbers in failure.reason


def test_finds_a_telling_code_behind_one_that_is_not() -> None:
    failure = classify("ErrorCode=SomeWrapper, it says ErrorCode=ParquetInvalidFile in there")
    assert failure.category == "data_conversion"


def test_a_guess_by_a_single_word_has_low_confidence() -> None:
    failure = classify("The frobnicator lost its password.")
    assert (failure.category, failure.confidence) == ("authentication", "low")


@pytest.mark.parametrize(
    ("message", "owner", "retry"),
    [
        ("Transaction was deadlocked on lock resources", "pipeline author", True),
        ("Database 'd' is not currently available. SqlErrorNumber=40613", "Azure", True),
        ("Login failed for user 'x'.", "platform team", False),
        ("Failure happened on 'Source' side. The file does not exist.", "source owner", False),
        ("Zxcvb qwerty.", None, None),
    ],
)
def test_tells_who_mends_it_and_whether_a_retry_may_help(message: str, owner: str | None, retry: bool | None) -> None:
    failure = classify(message)
    assert (failure.owner, failure.retry_may_help) == (owner, retry)


@pytest.fixture
def own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "ours.yaml"
    monkeypatch.setenv(OWN_RULES_SETTING, str(path))
    _forget()
    yield path
    _forget()


def _forget() -> None:
    known.cache_clear()
    remembered.cache_clear()


def test_an_operators_own_rules_are_asked_first(own_rules: Path) -> None:
    own_rules.write_text(json.dumps([RULE | {"id": "ours", "owner": "source owner", "when": {"text": "login failed"}}]))
    failure = classify("Login failed for user 'x'.")
    assert (failure.rule, failure.category, failure.owner) == ("ours", "timeout", "source owner")
    assert "authentication" in failure.alternatives


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (json.dumps([{"id": "ours", "category": "timeout"}]), "'ours' in ours.yaml lacks 'cause'"),
        (json.dumps([RULE | {"owner": "nobody"}]), "unknown owner 'nobody'"),
        ("- {", "ours.yaml"),
        ("just words", "must be a list"),
    ],
)
def test_a_wrong_file_of_an_operator_is_told_with_what_to_do(own_rules: Path, content: str, complaint: str) -> None:
    own_rules.write_text(content)
    with pytest.raises(NotConfigured) as caught:
        classify("It broke.")
    assert complaint in str(caught.value)
    assert OWN_RULES_SETTING in str(caught.value)


def test_a_missing_file_of_an_operator_is_told() -> None:
    with pytest.raises(NotConfigured, match="nowhere"):
        own("/nowhere/rules.yaml")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.text(max_size=20), st.text(max_size=20), st.text(max_size=10))
def test_classifies_any_text(message: str, code: str, activity: str, side: str) -> None:
    assert classify(message, code, activity, side).category in CATEGORIES | {INSUFFICIENT}


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
OWN_CHECKS = sorted((Path(__file__).parent / "checks").glob("*.jsonl"))


def share_sorted_right(path: Path) -> float:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def right(row: dict[str, Any]) -> bool:
        found = classify(row["raw"] or "", row["outer_error_code"] or "", row["activity_type"] or "", row["side"] or "")
        category = "unknown" if found.category == INSUFFICIENT else found.category
        return category in (row["category"], *row["alt_categories"])

    return sum(map(right, rows)) / len(rows)


@pytest.mark.skipif(not CORPUS.exists(), reason="the collection of real failures is not beside this checkout")
def test_sorts_most_real_failures_right() -> None:
    assert share_sorted_right(CORPUS) >= 0.93


@pytest.mark.parametrize("path", OWN_CHECKS, ids=lambda path: path.stem)
def test_sorts_most_failures_of_our_own_right(path: Path) -> None:
    assert share_sorted_right(path) >= 0.9


def test_an_error_is_read_once_and_one_of_megabytes_is_not_kept_in_memory() -> None:
    message = "Login failed for user 'kept'."
    first = classify(message)
    assert classify(message) is first
    before = remembered.cache_info().currsize
    huge = message + " " * 1_000_000
    assert classify(huge) is not classify(huge)
    assert remembered.cache_info().currsize == before
