"""Every store of runs keeps the same promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import clients
from core.errors import NotFound, UpstreamUnavailable
from core.settings import Settings
from orchestrator.runs.record import Event, Run, Session
from orchestrator.stores import run_tables
from orchestrator.stores.rows import Changed, Exists
from orchestrator.stores.run_tables import TableRunStore
from orchestrator.stores.runs import MAX_EVENTS, MemoryRunStore, RunStore

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def make_run(**changes: Any) -> Run:
    run = Run(f"run-{uuid.uuid4().hex}", "Why?", "session-1", NOW, NOW + timedelta(minutes=5))
    return replace(run, **changes)


def event(text: str) -> Event:
    return Event(NOW, "working", text, agent="ops_supervisor", tool="adf_failures", seconds=0.25)


@pytest.fixture(params=["memory", "tables"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[RunStore]:
    if request.param == "memory":
        yield MemoryRunStore()
        return
    settings = Settings.load({"STORAGE": request.getfixturevalue("storage")})
    async with clients.table_service(settings) as tables:
        yield TableRunStore(tables)


pytestmark = pytest.mark.contract


async def test_gives_back_what_was_created(store: RunStore) -> None:
    run = make_run(question="Größe? 🚀 " + "x" * 90_000, evidence=({"kind": "pipeline_run", "id": "1"},))
    stored = await store.create(run, event("Question received."))
    loaded = await store.load(run.id)
    assert loaded == stored
    assert replace(loaded, version="", events=0) == run


async def test_does_not_know_a_run_that_was_never_created(store: RunStore) -> None:
    await store.create(make_run())
    with pytest.raises(NotFound, match="No run 'run-x'"):
        await store.load("run-x")


async def test_numbers_events_and_returns_those_after_a_number(store: RunStore) -> None:
    run = await store.create(make_run(), event("one"))
    run = await store.save(run, event("two"), event("three"))
    assert [(e.seq, e.text) for e in await store.events(run.id, after=1)] == [(2, "two"), (3, "three")]
    assert run.events == 3
    assert (await store.events(run.id))[0] == replace(event("one"), seq=1)


async def test_refuses_to_write_over_what_somebody_else_wrote(store: RunStore) -> None:
    run = await store.create(make_run())
    await store.save(replace(run, status="working"), event("first"))
    with pytest.raises(Changed):
        await store.save(replace(run, status="failed"), event("second"))
    assert (await store.load(run.id)).status == "working"
    assert [e.text for e in await store.events(run.id)] == ["first"]


async def test_a_run_is_created_once(store: RunStore) -> None:
    run = make_run()
    results = await asyncio.gather(*(store.create(run, event("Received.")) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, Run) for result in results) == 1
    assert all(isinstance(result, Run | Exists) for result in results)
    assert len(await store.events(run.id)) == 1


async def test_a_session_that_is_open_stays_as_it_is(store: RunStore) -> None:
    session = Session(f"session-{uuid.uuid4().hex}", NOW)
    await store.open_session(session)
    known = await store.session(session.id)
    await store.open_session(replace(session, conversation="another"))
    assert await store.session(session.id) == known


async def test_takes_many_events_in_one_write(store: RunStore) -> None:
    run = await store.create(make_run())
    saved = await store.save(run, *(event(f"step {number}") for number in range(MAX_EVENTS)))
    assert saved.events == MAX_EVENTS
    assert [e.text for e in await store.events(run.id)] == [f"step {number}" for number in range(MAX_EVENTS)]


async def test_of_many_writers_at_once_one_wins(store: RunStore) -> None:
    run = await store.create(make_run())
    results = await asyncio.gather(*(store.save(replace(run, owner=str(i))) for i in range(8)), return_exceptions=True)
    assert sum(isinstance(result, Run) for result in results) == 1
    assert all(isinstance(result, Run | Changed) for result in results)


async def test_lists_runs_as_active_until_they_are_settled(store: RunStore) -> None:
    run = await store.create(make_run())
    assert run.id in await store.active()
    await store.settle(run.id)
    await store.settle(run.id)
    assert run.id not in await store.active()


async def test_remembers_that_the_answer_was_promised(store: RunStore) -> None:
    run = await store.create(make_run())
    assert not await store.answer_promised(run.id)
    await store.promise_answer(run.id)
    await store.promise_answer(run.id)
    assert await store.answer_promised(run.id)


async def test_remembers_that_whoever_asked_does_not_want_to_be_told(store: RunStore) -> None:
    run = await store.create(make_run())
    assert not await store.withdrawn(run.id)
    await store.withdraw(run.id)
    await store.withdraw(run.id)
    assert await store.withdrawn(run.id)


async def test_remembers_that_somebody_wants_to_cancel(store: RunStore) -> None:
    run = await store.create(make_run())
    assert not await store.cancel_requested(run.id)
    await store.request_cancel(run.id)
    assert await store.cancel_requested(run.id)


async def test_keeps_one_conversation_per_session(store: RunStore) -> None:
    session_id = f"session-{uuid.uuid4().hex}"
    with pytest.raises(NotFound, match="No session"):
        await store.session(session_id)
    await store.open_session(Session(session_id, NOW))
    await store.open_session(Session(session_id, NOW))
    session = await store.session(session_id)
    await store.save_session(replace(session, conversation="thread_1"))
    with pytest.raises(Changed):
        await store.save_session(replace(session, conversation="thread_2"))
    assert (await store.session(session_id)).conversation == "thread_1"


async def test_knows_whether_a_conversation_belongs_to_its_runs_session(store: RunStore) -> None:
    session_id = f"session-{uuid.uuid4().hex}"
    await store.open_session(Session(session_id, NOW))
    await store.save_session(replace(await store.session(session_id), conversation="thread_1"))
    run = await store.create(make_run(session_id=session_id))
    assert await store.conversation_known(run.id, "thread_1")
    assert not await store.conversation_known(run.id, "thread_2")
    assert not await store.conversation_known("run-unknown", "thread_1")


async def test_says_that_storage_does_not_answer() -> None:
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:9/a;"
    async with clients.table_service(Settings.load({"STORAGE": nowhere})) as tables:
        with pytest.raises(UpstreamUnavailable, match="Table storage cannot be reached"):
            await TableRunStore(tables).load("run-1")


async def test_a_run_that_took_long_to_write_is_listed_once_more(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweeper may have missed it twice meanwhile, and have taken it off the list."""
    monkeypatch.setattr(run_tables, "LISTED_SECONDS", 0.0)
    async with clients.table_service(Settings.load({"STORAGE": storage})) as tables:
        store = TableRunStore(tables)
        submit = store._runs.submit_transaction

        async def slowly(*rows: Any, **options: Any) -> Any:
            await store.settle(run.id)
            return await submit(*rows, **options)

        run = make_run()
        monkeypatch.setattr(store._runs, "submit_transaction", slowly)
        await store.create(run)
        assert run.id in await store.active()
