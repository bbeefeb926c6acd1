from __future__ import annotations

import pytest

from tools_worker.datafactory.failures.rules import shipped
from tools_worker.datafactory.failures.words import Words, piece_of


@pytest.mark.parametrize(
    ("pattern", "piece"),
    [
        ("Login failed for user", "login failed for user"),
        (r"SqlErrorNumber=(?:207|213)\b", "sqlerrornumber="),
        (r"column .{0,160}missing", "column "),
        (r"authori[sz]ation", "authori"),
        (r"colou?rs", "colo"),
        (r"one|another", ""),
        (r"(?:one|another) thing", " thing"),
        (r"\(530\) not", "(530) not"),
        (r"[^\]x]abc", "abc"),
        (r"\b50[24]\b", ""),
    ],
)
def test_knows_a_piece_that_every_match_contains(pattern: str, piece: str) -> None:
    assert piece_of(pattern) == piece


def test_one_of_several_is_enough() -> None:
    words = Words.of(["first", r"sec\w+d"])
    assert words.occur("The SECOND one", "the second one")
    assert not words.occur("The third one", "the third one")


def test_the_piece_of_no_shipped_expression_hides_a_match() -> None:
    for rule in shipped():
        for words in filter(None, (rule.when.text, rule.when.not_text)):
            for piece, pattern in zip(words.pieces, words.patterns, strict=True):
                assert piece in pattern.pattern.lower().replace("\\", ""), rule.id
