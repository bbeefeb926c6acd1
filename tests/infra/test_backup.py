"""Everything is lost and comes back: the app's records out of one emulator, and into another one that is empty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.data.tables import EdmType, EntityProperty
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient

from core import clients
from core.errors import NotFound
from core.settings import Settings
from infra.backup import entities, manifest, saving
from infra.backup.restoring import NotEmpty, Restored, Target, restore
from infra.backup.saving import TABLES, Source, save
from localcloud import azurite
from orchestrator.agents import roster
from orchestrator.agents.lifecycle import Agents
from orchestrator.audit import checking
from orchestrator.audit.trail import Audit
from orchestrator.audit.verify import Report
from orchestrator.runs.conductor import Conductor
from orchestrator.runs.record import Event, Run, Session
from orchestrator.runs.signals import Signals
from orchestrator.stores.action_tables import TableActionStore
from orchestrator.stores.audit_tables import TableAuditStore
from orchestrator.stores.incident_tables import TableIncidentStore
from orchestrator.stores.run_tables import TableRunStore
from orchestrator.stores.scope_tables import TableScopeStore
from orchestrator.stores.sealed_blobs import BlobSealedFiles
from orchestrator.sweeper import Sweeper
from tests.infra.test_names import NAMES
from tests.orchestrator.audit.build import make_write
from tests.orchestrator.scripted_service import ScriptedService
from tests.orchestrator.stores.test_action_store import make_action
from tests.orchestrator.stores.test_incident_store import make_incident
from tests.orchestrator.test_sweeper import SentRuns

pytestmark = pytest.mark.xdist_group("backup")  # two emulators of their own
ROOT = Path(__file__).resolve().parents[2]
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class Storage:
    tables: TableServiceClient
    blobs: BlobServiceClient
    connection: str

    @property
    def runs(self) -> TableRunStore:
        return TableRunStore(self.tables)

    @property
    def sealed(self) -> BlobSealedFiles:
        return BlobSealedFiles(self.blobs)

    async def report(self) -> Report:
        return (await checking.table(TableAuditStore(self.tables), self.sealed, date.min, date.max))[0]

    async def saved(self, folder: Path) -> manifest.Manifest:
        return await save(Source(self.tables, self.blobs, lambda: datetime.now(UTC)), folder)

    async def restored(self, folder: Path, *, go_on: bool = False) -> Restored:
        return await restore(Target(self.tables, self.blobs), folder, go_on=go_on)

    def audit(self) -> Audit:
        return Audit(TableAuditStore(self.tables), self.sealed, lambda: datetime.now(UTC))

    async def emptied(self) -> None:
        for table in [each.name async for each in self.tables.list_tables()]:
            await self.tables.delete_table(table)
        container = self.blobs.get_container_client("audit")
        if await container.exists():
            async for name in container.list_blob_names():
                await container.delete_blob(name)


@asynccontextmanager
async def at(connection: str) -> AsyncIterator[Storage]:
    settings = Settings.load({"STORAGE": connection})
    async with clients.table_service(settings) as tables, clients.blob_service(settings) as blobs:
        yield Storage(tables, blobs, connection)


@pytest.fixture(scope="module")
def emulators() -> Iterator[tuple[str, str]]:
    """Two: what is lost is lost."""
    with azurite.running() as one, azurite.running() as other:
        yield one.connection_string, other.connection_string


@pytest.fixture
async def source(emulators: tuple[str, str]) -> AsyncIterator[Storage]:
    async with at(emulators[0]) as storage:
        await storage.emptied()
        yield storage


@pytest.fixture
async def target(emulators: tuple[str, str]) -> AsyncIterator[Storage]:
    async with at(emulators[1]) as storage:
        await storage.emptied()
        yield storage


def a_run(**changes: Any) -> Run:
    asked = NOW - timedelta(minutes=10)
    return replace(Run(f"run-{uuid4().hex}", "Why? " + "ä" * 40_000, "session-1", asked, NOW), **changes)


@dataclass
class Life:
    """What an app has on record."""

    answered: Run
    under_way: Run
    incident: Any
    action: Any


async def lived(storage: Storage) -> Life:
    await storage.runs.open_session(Session("session-1", NOW, conversation="thread_7"))
    event = Event(NOW, "working", "Asked.", agent="ops_supervisor")
    answered = await storage.runs.create(a_run(status="done", ended_at=NOW, answer="It failed."), event)
    await storage.runs.settle(answered.id)
    working = a_run(status="working", owner="p", heartbeat_at=NOW - timedelta(minutes=9), attempt=1)
    under_way = await storage.runs.create(working, event)
    incidents, scopes = TableIncidentStore(storage.tables), TableScopeStore(storage.tables)
    incident = await incidents.create(make_incident())
    await incidents.hold(await incidents.holder(incident.cause), incident.id)
    action = await TableActionStore(storage.tables).create(make_action())
    await scopes.want("adf-prod")
    audit = storage.audit()
    await audit.record(*(make_write(subject=action.id, what=str(number)) for number in range(130)))
    await audit.close()
    return Life(answered, under_way, incident, action)


async def test_everything_that_is_lost_comes_back(source: Storage, target: Storage, tmp_path: Path) -> None:
    life = await lived(source)
    before, watched = await source.report(), await TableScopeStore(source.tables).all()
    copy = await source.saved(tmp_path / "copy")
    await source.emptied()
    done = await target.restored(tmp_path / "copy")
    assert (done.put, done.there) == (sum(copy.rows.values()), 0)
    assert replace(await target.runs.load(life.answered.id), version="") == replace(life.answered, version="")
    assert [event.text for event in await target.runs.events(life.answered.id)] == ["Asked."]
    assert (await target.runs.session("session-1")).conversation == "thread_7"
    incidents = TableIncidentStore(target.tables)
    assert replace(await incidents.load(life.incident.id), version="") == replace(life.incident, version="")
    assert (await incidents.holder(life.incident.cause)).incident_id == life.incident.id
    action = await TableActionStore(target.tables).load(life.action.id)
    assert replace(action, version="") == replace(life.action, version="")
    scopes = await TableScopeStore(target.tables).all()
    assert [replace(each, version="") for each in scopes] == [replace(each, version="") for each in watched]
    assert [each.name for each in watched] == ["adf-prod"]
    assert await target.report() == before
    assert (before.entries, before.findings) == (130, ())
    assert before.anchors >= 1


async def test_what_was_under_way_is_found_by_the_sweeper_and_ends(
    source: Storage, target: Storage, tmp_path: Path
) -> None:
    life = await lived(source)
    await source.saved(tmp_path / "copy")
    done = await target.restored(tmp_path / "copy")
    assert done.under_way == [life.under_way.id] == await target.runs.active()
    service = ScriptedService()
    agents = Agents(service, roster.supervisor("m", "http://queues", ""))

    def now() -> datetime:
        return NOW + timedelta(hours=3)

    conductor = Conductor(target.runs, service, agents, Signals(), now, heartbeat_seconds=0.1)
    counts = await Sweeper(target.runs, service, agents, conductor, SentRuns(), None, now).runs()
    assert counts == {"expired": 1}
    assert (await target.runs.load(life.under_way.id)).status == "expired"


async def test_what_may_have_been_sent_since_the_copy_is_looked_up_and_not_sent_again(
    source: Storage, target: Storage, tmp_path: Path
) -> None:
    actions, now = TableActionStore(source.tables), datetime.now(UTC)
    wanted = await actions.create(make_action(now, state="queued", owner="p", owned_until=now + timedelta(minutes=5)))
    resumes = await actions.create(make_action(now, state="queued", follows=wanted.id))
    copy = await source.saved(tmp_path / "copy")
    done = await target.restored(tmp_path / "copy")
    back = TableActionStore(target.tables)
    found = await back.load(wanted.id)
    assert (found.state, found.sent_at, found.owner, found.owned_until) == (
        "sending",
        datetime.fromisoformat(copy.begun_at),
        "",
        None,
    )
    assert found.timeline[-1].what == "unsure"
    assert replace(await back.load(resumes.id), version="") == replace(resumes, version="")
    assert (done.put, done.unsure) == (sum(copy.rows.values()), 1)


async def test_an_app_that_works_on_spoils_no_copy(
    source: Storage, target: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(source)
    audit = source.audit()
    table = saving._table

    async def meanwhile(tables: TableServiceClient, name: str, path: Path) -> int:
        await audit.record(make_write(what=f"before {name} is copied"))  # and its anchor
        count = await table(tables, name, path)
        await audit.record(make_write(what=f"after {name} was copied"))
        return count

    monkeypatch.setattr(saving, "_table", meanwhile)
    await source.saved(tmp_path / "copy")
    await audit.close()
    await target.restored(tmp_path / "copy")
    report = await target.report()
    assert (report.entries, report.findings) == (130 + 2 * len(TABLES) - 1, ())


def test_every_table_is_copied_or_known_to_be_left_out() -> None:
    assert set(NAMES["tables"]) - set(TABLES) == {"toolanswers", "activeruns"}
    assert TABLES.index("scopes") < TABLES.index("incidents") < TABLES.index("causes") < TABLES.index("actions")
    assert TABLES.index("runs") < TABLES.index("sessions")
    assert TABLES[-1] == "audit"


async def test_nothing_is_written_over_what_is_there(source: Storage, target: Storage, tmp_path: Path) -> None:
    await lived(source)
    await source.saved(tmp_path / "copy")
    await target.runs.open_session(Session("session-1", NOW, conversation="another"))
    with pytest.raises(NotEmpty, match="'sessions' holds rows"):
        await target.restored(tmp_path / "copy")
    assert (await target.runs.session("session-1")).conversation == "another"


async def test_a_restore_that_was_broken_off_is_finished(source: Storage, target: Storage, tmp_path: Path) -> None:
    life = await lived(source)
    await source.saved(tmp_path / "copy")
    whole = await target.restored(tmp_path / "copy")
    await target.tables.get_table_client("incidents").delete_entity(*await _first(target, "incidents"))
    again = await target.restored(tmp_path / "copy", go_on=True)
    assert (again.put, again.there) == (1, whole.put + whole.files - 1)
    assert await TableIncidentStore(target.tables).load(life.incident.id)


async def test_an_anchor_that_differs_is_not_replaced(source: Storage, target: Storage, tmp_path: Path) -> None:
    await lived(source)
    copy = await source.saved(tmp_path / "copy")
    anchor = next(name for name in copy.files if "/heads/" in name)
    await target.sealed.put(anchor.removeprefix("blobs/audit/"), b"{}")
    with pytest.raises(NotEmpty, match="holds something else"):
        await target.restored(tmp_path / "copy", go_on=True)


async def _first(storage: Storage, table: str) -> tuple[str, str]:
    async for row in storage.tables.get_table_client(table).list_entities():
        return row["PartitionKey"], row["RowKey"]
    raise AssertionError(f"{table} is empty")


def spoil(copy: Path, how: str) -> str:
    """What is said of it."""
    if how == "unfinished":
        (copy / manifest.NAME).unlink()
        return "no finished copy"
    if how == "changed":
        path = copy / "tables" / "runs.jsonl"
        path.write_bytes(path.read_bytes().replace(b"done", b"dona", 1))
        return "runs.jsonl is not what was saved"
    if how == "missing":
        (copy / "tables" / "audit.jsonl").unlink()
        return "audit.jsonl is missing"
    path = copy / manifest.NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 9}))
    return "format 9"


@pytest.mark.parametrize("how", ["unfinished", "changed", "missing", "newer"])
async def test_a_spoilt_copy_is_not_put_back(how: str, source: Storage, target: Storage, tmp_path: Path) -> None:
    await lived(source)
    await source.saved(tmp_path / "copy")
    said = spoil(tmp_path / "copy", how)
    with pytest.raises(manifest.Spoilt, match=said):
        await target.restored(tmp_path / "copy")
    assert await target.runs.active() == []


def test_a_row_keeps_its_types() -> None:
    row = {
        "PartitionKey": "p",
        "RowKey": "r",
        "text": "ä\n{}",
        "yes": True,
        "number": 7,
        "share": 0.25,
        "body": b"\x00\xff",
        "at": NOW,
        "id": uuid4(),
    }
    assert entities.entity(entities.line(row)) == row
    wide = {"PartitionKey": "p", "RowKey": "r", "wide": EntityProperty(2**40, EdmType.INT64)}
    assert entities.entity(entities.line(wide)) == wide


async def test_what_a_standby_wrote_makes_room_and_its_trail_stays(
    source: Storage, target: Storage, tmp_path: Path
) -> None:
    life, other = await lived(source), await lived(target)
    copy = tmp_path / "copy"
    await source.saved(copy)
    wrong = command(target.connection, "restore", copy, "--replace", "another")
    assert (wrong.returncode, "nothing was taken away" in wrong.stderr) == (2, True)
    assert await target.runs.load(other.answered.id)

    done = command(target.connection, "restore", copy, "--replace", azurite.ACCOUNT)
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(NotFound):
        await target.runs.load(other.answered.id)
    assert await target.runs.active() == [life.under_way.id]
    incidents = await TableIncidentStore(target.tables).active()
    assert [each.id for each in incidents] == [life.incident.id]
    report = await target.report()
    assert (report.chains, report.entries, report.findings) == (2, 260, ())


async def test_a_spoilt_copy_takes_nothing_away(source: Storage, target: Storage, tmp_path: Path) -> None:
    await lived(source)
    other = await lived(target)
    await source.saved(tmp_path / "copy")
    spoil(tmp_path / "copy", "changed")
    done = command(target.connection, "restore", tmp_path / "copy", "--replace", azurite.ACCOUNT)
    assert (done.returncode, "is not what was saved" in done.stderr) == (2, True)
    assert await target.runs.load(other.answered.id)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"PartitionKey": "p"}', '{"PartitionKey": {"odd": "1"}}'])
def test_a_line_that_is_no_row_is_told(text: str) -> None:
    with pytest.raises(entities.Unreadable):
        entities.entity(text)


def command(connection: str, *words: object) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "STORAGE": connection}
    line = [sys.executable, "-m", "infra.backup", *map(str, words)]
    return subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


async def test_the_command_saves_checks_and_puts_back(source: Storage, target: Storage, tmp_path: Path) -> None:
    await lived(source)
    copy = tmp_path / "copy"
    saved = command(source.connection, "save", copy)
    assert (saved.returncode, saved.stderr) == (0, "")
    assert "rows of 9 tables and" in saved.stdout
    assert copy.stat().st_mode & 0o077 == 0  # nobody else reads what was asked and answered
    assert command("", "check", copy).returncode == 0
    done = command(target.connection, "restore", copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 runs were under way" in done.stdout
    refused = command(target.connection, "restore", copy)
    assert (refused.returncode, "storage that is empty" in refused.stderr) == (2, True)
    assert (command(source.connection, "save", copy).returncode, command("x", "save", "y").returncode) == (2, 2)
