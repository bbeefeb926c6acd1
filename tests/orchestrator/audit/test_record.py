"""What is kept of an entry."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest

from orchestrator.audit.lines import GENESIS, read, write
from orchestrator.audit.record import Actor, plain
from tests.orchestrator.audit.build import CHAIN, NOW, make_entry

SECRET = "hunter2-hunter2"
CONNECTION = f"Server=tcp:sql;Password={SECRET};"


@pytest.mark.parametrize(
    "where",
    [
        {"what": CONNECTION},
        {"why": CONNECTION},
        {"outcome": CONNECTION},
        {"arguments": {"parameters": {"deep": [CONNECTION]}}},
        {"arguments": {"password": SECRET}},
    ],
)
def test_no_secret_is_kept(where: dict[str, Any]) -> None:
    assert SECRET not in str(plain(make_entry(**where)))


def test_who_it_was_is_kept_whole() -> None:
    actor = Actor("person", "ana@contoso.com", "6a1f")
    assert plain(make_entry(actor=actor))["actor"] == {"kind": "person", "name": "ana@contoso.com", "id": "6a1f"}


def test_times_are_of_one_zone_and_length() -> None:
    east = NOW.replace(microsecond=0).astimezone(timezone(timedelta(hours=5)))
    assert plain(make_entry(at=east))["at"] == "2026-11-21T03:00:00.000000Z"


def test_the_largest_entry_fits_a_property_of_a_table() -> None:
    """64 KiB. Each of these characters takes twelve bytes when it is escaped."""
    long = "\U0001f680" * 50_000
    entry = make_entry(
        what=long, why=long, outcome=long, subject=long, factory=long, channel=long, actor=Actor("key", long, long),
        arguments={long: long},
    )  # fmt: skip
    assert len(write(CHAIN, 9_999_999_999, GENESIS, plain(entry)).data) < 64 * 1024


def test_what_is_cut_says_how_long_it_was() -> None:
    assert plain(make_entry(what="x" * 5000))["what"].endswith("x… (5000 characters)")


def test_long_arguments_can_be_recognised_by_their_digest() -> None:
    kept = [plain(make_entry(arguments={"list": ["x" * 9000, n]}))["arguments"] for n in (1, 2, 1)]
    assert kept[0] == kept[2] != kept[1]
    assert kept[0]["beginning"].startswith('{"list": ["xxx')


@pytest.mark.parametrize("odd", [float("nan"), "\ud83d", lambda: 10**5000, {1: 2}, NOW, b"\xff", [[[]]], None, -0.0])
def test_whatever_an_argument_is_it_can_be_written_and_read(odd: Any) -> None:
    value = odd() if callable(odd) else odd
    line = write(CHAIN, 1, GENESIS, plain(make_entry(arguments={"odd": value})))
    assert read(line.data) == line
