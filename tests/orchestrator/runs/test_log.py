"""What the one writer of a run makes of storage that fails, or whose answers are lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.runs import log
from orchestrator.runs.log import RunLog
from orchestrator.runs.record import Event, Run
from orchestrator.runs.signals import Signals
from orchestrator.stores.rows import Changed
from orchestrator.stores.runs import MAX_EVENTS, MemoryRunStore

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


class Storage(MemoryRunStore):
    """`trouble` says for each write what becomes of it: stored, not stored, or stored with its answer lost."""

    def __init__(self, *trouble: str) -> None:
        super().__init__()
        self.trouble = list(trouble)

    async def save(self, run: Run, *events: Event) -> Run:
        what = self.trouble.pop(0) if self.trouble else "stored"
        if what == "not stored":
            raise UpstreamUnavailable("Table storage does not answer.")
        saved = await super().save(run, *events)
        if what == "answer lost":
            raise UpstreamUnavailable("Table storage does not answer.")
        return saved


async def served(*trouble: str) -> tuple[RunLog, Storage]:
    store = Storage(*trouble)
    run = Run("run-1", "q", "session-1", NOW, NOW + timedelta(minutes=5), owner="me", attempt=1)
    clock = iter(NOW + timedelta(seconds=n) for n in range(100))
    return RunLog(await store.create(run), store, Signals(), lambda: next(clock)), store


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PAUSE_SECONDS", 0.0)


@pytest.mark.parametrize(
    "trouble",
    [
        ("not stored",),
        ("answer lost",),
        ("not stored", "answer lost"),
        ("answer lost", "not stored"),
        ("stored", "answer lost", "stored", "answer lost"),
    ],
)
async def test_every_event_is_written_once_whatever_storage_answers(trouble: tuple[str, ...]) -> None:
    mine, store = await served(*trouble)
    for number in range(3):
        await mine.tell("working", f"step {number}")
    await mine.end("done", "Answered.")
    assert [event.text for event in await store.events("run-1")] == ["step 0", "step 1", "step 2", "Answered."]
    assert [event.seq for event in await store.events("run-1")] == [1, 2, 3, 4]
    assert (await store.load("run-1")).status == "done"


@pytest.mark.parametrize("trouble", ["not stored", "answer lost"])
@pytest.mark.parametrize("at", range(3))
async def test_more_events_than_one_write_takes_are_all_told_though_one_write_fails(at: int, trouble: str) -> None:
    mine, store = await served(*["stored"] * at, trouble)
    texts = [f"step {number}" for number in range(2 * MAX_EVENTS + 5)]
    run = await mine.write(*(Event(NOW, "working", text) for text in texts), status="waiting_tool")
    assert [event.text for event in await store.events("run-1")] == texts
    assert run.status == (await store.load("run-1")).status == "waiting_tool"


async def test_a_run_that_another_process_took_over_is_left_to_it() -> None:
    mine, store = await served()
    await store.save(replace(await store.load("run-1"), owner="another", attempt=2))
    with pytest.raises(Changed):
        await mine.tell("working", "step")


async def test_storage_that_stays_away_is_told() -> None:
    mine, _ = await served(*["not stored"] * 10)
    with pytest.raises(UpstreamUnavailable):
        await mine.tell("working", "step")
