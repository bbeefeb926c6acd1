"""Entries of a period, a page at a time: by days, in the order of time within each.

Days are those on which entries were recorded, so that one recorded after midnight stands behind those of its day.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import InvalidArguments
from orchestrator.audit.lines import Line, Unreadable, read
from orchestrator.audit.record import moment
from orchestrator.stores.audit import AuditStore, Row, Wanted

MAX_OF_DAY = 20_000  # what fits a search is put in order in memory
MAX_BYTES = 8 * 1024 * 1024  # of a page
AROUND = timedelta(days=1)  # between what happened and its recording: longer than storage is ever in trouble unnoticed


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Of an entry in what is found: where the next page begins."""

    day: str
    at: str
    chain: str
    key: str

    @classmethod
    def of(cls, row: Row) -> Place:
        return cls(row.chain[:8], row.marks["at"], row.chain, row.key)

    @property
    def cursor(self) -> str:
        told = json.dumps([self.day, self.at, self.chain, self.key])
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, cursor: str) -> Place:
        """Raises InvalidArguments."""
        try:
            told = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, list) or len(told) != 4 or not all(isinstance(part, str) for part in told):
            raise InvalidArguments("This cursor is none.", hint="Give `next` of the page before, or leave it out.")
        return cls(*told)


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is a cursor, empty on the last page. `unreadable` rows have been tampered with: `verify` tells."""

    lines: Sequence[Line]
    next: str
    unreadable: int


async def page(
    store: AuditStore, wanted: Wanted, since: datetime, until: datetime, limit: int, cursor: str = ""
) -> Page:
    """Raises InvalidArguments."""
    after = Place.read(cursor) if cursor else Place(f"{since - AROUND:%Y%m%d}", "", "", "")
    wanted = replace(wanted, since=moment(since), until=moment(until))
    end = f"{until + AROUND:%Y%m%d}~"
    found: list[Row] = []
    chain = await store.next_chain(after.day)
    while chain and chain < end and len(found) <= limit:
        day = chain[:8]
        found += [row for row in await _of_day(store, day, wanted) if Place.of(row) > after]
        chain = await store.next_chain(max(f"{day}~", chain))
    return _page(found, limit)


async def _of_day(store: AuditStore, day: str, wanted: Wanted) -> list[Row]:
    rows = await store.search(day, f"{day}~", wanted, MAX_OF_DAY + 1)
    if len(rows) > MAX_OF_DAY:
        text = f"More than {MAX_OF_DAY} entries of {day[:4]}-{day[4:6]}-{day[6:]} fit."
        raise InvalidArguments(text, hint="Name a shorter period, a kind, an actor, a subject or a factory.")
    return sorted(rows, key=Place.of)


def _page(found: Sequence[Row], limit: int) -> Page:
    size = unreadable = shown = 0
    lines: list[Line] = []
    for row in found[:limit]:
        size += len(row.line)
        if size > MAX_BYTES and shown:
            break
        shown += 1
        try:
            lines.append(read(row.line))
        except Unreadable:
            unreadable += 1
    more = shown < len(found)
    return Page(lines, Place.of(found[shown - 1]).cursor if more else "", unreadable)
