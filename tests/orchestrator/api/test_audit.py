"""The audit trail over HTTP: found by what it says, a page at a time, and as CSV that computes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from orchestrator.api import app as api
from orchestrator.audit import search, services
from orchestrator.audit.lines import GENESIS, new_chain, write
from orchestrator.audit.record import Actor, Entry, plain
from orchestrator.stores.audit import MemoryAuditStore, Row
from tests.orchestrator.api.doors import through
from tests.orchestrator.audit.build import NOW, make_entry, make_write

ANA = Actor("person", "Ana@contoso.com", "6A1F")


class Trail:
    """Entries in a store, and a client that asks for them."""

    def __init__(self, client: httpx.AsyncClient, store: MemoryAuditStore) -> None:
        self.client, self.store = client, store

    async def add(self, *entries: Entry, recorded: datetime = NOW) -> str:
        chain, rows, previous = new_chain(recorded), list[Row](), GENESIS
        for number, entry in enumerate(entries, 1):
            line = write(chain, number, previous, plain(entry))
            previous = line.hash
            rows.append(Row.of(line))
        await self.store.insert(rows)
        return chain

    async def asked(self, **query: Any) -> httpx.Response:
        period = {"from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}
        return await self.client.get("/api/audit", params={**period, **query})

    async def found(self, **query: Any) -> list[str]:
        return [entry["what"] for entry in (await self.asked(**query)).json()["entries"]]


@pytest.fixture
async def trail() -> AsyncIterator[Trail]:
    app, store = api.build(), MemoryAuditStore()
    app.dependency_overrides[services.provided] = lambda: store
    transport = httpx.ASGITransport(through("api", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        yield Trail(client, store)


def at(hours: float, what: str) -> Entry:
    return make_entry(at=NOW + timedelta(hours=hours), what=what)


async def test_an_entry_is_told_whole(trail: Trail) -> None:
    entry = make_write(actor=ANA, arguments={"run_id": "1"}, why="rule", outcome="done", channel="ui")
    chain = await trail.add(entry)
    (told,) = (await trail.asked()).json()["entries"]
    assert told.pop("hash") == (await anext(trail.store.rows())).line.split(b'"')[-2].decode()
    assert told == {
        "at": "2026-11-21T03:00:00.123456Z",
        "kind": "write",
        "actor": {"kind": "person", "name": "Ana@contoso.com", "id": "6A1F"},
        "channel": "ui",
        "subject": "A-1",
        "factory": "adf-prod",
        "what": "rerun LoadSales",
        "arguments": {"run_id": "1"},
        "why": "rule",
        "outcome": "done",
        "chain": chain,
        "seq": 1,
        "intact": True,
    }


async def test_it_is_found_by_each_filter(trail: Trail) -> None:
    await trail.add(make_entry(what="one"), make_write(what="two", actor=ANA), make_entry(what="three", factory="Dev"))
    assert await trail.found(kind="write") == await trail.found(subject="A-1") == ["two"]
    assert await trail.found(actor="ana@CONTOSO.com") == await trail.found(actor="6a1f") == ["two"]
    assert await trail.found(factory="dev") == ["three"]
    assert await trail.found(factory="dev", kind="write") == []


async def test_a_period_is_of_times_not_of_days(trail: Trail) -> None:
    await trail.add(*(at(hours, str(hours)) for hours in range(4)))
    assert await trail.found(**{"from": "2026-11-21T04:00:00Z", "until": "2026-11-21T06:00:00Z"}) == ["1", "2"]


async def test_what_was_recorded_after_midnight_belongs_to_the_time_when_it_happened(trail: Trail) -> None:
    await trail.add(at(20.9, "late"), recorded=NOW + timedelta(hours=22))
    assert await trail.found(**{"from": "2026-11-21T23:00:00Z", "until": "2026-11-22T00:00:00Z"}) == ["late"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_hold_everything_once_in_the_order_of_time(trail: Trail, limit: int) -> None:
    for day in (0, 1, 5):
        await trail.add(*(at(24 * day + n, f"{day}.{n}") for n in (0, 2)), recorded=NOW + timedelta(days=day))
        await trail.add(at(24 * day + 1, f"{day}.1"), recorded=NOW + timedelta(days=day))
    found, cursor = list[str](), dict[str, str]()
    while True:
        page = (await trail.asked(limit=limit, **cursor)).json()
        found += [entry["what"] for entry in page["entries"]]
        assert len(page["entries"]) <= limit
        if not page["next"]:
            break
        cursor = {"cursor": page["next"]}
    assert found == [f"{day}.{n}" for day in (0, 1, 5) for n in (0, 1, 2)]


async def test_a_page_is_bounded_in_bytes(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_BYTES", 600)
    await trail.add(*(at(n, str(n)) for n in range(3)))
    page = (await trail.asked()).json()
    assert [entry["what"] for entry in page["entries"]] == ["0"]
    assert await trail.found(cursor=page["next"]) == ["1"]


async def test_a_day_with_too_much_asks_for_less(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_OF_DAY", 2)
    await trail.add(*(at(n, str(n)) for n in range(3)))
    answer = await trail.asked()
    assert (answer.status_code, "2026-11-21" in answer.text) == (422, True)
    assert await trail.found(until="2026-11-21T04:00:00Z") == ["0"]


async def test_what_was_tampered_with_is_told_as_such(trail: Trail) -> None:
    chain = await trail.add(*(at(n, str(n)) for n in range(4)))
    rows = trail.store.chains[chain]
    for number, (old, new) in {2: (b'"what":"1"', b'"what":"x"'), 3: (b'"', b"'")}.items():
        row = rows[f"{number:010d}"]
        rows[row.key] = Row(chain, row.key, row.line.replace(old, new), row.marks)
    told = write(chain, 4, GENESIS, {**plain(at(3, "3")), "kind": "deed", "at": "noon"})
    rows["0000000004"] = Row(chain, "0000000004", told.data, rows["0000000004"].marks)
    page = (await trail.asked()).json()
    assert [(entry["what"], entry["intact"]) for entry in page["entries"]] == [("0", True), ("x", False)]
    assert page["unreadable"] == 2


@pytest.mark.parametrize("chain", ["20261121é", "20261121~~", "2026112", "x"])
async def test_rows_that_belong_to_no_day_end_no_search(trail: Trail, chain: str) -> None:
    forged = Row.of(write(chain, 1, GENESIS, plain(at(0, "forged"))))
    trail.store.chains[chain] = {"1": Row(chain, "1", b"", forged.marks)}
    await trail.add(at(30, "next day"), recorded=NOW + timedelta(hours=30))
    assert (await trail.found())[-1:] == ["next day"]


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": "é"},
        {"cursor": "WzFd"},
        {"cursor": "WzEsMiwzLDRd"},
        {"from": "2026-12-02T00:00:00Z"},
        {"from": "2020-01-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00Z"},
        {"until": "9999-12-31T23:59:59Z"},
        {"from": "yesterday"},
        {"from": "2026-11-21T00:00:00"},
        {"kind": "deed"},
        {"format": "xml"},
        {"limit": 0},
        {"limit": 10_001},
        {"actor": ""},
    ],
)
async def test_a_wrong_question_is_told(trail: Trail, query: dict[str, Any]) -> None:
    assert (await trail.asked(**query)).status_code == 422


async def test_as_csv_it_is_one_file_of_the_period(trail: Trail) -> None:
    await trail.add(*(at(n / 100, f'n,{n}\n"quoted"') for n in range(150)), make_write(actor=ANA, arguments={"é": 1}))
    answer = await trail.asked(format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-20261101-20261201.csv"'
    assert answer.headers["x-next-cursor"] == ""
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == 151
    (write_,) = (row for row in rows if row["kind"] == "write")
    assert (write_["actor"], write_["actor_kind"], write_["arguments"]) == ("Ana@contoso.com", "person", '{"é": 1}')
    assert {row["what"] for row in rows} >= {'n,7\n"quoted"'}


async def test_a_csv_that_is_cut_says_where_it_goes_on(trail: Trail) -> None:
    await trail.add(*(at(n, str(n)) for n in range(3)))
    answer = await trail.asked(format="csv", limit=2)
    rest = await trail.asked(format="csv", limit=2, cursor=answer.headers["x-next-cursor"])
    assert [row["what"] for row in csv.DictReader(io.StringIO(rest.text))] == ["2"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r", "\n", " =", "＝", "\u00a0@"])
async def test_no_cell_is_a_formula(trail: Trail, sign: str) -> None:
    text = f"{sign}HYPERLINK(1)"
    fields = ("what", "subject", "factory", "why", "outcome", "channel")
    await trail.add(make_entry(**dict.fromkeys(fields, text)))
    (row,) = csv.DictReader(io.StringIO((await trail.asked(format="csv")).text, newline=""))
    assert {row[field] for field in fields} == {f"'{text}"}


async def test_names_of_persons_are_no_formulas_either(trail: Trail) -> None:
    await trail.add(make_entry(actor=Actor("person", "=1+1", "-1")))
    (row,) = csv.DictReader(io.StringIO((await trail.asked(format="csv")).text))
    assert (row["actor"], row["actor_id"]) == ("'=1+1", "'-1")


async def test_it_is_read_through_the_door_of_the_key_only(trail: Trail) -> None:
    app = api.build()
    for door in ("hooks", "ui"):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(through(door, app)), base_url="http://app"
        ) as client:
            assert (await client.get("/api/audit")).status_code == 404
