"""The command over Azurite: what processes recorded, exported, tampered with, and found."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient

from core import clients
from core.settings import Settings
from orchestrator.audit.keeping import Keeper
from orchestrator.audit.trail import Audit
from orchestrator.stores.audit_tables import TableAuditStore
from orchestrator.stores.sealed_blobs import BlobSealedFiles
from tests.orchestrator.audit.build import everything, make_entry, make_write

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class World:
    connection: str
    tables: TableServiceClient
    blobs: BlobServiceClient
    day: date

    async def recorded(self, count: int = 3) -> str:
        """By a process of its own, on the day of this test; the last entry is of consequence, and so anchored."""
        noon = datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=UTC)
        before = set(await self.chains())
        audit = Audit(TableAuditStore(self.tables), BlobSealedFiles(self.blobs), lambda: noon)
        for number in range(1, count):
            await audit.record(make_entry(what=f"Question {number}"))
        await audit.record(make_write())
        await audit.close()
        (new,) = set(await self.chains()) - before
        return new

    async def chains(self) -> list[str]:
        rows = await everything(TableAuditStore(self.tables).rows(f"{self.day:%Y%m%d}", f"{self.day:%Y%m%d}~"))
        return sorted({row.chain for row in rows})

    async def said(self, *arguments: str, storage: bool = True) -> tuple[int, list[str]]:
        env = {"PATH": os.environ["PATH"]} | ({"STORAGE": self.connection} if storage else {})
        days = ["--from", self.day.isoformat(), "--until", self.day.isoformat()]
        command = [sys.executable, "-m", "orchestrator.audit", *arguments, *days]
        done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=env, capture_output=True, text=True)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.fixture
async def world(storage: str) -> AsyncIterator[World]:
    settings = Settings.load({"STORAGE": storage})
    day = date.fromordinal(700_000 + uuid.uuid4().int % 35_000)  # long over, and this test's own: storage is shared
    async with clients.table_service(settings) as tables, clients.blob_service(settings) as blobs:
        yield World(storage, tables, blobs, day)


async def test_what_nobody_touched_is_sound(world: World) -> None:
    await world.recorded()
    await world.recorded()
    assert await world.said("verify") == (0, ["6 entries in 2 chains, 2 anchors: nothing was found."])


async def tampered(world: World, chain: str, how: str) -> None:
    """By somebody with every right on the table."""
    table = world.tables.get_table_client("audit")
    rows = [row async for row in table.query_entities(f"PartitionKey eq '{chain}'")]
    place: dict[str, Any] = {"PartitionKey": chain, "RowKey": rows[1]["RowKey"]}
    if how == "edit":
        line = rows[1]["line"].replace(b"Question", b"question")
        await table.update_entity({**place, "line": line}, mode=UpdateMode.MERGE)
    elif how == "hide":
        await table.update_entity({**place, "kind": "incident"}, mode=UpdateMode.MERGE)
    elif how == "remove":
        await table.delete_entity(chain, rows[1]["RowKey"])
    elif how == "swap":
        for row, other in ((rows[0], rows[1]), (rows[1], rows[0])):
            change = {"PartitionKey": chain, "RowKey": row["RowKey"], "line": other["line"]}
            await table.update_entity(change, mode=UpdateMode.MERGE)
    else:
        for row in rows if how == "whole" else rows[-1:]:
            await table.delete_entity(chain, row["RowKey"])


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ("edit", "edited"),
        ("hide", "edited"),
        ("remove", "removed"),
        ("swap", "moved"),
        ("tail", "cut_tail"),
        ("whole", "removed_chain"),
    ],
)
async def test_tampering_with_the_table_is_found(world: World, how: str, fault: str) -> None:
    await world.recorded()
    chain = await world.recorded()
    await tampered(world, chain, how)
    code, lines = await world.said("verify")
    assert code == 1
    assert lines[0].startswith(f"{fault}: {chain}")


async def test_an_export_is_verified_without_storage(world: World, tmp_path: Path) -> None:
    chain = await world.recorded()
    assert await world.said("export", str(tmp_path)) == (0, [f"2 files in {tmp_path}."])
    verify = ("verify", "--export", str(tmp_path / "days"))
    sound = "3 entries in 1 chains, 1 anchors: nothing was found."
    assert await world.said(*verify, "--anchors", str(tmp_path), storage=False) == (0, [sound])
    assert await world.said(*verify) == (0, [sound])  # with the anchors of the container
    code, lines = await world.said(*verify, storage=False)
    assert (code, "no cut tail and no removed chain can be seen" in lines[-1]) == (0, True)
    file = tmp_path / "days" / world.day.isoformat() / f"{chain}.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    code, lines = await world.said(*verify, "--anchors", str(tmp_path), storage=False)
    assert (code, lines[0].split(":")[0]) == (1, "cut_tail")


async def test_exported_days_of_the_container_are_verified(world: World) -> None:
    chain = await world.recorded()
    later = datetime(world.day.year, world.day.month, world.day.day, 12, tzinfo=UTC) + timedelta(days=2)
    keeper = Keeper(TableAuditStore(world.tables), BlobSealedFiles(world.blobs), timedelta(days=365), lambda: later)
    await keeper.sealed.put(f"days/{world.day.isoformat()}/{chain}.jsonl", await keeper.file(chain))
    assert await world.said("verify", "--stored") == (0, ["3 entries in 1 chains, 1 anchors: nothing was found."])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("verify",), "STORAGE"),
        (("verify", "--stored"), "STORAGE"),
        (("verify", "--export", "/nowhere/x.jsonl"), "/nowhere/x.jsonl"),
        (("verify", "--export", ".", "--anchors", "/nowhere"), "/nowhere"),
    ],
)
async def test_what_it_cannot_look_at_is_told(world: World, arguments: tuple[str, ...], told: str) -> None:
    code, lines = await world.said(*arguments, storage=False)
    assert code == 2
    assert told in lines[0]


async def test_processes_record_at_once_and_nothing_of_it_is_lost(world: World) -> None:
    """Processes of their own, killed when their last record returned."""
    script = (
        "import asyncio, os, signal, sys\n"
        "from datetime import datetime, UTC\n"
        "from core import clients\n"
        "from core.settings import Settings\n"
        "from orchestrator.audit.trail import Audit\n"
        "from orchestrator.stores.audit_tables import TableAuditStore\n"
        "from orchestrator.stores.sealed_blobs import BlobSealedFiles\n"
        "from tests.orchestrator.audit.build import make_entry, make_write\n"
        "async def main(day):\n"
        "    settings = Settings.load(os.environ)\n"
        "    store = TableAuditStore(clients.table_service(settings))\n"
        "    sealed = BlobSealedFiles(clients.blob_service(settings))\n"
        "    audit = Audit(store, sealed, lambda: datetime.fromisoformat(day + 'T12:00:00+00:00'))\n"
        "    said = await asyncio.gather(*(audit.record(make_entry(what=str(n))) for n in range(120)))\n"
        "    assert all(said)\n"
        "    await audit.record(make_write())\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main(sys.argv[1]))\n"
    )
    env = {"PATH": os.environ["PATH"], "STORAGE": world.connection}
    command = [sys.executable, "-c", script, world.day.isoformat()]
    running = [await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env) for _ in range(3)]
    assert [await each.wait() for each in running] == [-9] * 3
    assert await world.said("verify") == (0, ["363 entries in 3 chains, 3 anchors: nothing was found."])
