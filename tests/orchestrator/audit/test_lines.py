"""The bytes of a line: one form only."""

from __future__ import annotations

import hashlib
import json

import pytest

from orchestrator.audit.lines import GENESIS, Unreadable, canonical, day_of, is_chain, new_chain, read, write
from orchestrator.audit.record import plain
from tests.orchestrator.audit.build import CHAIN, NOW, make_chain, make_entry


def test_a_line_is_read_as_it_was_written() -> None:
    line = write(CHAIN, 1, GENESIS, plain(make_entry(what="Lädt 🚀", arguments={"b": [1.5, None], "a": "é"})))
    assert read(line.data) == line


def test_anybody_can_compute_the_hash_from_the_line_alone() -> None:
    """As docs/audit.md tells: the bytes between `{"entry":` and `,"hash":`."""
    first, second = make_chain(2)
    body = second.data.split(b'{"entry":', 1)[1].rsplit(b',"hash":', 1)[0]
    told = json.loads(second.data)
    assert hashlib.sha256(body).hexdigest() == told["hash"] == second.hash
    assert told["entry"]["previous"] == first.hash
    assert make_chain(1)[0].previous == GENESIS


def altered(change: str) -> bytes:
    line = make_chain(1)[0]
    entry = json.loads(line.data)["entry"]
    body = {
        "space": canonical(entry).replace(b'":"', b'": "', 1),
        "order": json.dumps(entry, sort_keys=False, separators=(",", ":")).encode()[:1]
        + canonical({"zz": 1})[1:-1]
        + b","
        + canonical(entry)[1:],
        "twice": canonical(entry)[:-1] + b',"what":"else"}',
        "escape": canonical(entry).replace(b"Q", b"\\u0051", 1),
        "number": canonical(entry).replace(b'"seq":1', b'"seq":1.0'),
        "plus": canonical(entry).replace(b'"seq":1', b'"seq":true'),
        "none": canonical(entry).replace(b'"seq":1', b'"seq":0'),
        "infinite": canonical({**entry, "arguments": 1}).replace(b'"arguments":1', b'"arguments":1e999'),
        "huge": canonical({**entry, "arguments": 1}).replace(b'"arguments":1', b'"arguments":' + b"9" * 5000),
        "deep": canonical({**entry, "arguments": 1}).replace(b'"arguments":1', b'"arguments":' + b"[" * 100_000),
        "missing": canonical({key: value for key, value in entry.items() if key != "why"}),
        "month": canonical({**entry, "chain": "20261321-030000-3f2a9c01d4e5"}),
        "list": b"[]",
    }[change]
    return b'{"entry":' + body + b',"hash":"' + hashlib.sha256(body).hexdigest().encode() + b'"}'


CHANGES = (
    "space",
    "order",
    "twice",
    "escape",
    "number",
    "plus",
    "none",
    "infinite",
    "huge",
    "deep",
    "missing",
    "month",
)


@pytest.mark.parametrize("change", [*CHANGES, "list"])
def test_another_form_is_no_line_even_with_the_right_hash(change: str) -> None:
    with pytest.raises(Unreadable):
        read(altered(change))


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff" * 200, b'{"entry":{},"hash":"' + b"0" * 64 + b'"}'])
def test_other_bytes_are_no_line(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)


def test_a_later_version_may_add_fields() -> None:
    entry = {**plain(make_entry()), "tenant": "x"}
    assert read(write(CHAIN, 1, GENESIS, entry).data).sound


def test_chains_are_named_by_their_day() -> None:
    assert day_of(new_chain(NOW)) == NOW.date()
    assert new_chain(NOW) != new_chain(NOW)
    assert is_chain(new_chain(NOW))
    assert not is_chain("20260230-000000-3f2a9c01d4e5")
