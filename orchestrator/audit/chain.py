"""One chain and its only writer: batches of entries, each stored whole or not at all, each once.

That a row is inserted or refused, never replaced, decides everything: a chain cannot fork. Where the answer of an
insert was lost, the next one is refused by the rows that went in, and these are then found to be ours, byte by byte.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from orchestrator.audit.lines import GENESIS, Line, write
from orchestrator.stores.audit import AuditStore, Row
from orchestrator.stores.rows import Exists

REMEMBERED = 20  # batches whose answer was lost, of which one may still go in


class Taken(Exception):
    """Rows that we did not write stand where ours belong: this chain is lost to us."""


class Recorded(Protocol):
    """What is put into a chain. `told` is as record.plain gives it; `stored` is set by the chain."""

    told: Mapping[str, Any]
    stored: bool


T = TypeVar("T", bound=Recorded)


class Chain(Generic[T]):
    """Of one process. `append` must not be called while it is at work."""

    def __init__(self, store: AuditStore, name: str) -> None:
        self.name, self.seq, self.hash = name, 0, GENESIS
        self._store = store
        self._unsure: deque[tuple[list[T], list[Line]]] = deque(maxlen=REMEMBERED)

    async def append(self, items: Sequence[T]) -> None:
        """At most stores.audit.MAX_ROWS. Raises Taken, and what the store raises: then nobody knows whether they are
        there, and the next `append` finds out."""
        while left := [item for item in items if not item.stored]:
            lines = self._lines(left)
            self._unsure.append((left, lines))
            try:
                await self._store.insert([Row.of(line) for line in lines])
            except Exists:
                left, lines = await self._landed()
            self._stand_on(left, lines[-1])

    def _lines(self, items: Sequence[T]) -> list[Line]:
        lines: list[Line] = []
        seq, previous = self.seq, self.hash
        for item in items:
            seq += 1
            lines.append(write(self.name, seq, previous, item.told))
            previous = lines[-1].hash
        return lines

    async def _landed(self) -> tuple[list[T], list[Line]]:
        """The batch of ours that is there: all begin at the same row, so only one of them can be."""
        stored = [row.line async for row in self._store.of_chain(self.name, self.seq)]
        for items, lines in reversed(self._unsure):
            if stored == [line.data for line in lines]:
                return items, lines
        raise Taken(self.name)

    def _stand_on(self, items: Sequence[T], line: Line) -> None:
        for item in items:
            item.stored = True
        self.seq, self.hash = line.seq, line.hash
        self._unsure.clear()
