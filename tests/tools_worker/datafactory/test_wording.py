from __future__ import annotations

import pytest

from tools_worker.datafactory.wording import count, lasted, listed, safe, times


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(900, "1 s"), (59_000, "59 s"), (61_000, "1 min 1 s"), (3_660_000, "1 h 1 min"), (None, "an unknown time")],
)
def test_tells_how_long(milliseconds: int | None, text: str) -> None:
    assert lasted(milliseconds) == text


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(0, "run", "0 runs"), (1, "run", "1 run"), (2, "activity", "2 activities"), (2, "day", "2 days")],
)
def test_counts(number: int, noun: str, text: str) -> None:
    assert count(number, noun) == text


def test_a_count_of_an_incomplete_list_is_a_lower_bound() -> None:
    assert count(3, "run", complete=False) == "at least 3 runs"


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c", "d"], "a, b and 2 more")]
)
def test_lists(words: list[str], text: str) -> None:
    assert listed(words, 2 if len(words) > 2 else 5) == text


def test_tells_how_often() -> None:
    assert [times(n) for n in (1, 2, 3)] == ["once", "twice", "3 times"]


def test_cut_text_says_how_much_is_missing() -> None:
    assert safe("x" * 310, 300) == "x" * 300 + "… (10 more characters)"


def test_text_is_put_on_one_line_with_secrets_masked() -> None:
    assert safe("a\n  b password=abc1") == "a b password=[masked password]"
