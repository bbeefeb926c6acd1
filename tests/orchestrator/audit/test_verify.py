"""What tampering is found: every single byte of an export, and every way of changing a chain."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.audit.anchors import Anchor
from orchestrator.audit.lines import GENESIS, Line, canonical, write
from orchestrator.audit.record import marks
from orchestrator.audit.verify import Finding, Report, Verifier
from orchestrator.stores.audit import Row
from tests.orchestrator.audit.build import CHAIN, NOW, anchored, exported, make_chain

OTHER = "20261121-040000-aaaaaaaaaaaa"
LINES = make_chain(6)
DATA = exported(LINES)
ANCHORS = anchored(LINES[1], LINES[-1])


def verified(data: bytes, anchors: dict[str, bytes] | None = None) -> Report:
    verifier = Verifier(ANCHORS if anchors is None else anchors)
    verifier.file("export", data)
    return verifier.report()


def faults(report: Report) -> set[str]:
    return {finding.fault for finding in report.findings}


def rows(*lines: Line) -> Report:
    verifier = Verifier(ANCHORS)
    for line in lines:
        verifier.row(Row.of(line))
    return verifier.report()


def test_what_nobody_touched_is_found_sound() -> None:
    assert verified(DATA) == Report((), 6, 1, 2, 0) == rows(*LINES)


def test_chains_of_several_processes_may_stand_in_one_file_in_any_order() -> None:
    other = make_chain(3, OTHER)
    mixed = [LINES[0], other[0], other[1], *LINES[1:], other[2]]
    assert verified(exported(mixed)).findings == ()


@pytest.mark.parametrize("anchors", [ANCHORS, {}], ids=["with anchors", "without"])
def test_every_edit_of_a_single_byte_is_found(anchors: dict[str, bytes]) -> None:
    """At every position: another byte, one more, one less."""
    pick = random.Random(6)
    for at in range(len(DATA)):
        byte = bytes([(DATA[at] + pick.randrange(1, 256)) % 256])
        for edited in (DATA[:at] + byte + DATA[at + 1 :], DATA[:at] + byte + DATA[at:]):
            assert verified(edited, anchors).findings, (at, byte)
        assert verified(DATA[:at] + DATA[at + 1 :], anchors).findings, at


@given(
    at=st.integers(0, len(DATA)),
    neutral=st.sampled_from([b" ", b"\t", b"\r", b"\n", b"\r\n", b"\x00", b"\xef\xbb\xbf"]),
)
def test_white_space_that_means_nothing_is_found(at: int, neutral: bytes) -> None:
    assert verified(DATA[:at] + neutral + DATA[at:]).findings


@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=20))
def test_any_number_of_edits_is_found(edits: list[tuple[int, int]]) -> None:
    edited = bytearray(DATA)
    for at, byte in edits:
        edited[at] = byte
    assert bool(verified(bytes(edited)).findings) == (bytes(edited) != DATA)


@given(st.lists(st.sampled_from(LINES), max_size=8))
def test_any_other_lines_than_those_written_are_found(lines: list[Line]) -> None:
    """Removed, repeated, reordered, cut: whatever is left of the chain's own lines."""
    assert bool(verified(exported(lines)).findings) == (lines != LINES)


def rewritten(what: str, at: int = 2) -> list[Line]:
    """Somebody who knows how computes every hash anew after his edit."""
    lines: list[Line] = LINES[:at]
    for line in LINES[at:]:
        entry = {**line.entry, "what": what} if line.seq == at + 1 else line.entry
        lines.append(write(CHAIN, line.seq, lines[-1].hash if lines else GENESIS, entry))
    return lines


def swapped() -> list[Line]:
    """The second and the third, each with the number and the link of the other's place."""
    return [write(CHAIN, n, LINES[n - 2].hash, LINES[4 - n].entry) for n in (2, 3)]


