"""How globs lie to each other: what is said of two of them holds for every name."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.policy.globs import covers, fits, meet

globs = st.text(alphabet="aB*?", max_size=5)
NAMES = ["".join(letters) for size in range(7) for letters in itertools.product("ab", repeat=size)]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("*", "Load*"),
        ("*", "[ab]"),
        ("load*", "LoadSales"),
        ("*s", "*Sales"),
        ("L?ad", "Load"),
        ("**", "*"),
        ("[a]*", "[a]*"),
    ],
)
def test_a_wider_glob_is_seen(wide: str, narrow: str) -> None:
    assert covers(wide, narrow)
    assert meet(wide, narrow)


@pytest.mark.parametrize(
    ("one", "other"), [("Load*", "Post*"), ("*-dev", "*-prod"), ("a?", "a"), ("", "?"), ("LoadSales", "LoadStores")]
)
def test_globs_that_no_name_fits_both_are_seen(one: str, other: str) -> None:
    assert not meet(one, other)
    assert not covers(one, other)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(globs, globs)
def test_what_is_said_of_two_globs_holds_for_all_names(one: str, other: str) -> None:
    first, second = ({name for name in NAMES if fits(name, glob)} for glob in (one, other))
    if covers(one, other):
        assert second <= first
    if len(one.strip("*") + other.strip("*")) <= 6:  # then a name that fits both is short enough to be among these
        assert meet(one, other) == bool(first & second)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(globs, st.sampled_from(NAMES))
def test_a_name_is_the_narrowest_glob(glob: str, name: str) -> None:
    assert covers(glob, name) == meet(glob, name) == fits(name, glob)


def test_brackets_are_told_apart_by_nobody() -> None:
    """What is not known must be no finding: neither covered nor without a common name."""
    assert not covers("[ab]*", "a*")
    assert meet("[ab]", "c")
