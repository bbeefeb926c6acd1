"""Looks for tampering: lines as they are stored or exported against their hashes, one another, and the anchors.

Found is any edit (of a single byte, white space too), removal, repetition, reordering or fork; a chain that was cut off
or removed altogether, up to its newest anchor; an anchor that was changed, where a later one of its chain was not. Not
found, because nothing shows it: what is cut off behind the newest anchor of a chain, or added there by somebody who
computes hashes; and whatever is done by somebody who can change the anchors too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from orchestrator.audit.anchors import Anchor
from orchestrator.audit.lines import GENESIS, Line, Unreadable, day_of, is_chain, read
from orchestrator.audit.record import marks
from orchestrator.stores.audit import Row, row_key

Fault = Literal["edited", "removed", "reordered", "duplicate", "forked", "moved", "cut_tail", "removed_chain", "anchor"]


@dataclass(frozen=True, slots=True)
class Finding:
    fault: Fault
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.fault}: {self.place}: {self.text}"


@dataclass(slots=True)
class _Found:
    """What was read of a chain: place, hash and hash before, by number; None for what could not be read."""

    lines: dict[int, tuple[str, str, str] | None] = field(default_factory=dict)
    last: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """`unproven`: entries behind the newest anchor of their chain."""

    findings: tuple[Finding, ...]
    entries: int
    chains: int
    anchors: int
    unproven: int


class Verifier:
    """Give it the anchors, which must have been read before the lines; then every line; then ask for the report."""

    def __init__(self, anchors: Mapping[str, bytes], since: date = date.min, until: date = date.max) -> None:
        """Anchors by name. Chains of days before `since` or after `until` need not be there."""
        self._since, self._until = since, until
        self._findings: list[Finding] = []
        self._chains: dict[str, _Found] = {}
        self._entries = 0
        self._anchors: dict[str, dict[int, str]] = {}
        self._anchors_read = len(anchors)
        for name, data in anchors.items():
            self._take_anchor(name, data)

    def row(self, row: Row) -> None:
        """Of the table, where a line says again where it stands and by what it is found."""
        place = f"{row.chain}/{row.key}"
        line = self._read(place, row.line)
        if line is None:
            if is_chain(row.chain) and row.key.isdecimal():
                self._of(row.chain).lines.setdefault(int(row.key), None)
            return
        if (line.chain, row_key(line.seq)) != (row.chain, row.key):
            self._find("moved", place, f"this is entry {line.seq} of {line.chain}")
        elif marks(line.entry) != row.marks:
            self._find("edited", place, "what it is found by is not what it says")
        self._take(place, line)

    def file(self, name: str, data: bytes) -> None:
        """An exported file: lines, each with a line feed behind it."""
        if not data.endswith(b"\n"):
            self._find("edited", name, "its last line has no end")
        for number, each in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
            place = f"{name}:{number}"
            line = self._read(place, each)
            if line is not None:
                self._take(place, line)

    def days(self) -> set[date]:
        """Of the chains that were read."""
        return {day_of(chain) for chain in self._chains}

    def report(self, days: Collection[date] | None = None) -> Report:
        """`days`: those of which every chain must be there; without it all days from `since` to `until`."""
        for chain, found in sorted(self._chains.items()):
            self._check_chain(chain, found)
        unproven = sum(len(found.lines) for found in self._chains.values())
        for chain, anchors in sorted(self._anchors.items()):
            day = day_of(chain)
            found = self._chains.get(chain, _Found())
            if found.lines or (self._since <= day <= self._until and (days is None or day in days)):
                self._check_anchors(chain, found, anchors)
            unproven -= sum(seq <= max(anchors) for seq in found.lines)
        return Report(tuple(self._findings), self._entries, len(self._chains), self._anchors_read, unproven)

    def _find(self, fault: Fault, place: str, text: str) -> None:
        self._findings.append(Finding(fault, place, f"{text}."))

    def _of(self, chain: str) -> _Found:
        return self._chains.setdefault(chain, _Found())

    def _take_anchor(self, name: str, data: bytes) -> None:
        anchor = Anchor.read(name, data)
        if anchor is None:
            self._find("anchor", name, "it is not as an anchor is written")
            return
        self._anchors.setdefault(anchor.chain, {})[anchor.seq] = anchor.hash

    def _read(self, place: str, data: bytes) -> Line | None:
        self._entries += 1
        try:
            line = read(data)
        except Unreadable as exc:
            self._find("edited", place, str(exc))
            return None
        if not line.sound:
            self._find("edited", place, f"entry {line.seq} of {line.chain} does not have the hash that it tells")
        return line

    def _take(self, place: str, line: Line) -> None:
        found = self._of(line.chain)
        known = found.lines.get(line.seq)
        if known is not None:
            fault: Fault = "duplicate" if known[1] == line.hash else "forked"
            self._find(fault, place, f"entry {line.seq} of {line.chain} stands at {known[0]} too")
            return
        if line.seq < found.last:
            self._find("reordered", place, f"entry {line.seq} of {line.chain} stands behind entry {found.last}")
        found.lines[line.seq] = (place, line.hash, line.previous)
        found.last = max(found.last, line.seq)

    def _check_chain(self, chain: str, found: _Found) -> None:
        for first, last in _gaps(found.lines):
            which = f"entry {first} is" if first == last else f"entries {first} to {last} are"
            self._find("removed", chain, f"{which} missing")
        for seq, line in sorted(found.lines.items()):
            if line is None:
                continue
            before = found.lines.get(seq - 1) if seq > 1 else ("the beginning", GENESIS, "")
            if before is not None and line[2] != before[1]:
                text = f"entry {seq} of {chain} does not follow what stands before it ({before[0]})"
                self._find("edited", line[0], text)

    def _check_anchors(self, chain: str, found: _Found, anchors: Mapping[int, str]) -> None:
        last = max(found.lines, default=0)
        beyond = [seq for seq in anchors if seq > last]
        if not found.lines:
            self._find("removed_chain", chain, f"it had {max(beyond)} entries or more, and is not there")
        elif beyond:
            self._find("cut_tail", chain, f"entries {last + 1} to {max(beyond)} are missing at its end")
        held = {seq: line[1] == anchors[seq] for seq, line in found.lines.items() if line and seq in anchors}
        for seq in sorted(held):
            if held[seq]:
                continue
            # A line that a later anchor holds cannot have changed.
            if any(held[later] for later in held if later > seq):
                self._find("anchor", Anchor(chain, seq, anchors[seq]).name, "it does not agree with a later one")
            else:
                self._find("edited", f"{chain}/{row_key(seq)}", "it is not the entry that was anchored")


def _gaps(lines: Collection[int]) -> Iterator[tuple[int, int]]:
    expected = 1
    for seq in sorted(lines):
        if seq > expected:
            yield expected, seq - 1
        expected = seq + 1
