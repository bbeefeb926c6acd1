"""Whatever order a service gives to records of one moment, and whether it heeds the order at all: none is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tools_worker.datafactory import fields
from tools_worker.datafactory.paging import Cursor, from_both_ends

BEGIN = datetime(2026, 3, 10, tzinfo=UTC)
Record = tuple[int, datetime | None]


class Service:
    """Pages of records in the order in which they are given; `asked` counts them."""

    def __init__(self, records: Sequence[Record], size: int) -> None:
        self.records, self.size, self.asked = records, size, 0

    async def ask(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked += 1
        start = int(body.get("continuationToken", 0))
        rows = [
            {"id": number, "at": at.isoformat() if at else None} for number, at in self.records[start:][: self.size]
        ]
        more = start + self.size < len(self.records)
        return {"value": rows, **({"continuationToken": str(start + self.size)} if more else {})}


def read(raw: object) -> Record:
    return int(fields.text(raw, "id")), fields.moment(raw, "at")


async def numbers(ascending: Sequence[Record], descending: Sequence[Record], size: int) -> tuple[list[int], bool, int]:
    services = Service(ascending, size), Service(descending, size)
    ahead, back = (Cursor(service.ask, {}, read) for service in services)
    first = await ahead.next()
    if ahead.over:
        return [number for number, _ in first], ahead.ended, 1
    found, complete = await from_both_ends(ahead, back, by_time, first)
    return [number for number, _ in found], complete, sum(service.asked for service in services)


def records(minutes: Sequence[int | None]) -> list[Record]:
    return [(n, None if m is None else BEGIN + timedelta(minutes=m)) for n, m in enumerate(minutes)]


def by_time(record: Record) -> datetime:
    return record[1] or datetime.min.replace(tzinfo=UTC)


MINUTES = st.lists(st.one_of(st.none(), st.integers(0, 8)), max_size=60)


@given(MINUTES, st.integers(1, 9), st.randoms(use_true_random=False))
async def test_loses_nothing_however_ties_are_ordered(minutes: list[int | None], size: int, chance: Any) -> None:
    known = records(minutes)
    ascending, descending = list(known), list(known)
    chance.shuffle(ascending)
    chance.shuffle(descending)
    ascending.sort(key=by_time)
    descending.sort(key=by_time, reverse=True)
    found, complete, _ = await numbers(ascending, descending, size)
    assert complete
    assert set(found) == {number for number, _ in known}


@given(MINUTES, st.integers(1, 9))
async def test_loses_nothing_where_the_service_heeds_no_order(minutes: list[int | None], size: int) -> None:
    known = records(minutes)
    found, complete, _ = await numbers(known, known, size)
    assert complete
    assert set(found) == {number for number, _ in known}


async def test_asks_for_hardly_more_pages_than_there_are() -> None:
    known = records(range(1000))
    _, complete, asked = await numbers(known, known[::-1], 100)
    assert complete
    assert asked <= 11


async def test_keeps_the_order_of_time() -> None:
    known = records(range(1000))
    found, _, _ = await numbers(known, known[::-1], 100)
    assert list(dict.fromkeys(found)) == list(range(1000))


async def test_says_when_a_service_goes_in_circles() -> None:
    async def circling(body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"value": [{"id": 1, "at": BEGIN.isoformat()}], "continuationToken": "again"}

    ahead, back = (Cursor(circling, {}, read) for _ in range(2))
    first = await ahead.next()
    _, complete = await from_both_ends(ahead, back, by_time, first)
    assert not complete
    assert ahead.stuck
