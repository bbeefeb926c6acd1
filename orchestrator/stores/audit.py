"""The store of the audit trail, as a port; and its in-memory twin. Rows are inserted and read, never changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.audit.lines import Line
from orchestrator.audit.record import marks
from orchestrator.stores.rows import Exists

MAX_ROWS = 100  # of one insert: a transaction of Table storage
LAST = "~"  # sorts after every chain


@dataclass(frozen=True, slots=True)
class Row:
    """A line, where it stands, and the marks by which it is found, which are copies of what the line says."""

    chain: str
    key: str
    line: bytes
    marks: Mapping[str, str]

    @classmethod
    def of(cls, line: Line) -> Row:
        return cls(line.chain, row_key(line.seq), line.data, marks(line.entry))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. Times as the marks have them; `since` counts, `until` does not; empty means any."""

    since: str = ""
    until: str = ""
    equal: Mapping[str, str] = field(default_factory=dict)  # mark: value
    actor: str = ""  # name or id

    def fits(self, found: Mapping[str, str]) -> bool:
        return (
            (not self.since or found["at"] >= self.since)
            and (not self.until or found["at"] < self.until)
            and all(found[name] == value for name, value in self.equal.items())
            and (not self.actor or self.actor in (found["actor"], found["actor_id"]))
        )


class AuditStore(Protocol):
    """Raises UpstreamUnavailable or UpstreamRefused when storage does not answer or does not let us."""

    async def insert(self, rows: Sequence[Row]) -> None:
        """All of them or none, at most MAX_ROWS of one chain. Raises Exists."""

    def rows(self, first: str = "", end: str = LAST) -> AsyncIterator[Row]:
        """Of the chains from `first` on and before `end`, in the order of chains and numbers."""

    def of_chain(self, chain: str, after: int = 0) -> AsyncIterator[Row]:
        """Those with a number above `after`, in order."""

    async def next_chain(self, after: str) -> str:
        """The first chain whose id sorts after this text; empty where there is none."""

    async def search(self, first: str, end: str, wanted: Wanted, limit: int) -> list[Row]:
        """Of the chains from `first` on and before `end` what fits, in no order, at most so many."""

    async def purge(self, chain: str) -> int:
        """Drop a whole chain. How many rows."""


def row_key(seq: int) -> str:
    return f"{seq:010d}"


class MemoryAuditStore:
    def __init__(self) -> None:
        self.chains: dict[str, dict[str, Row]] = {}

    async def insert(self, rows: Sequence[Row]) -> None:
        there = self.chains.setdefault(rows[0].chain, {})
        if any(row.key in there for row in rows):
            raise Exists(rows[0].chain)
        there.update({row.key: row for row in rows})

    async def rows(self, first: str = "", end: str = LAST) -> AsyncIterator[Row]:
        for chain in sorted(self.chains):
            if first <= chain < end:
                async for row in self.of_chain(chain):
                    yield row

    async def of_chain(self, chain: str, after: int = 0) -> AsyncIterator[Row]:
        for key, row in sorted(self.chains.get(chain, {}).items()):
            if key > row_key(after):
                yield row

    async def next_chain(self, after: str) -> str:
        return min((chain for chain, rows in self.chains.items() if chain > after and rows), default="")

    async def search(self, first: str, end: str, wanted: Wanted, limit: int) -> list[Row]:
        found = [row async for row in self.rows(first, end) if wanted.fits(row.marks)]
        return found[:limit]

    async def purge(self, chain: str) -> int:
        return len(self.chains.pop(chain, {}))
