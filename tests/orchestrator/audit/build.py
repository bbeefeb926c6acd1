"""Entries, chains and stores in trouble, for the tests of the audit trail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.errors import UpstreamUnavailable
from orchestrator.audit.anchors import Anchor
from orchestrator.audit.lines import GENESIS, Line, write
from orchestrator.audit.record import Actor, Entry, plain
from orchestrator.stores.audit import MemoryAuditStore, Row
from orchestrator.stores.sealed import MemorySealedFiles

NOW = datetime(2026, 11, 21, 3, 0, 0, 123456, tzinfo=UTC)
CHAIN = "20261121-030000-3f2a9c01d4e5"


def make_entry(**changes: Any) -> Entry:
    entry = Entry(NOW, "question", Actor("key", "a function key", "s-1"), "What failed?", "run-1", "adf-prod", "api")
    return replace(entry, **changes)


def make_write(**changes: Any) -> Entry:
    return make_entry(**{"kind": "write", "what": "rerun LoadSales", "subject": "A-1", **changes})


def make_chain(count: int, name: str = CHAIN, **changes: Any) -> list[Line]:
    lines: list[Line] = []
    for number in range(1, count + 1):
        previous = lines[-1].hash if lines else GENESIS
        lines.append(write(name, number, previous, plain(make_entry(what=f"Question {number}", **changes))))
    return lines


def exported(lines: Sequence[Line]) -> bytes:
    return b"".join(line.data + b"\n" for line in lines)


def anchored(*lines: Line) -> dict[str, bytes]:
    return {Anchor.of(line).name: Anchor.of(line).data for line in lines}


class Trouble:
    """Takes effect once for each word: `refuse` and nothing happens; `lose` and it happens, but no answer comes."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)

    def next(self) -> str:
        return self.words.pop(0) if self.words else ""


class TroubledStore(MemoryAuditStore):
    def __init__(self, *words: str) -> None:
        super().__init__()
        self.trouble, self.inserts = Trouble(*words), list[int]()

    async def insert(self, rows: Sequence[Row]) -> None:
        word = self.trouble.next()
        self.inserts.append(len(rows))
        if word != "refuse":
            await super().insert(rows)
        if word:
            raise UpstreamUnavailable("Table storage does not answer.")

    async def lines(self) -> list[bytes]:
        return [row.line async for row in self.rows()]


class TroubledFiles(MemorySealedFiles):
    def __init__(self, *words: str) -> None:
        super().__init__()
        self.trouble = Trouble(*words)

    async def put(self, name: str, data: bytes) -> bool:
        word = self.trouble.next()
        new = await super().put(name, data) if word != "refuse" else False
        if word:
            raise UpstreamUnavailable("Blob storage does not answer.")
        return new


async def everything(rows: AsyncIterator[Row]) -> list[Row]:
    return [row async for row in rows]
