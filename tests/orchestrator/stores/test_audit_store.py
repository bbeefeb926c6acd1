"""Every store of the audit trail, and every place for sealed files, keeps the same promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import date

import pytest

from core import clients
from core.errors import UpstreamRefused, UpstreamUnavailable
from core.settings import Settings
from orchestrator.audit.record import Actor
from orchestrator.stores.audit import AuditStore, MemoryAuditStore, Row, Wanted
from orchestrator.stores.audit_tables import TableAuditStore
from orchestrator.stores.rows import Exists
from orchestrator.stores.sealed import MemorySealedFiles, SealedFiles
from orchestrator.stores.sealed_blobs import BlobSealedFiles
from tests.orchestrator.audit.build import everything, make_chain, make_entry

pytestmark = pytest.mark.contract


@pytest.fixture
def day() -> str:
    """A day of this test's own: the table is shared."""
    return f"{date.fromordinal(700_000 + uuid.uuid4().int % 150_000):%Y%m%d}"


@pytest.fixture
def chain(day: str) -> str:
    return f"{day}-120000-{uuid.uuid4().hex[:12]}"


@pytest.fixture(params=["memory", "tables"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[AuditStore]:
    if request.param == "memory":
        yield MemoryAuditStore()
        return
    settings = Settings.load({"STORAGE": request.getfixturevalue("storage")})
    async with clients.table_service(settings) as tables:
        yield TableAuditStore(tables)


def chained(chain: str, count: int, **changes: object) -> list[Row]:
    return [Row.of(line) for line in make_chain(count, chain, **changes)]


def texts(rows: list[Row]) -> list[str]:
    return [f"{row.chain}/{row.key}" for row in rows]


async def test_gives_back_what_was_inserted(store: AuditStore, chain: str) -> None:
    rows = chained(chain, 3, factory="Lädt 🚀'", arguments={"long": "x" * 8000}, actor=Actor("person", "Ana", "6A1F"))
    await store.insert(rows[:1])
    await store.insert(rows[1:])
    assert await everything(store.of_chain(chain)) == rows
    assert await everything(store.of_chain(chain, after=2)) == rows[2:]
    assert await everything(store.of_chain(chain, after=3)) == []


async def test_a_hundred_are_inserted_at_once_and_read_in_order(store: AuditStore, chain: str) -> None:
    rows = chained(chain, 700)
    for start in range(0, 700, 100):
        await store.insert(rows[start : start + 100])
    assert await everything(store.of_chain(chain)) == rows


async def test_a_row_is_never_replaced_and_a_batch_goes_in_whole_or_not_at_all(store: AuditStore, chain: str) -> None:
    rows = chained(chain, 4)
    await store.insert(rows[1:3])
    for refused in (rows[1:2], rows[:2], rows[2:4], rows):
        with pytest.raises(Exists):
            await store.insert(refused)
    assert await everything(store.of_chain(chain)) == rows[1:3]


async def test_of_several_who_insert_the_same_row_one_does(store: AuditStore, chain: str) -> None:
    several = [chained(chain, 2, subject=str(n)) for n in range(8)]
    done = await asyncio.gather(*map(store.insert, several), return_exceptions=True)
    assert [type(each) for each in done].count(Exists) == 7
    assert await everything(store.of_chain(chain)) == several[done.index(None)]


async def test_reads_the_chains_of_a_period_in_order(store: AuditStore, day: str) -> None:
    chains = [f"{day}-{hour:02}0000-{uuid.uuid4().hex[:12]}" for hour in (9, 1, 5)]
    for chain in chains:
        await store.insert(chained(chain, 2))
    first, second, third = sorted(chains)
    both = ["0000000001", "0000000002"]
    assert texts(await everything(store.rows(first, third))) == [f"{c}/{n}" for c in (first, second) for n in both]
    assert (await everything(store.rows(day, f"{day}~")))[-1].chain == third
    assert [await store.next_chain(after) for after in (day, first, second)] == [first, second, third]
    assert await store.next_chain("~") == ""


async def test_finds_by_every_mark(store: AuditStore, day: str, chain: str) -> None:
    entries = {
        1: make_entry(),
        2: make_entry(kind="write", subject="A-1"),
        3: make_entry(actor=Actor("person", "Ana@Contoso.com", "6A1F"), factory="ADF-Prod", subject="O'Neil"),
        4: make_entry(at=make_entry().at.replace(hour=4)),
    }
    from orchestrator.audit.lines import GENESIS, write
    from orchestrator.audit.record import plain

    await store.insert([Row.of(write(chain, seq, GENESIS, plain(entry))) for seq, entry in entries.items()])

    async def found(wanted: Wanted) -> list[int]:
        return sorted(int(row.key) for row in await store.search(day, f"{day}~", wanted, 100))

    assert await found(Wanted()) == [1, 2, 3, 4]
    assert await found(Wanted(equal={"kind": "write"})) == [2]
    assert await found(Wanted(equal={"kind": "write", "subject": "run-1"})) == []
    assert await found(Wanted(equal={"subject": "O'Neil"})) == [3]
    assert await found(Wanted(equal={"factory": "adf-prod"})) == [1, 2, 3, 4]
    assert await found(Wanted(actor="ana@contoso.com")) == await found(Wanted(actor="6a1f")) == [3]
    assert await found(Wanted(since="2026-11-21T04:00:00.123456Z")) == [4]
    assert await found(Wanted(until="2026-11-21T04:00:00.123456Z", actor="a function key")) == [1, 2]
    assert len(await store.search(day, f"{day}~", Wanted(), 2)) == 2


async def test_drops_a_chain_whole(store: AuditStore, chain: str) -> None:
    rows = chained(chain, 150)
    await store.insert(rows[:100])
    await store.insert(rows[100:])
    assert await store.purge(chain) == 150
    assert await everything(store.of_chain(chain)) == []
    assert await store.purge(chain) == 0


@pytest.fixture(params=["memory", "blobs"])
async def sealed(request: pytest.FixtureRequest) -> AsyncIterator[SealedFiles]:
    if request.param == "memory":
        yield MemorySealedFiles()
        return
    settings = Settings.load({"STORAGE": request.getfixturevalue("storage")})
    async with clients.blob_service(settings) as blobs:
        yield BlobSealedFiles(blobs)


async def test_a_file_is_written_once(sealed: SealedFiles, chain: str) -> None:
    name = f"heads/{chain}/1.json"
    assert await sealed.get(name) is None
    assert await sealed.put(name, b"first")
    assert not await sealed.put(name, b"second")
    assert not await sealed.put(name, b"first")
    assert await sealed.get(name) == b"first"


async def test_of_several_who_write_a_file_one_does(sealed: SealedFiles, chain: str) -> None:
    done = await asyncio.gather(*(sealed.put(chain, f"{n}".encode()) for n in range(8)))
    assert sum(done) == 1
    assert await sealed.get(chain) == f"{done.index(True)}".encode()


async def test_files_are_listed_by_the_beginning_of_their_names(sealed: SealedFiles, chain: str) -> None:
    names = [f"{chain}/{part}" for part in ("a/2", "a/1", "b/1")]
    for name in names:
        await sealed.put(name, b"")
    assert await sealed.names(f"{chain}/a/") == [f"{chain}/a/1", f"{chain}/a/2"]
    assert await sealed.names(f"{chain}/") == sorted(names)
    assert await sealed.names(f"{chain}/c") == []


async def test_blob_storage_that_cannot_be_reached_is_our_kind_of_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(clients.BLOB_PATIENCE, "retry_total", 0)
    nowhere = Settings.load({"STORAGE": "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a"})
    async with clients.blob_service(nowhere) as blobs:
        sealed = BlobSealedFiles(blobs)
        for attempt in (sealed.put("x", b""), sealed.get("x"), sealed.names("x")):
            with pytest.raises(UpstreamUnavailable):
                await attempt


async def test_blob_storage_that_refuses_us_says_what_is_missing(storage: str) -> None:
    refused = Settings.load({"STORAGE": storage.replace("AccountKey=", "AccountKey=A")})
    async with clients.blob_service(refused) as blobs:
        with pytest.raises(UpstreamRefused, match="Storage Blob Data Contributor"):
            await BlobSealedFiles(blobs).put("x", b"")