MUTANTS: dict[str, tuple[Callable[[], list[Line]], str]] = {
    "edited": (lambda: [*LINES[:2], rewritten("else")[2], *LINES[3:]], "edited"),
    "edited and all hashes after it": (lambda: rewritten("else"), "edited"),
    "the last edited": (lambda: rewritten("else", 5), "edited"),
    "removed": (lambda: [*LINES[:2], *LINES[3:]], "removed"),
    "the first removed": (lambda: LINES[1:], "removed"),
    "reordered": (lambda: [LINES[0], LINES[2], LINES[1], *LINES[3:]], "reordered"),
    "numbers swapped": (lambda: [LINES[0], *swapped(), *LINES[3:]], "edited"),
    "duplicate": (lambda: [*LINES[:3], LINES[2], *LINES[3:]], "duplicate"),
    "forked": (lambda: [*LINES, rewritten("else")[2]], "forked"),
    "cut tail": (lambda: LINES[:-1], "cut_tail"),
    "cut to nothing": (list, "removed_chain"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found_by_its_name(name: str) -> None:
    mutate, fault = MUTANTS[name]
    other = make_chain(1, OTHER)
    assert fault in faults(verified(exported([*other, *mutate()])))


def test_a_cut_tail_is_not_found_behind_the_newest_anchor() -> None:
    """As the docs say: what nothing shows."""
    report = verified(exported(LINES[:3]), anchored(LINES[1]))
    assert (report.findings, report.unproven) == ((), 1)


def test_a_chain_added_by_hand_is_told_of_as_unproven() -> None:
    report = verified(DATA + exported(make_chain(2, OTHER)))
    assert (report.findings, report.unproven) == ((), 2)


def test_a_place_is_named_for_every_finding() -> None:
    data = DATA.replace(b"Question 3", b"Question 9")
    assert [finding.place for finding in verified(data).findings] == ["export:3"]
    assert str(verified(data).findings[0]).startswith("edited: export:3: entry 3 of 20261121-")


def test_an_edit_behind_which_all_is_sound_is_found_once() -> None:
    assert len(verified(DATA.replace(b"Question 3", b"Question 9")).findings) == 1


@pytest.mark.parametrize(
    "changed",
    [
        lambda data: data.replace(data[-70:-60], b"0" * 10),
        lambda data: data + b" ",
        lambda data: b"",
        lambda data: b"[]",
        lambda data: b"\xff",
        lambda data: data.replace(b'"seq":2', b'"seq":3'),
    ],
)
def test_a_changed_anchor_is_found(changed: Callable[[bytes], bytes]) -> None:
    name = Anchor.of(LINES[1]).name
    report = verified(DATA, {**ANCHORS, name: changed(ANCHORS[name])})
    assert faults(report) == {"anchor"}
    assert report.findings[0].place == name


def test_an_anchor_changed_to_another_hash_is_told_from_an_edited_entry_by_the_later_ones() -> None:
    wrong = Anchor(CHAIN, 2, "f" * 64)
    assert verified(DATA, {**ANCHORS, wrong.name: wrong.data}).findings == (
        Finding("anchor", wrong.name, "it does not agree with a later one."),
    )
    assert faults(verified(DATA, {wrong.name: wrong.data})) == {"edited"}


@pytest.mark.parametrize("name", ["heads/2026-11-21/x/1.json", "heads/2026-11-22/{0}/0000000002.json", "heads/y"])
def test_an_anchor_under_another_name_is_found(name: str) -> None:
    assert faults(verified(DATA, {name.format(CHAIN): Anchor.of(LINES[1]).data})) == {"anchor"}


def test_chains_outside_the_period_need_not_be_there() -> None:
    for since, until, found in ((0, 0, True), (1, 9, False), (-9, -1, False), (-9, 9, True)):
        days = (NOW.date() + timedelta(days=n) for n in (since, until))
        assert bool(Verifier(ANCHORS, *days).report().findings) == found
    assert Verifier(ANCHORS).report([date(2026, 11, 20)]).findings == ()


def stored(line: Line, **changes: str) -> Row:
    return Row(line.chain, f"{line.seq:010d}", line.data, {**marks(line.entry), **changes})


def of_table(*changed: Row) -> Report:
    verifier = Verifier(ANCHORS)
    places = {(row.chain, row.key): row for row in (*map(Row.of, LINES), *changed)}
    for _, row in sorted(places.items()):
        verifier.row(row)
    return verifier.report()


@pytest.mark.parametrize("mark", marks(LINES[0].entry))
def test_a_mark_that_hides_a_row_from_a_search_is_found(mark: str) -> None:
    assert faults(of_table(stored(LINES[2], **{mark: "else"}))) == {"edited"}


@pytest.mark.parametrize(
    "row",
    [
        Row(CHAIN, "0000000003", LINES[3].data, marks(LINES[3].entry)),
        Row(CHAIN, "3", LINES[2].data, marks(LINES[2].entry)),
        Row(CHAIN, "0000000007", LINES[2].data, marks(LINES[2].entry)),
        Row(OTHER, "0000000001", LINES[0].data, marks(LINES[0].entry)),
        Row(CHAIN, "0000000003", b"", marks(LINES[2].entry)),
        Row("chain", "note", b"{}", {}),
        Row(CHAIN, "note", b"{}", {}),
    ],
)
def test_a_row_that_is_not_what_its_place_says_is_found(row: Row) -> None:
    assert of_table(row).findings


def test_what_a_line_says_twice_is_found() -> None:
    body = canonical(LINES[0].entry)
    assert json.loads(DATA.split(b"\n")[0])["entry"] == json.loads(body)
    assert verified(DATA.replace(b'{"entry":{', b'{"entry":{"what":"x",', 1)).findings
