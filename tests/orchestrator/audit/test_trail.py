"""How a process records: in one chain, in order, and what becomes of it while storage is in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.audit import anchoring, trail
from orchestrator.audit.lines import GENESIS, day_of, read, write
from orchestrator.audit.record import Entry, plain
from orchestrator.audit.trail import Audit, Standing
from orchestrator.audit.verify import Report, Verifier
from orchestrator.stores.audit import MemoryAuditStore, Row
from tests.orchestrator.audit.build import NOW, TroubledFiles, TroubledStore, make_entry, make_write


class Bench:
    """A trail over a store that fails as told, and what was kept of it."""

    def __init__(self, *words: str, files: tuple[str, ...] = (), **more: Any) -> None:
        self.store, self.sealed, self.time = TroubledStore(*words), TroubledFiles(*files), NOW
        self.audit = Audit(self.store, self.sealed, lambda: self.time, **more)

    async def told(self) -> list[str]:
        return [str(read(line).entry["what"]) for line in await self.store.lines()]

    def report(self) -> Report:
        verifier = Verifier(self.sealed.files)
        for chain in self.store.chains.values():
            for row in chain.values():
                verifier.row(row)
        return verifier.report()


def questions(*texts: object) -> list[Entry]:
    return [make_entry(what=str(text)) for text in texts]


async def test_what_is_recorded_at_once_stands_in_one_chain_in_order() -> None:
    bench = Bench()
    stored = await asyncio.gather(*(bench.audit.record(*questions(n)) for n in range(300)))
    assert all(stored)
    assert await bench.told() == [str(n) for n in range(300)]
    assert len(bench.store.chains) == 1
    assert len(bench.store.inserts) < 8
    assert max(bench.store.inserts) <= 100
    assert bench.report().findings == ()


async def test_a_run_with_very_many_calls_is_recorded_in_several_batches() -> None:
    bench = Bench()
    assert await bench.audit.record(*questions(*range(250)))
    assert await bench.told() == [str(n) for n in range(250)]


async def test_batches_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MAX_BYTES", 1500)
    bench = Bench()
    assert await bench.audit.record(*questions(1, 2, 3))
    assert bench.store.inserts == [2, 1]


@pytest.mark.parametrize("words", ["lose", "lose refuse", "lose lose lose", "refuse lose refuse", "refuse refuse lose"])
async def test_a_question_waits_for_storage_to_come_back_and_is_there_once(words: str) -> None:
    bench = Bench(*words.split())
    stored = [await bench.audit.record(*questions(n)) for n in range(5)]
    assert (stored[0], stored[-1]) == (False, True)
    assert sorted(await bench.told()) == ["0", "1", "2", "3", "4"]
    assert bench.audit.standing.waiting == 0
    assert bench.report().findings == ()


@pytest.mark.parametrize("kind", ["decision", "approval", "write"])
@pytest.mark.parametrize("word", ["lose", "refuse"])
async def test_what_is_of_consequence_is_stored_or_it_raises(kind: Any, word: str) -> None:
    bench = Bench(word)
    with pytest.raises(UpstreamUnavailable):
        await bench.audit.record(make_entry(kind=kind))
    assert bench.audit.standing.waiting == 0
    assert await bench.audit.record(make_entry(kind=kind, what="again"))
    assert await bench.told() == (["What failed?", "again"] if word == "lose" else ["again"])
    assert bench.report().findings == ()


async def test_a_question_beside_a_write_shares_its_fate() -> None:
    bench = Bench("refuse")
    with pytest.raises(UpstreamUnavailable):
        await bench.audit.record(make_entry(), make_write())
    assert bench.audit.standing.waiting == 0


async def test_an_answer_lost_twice_over_forks_nothing() -> None:
    """The first batch went in, of which we heard nothing; the second began at the same row."""
    bench = Bench("lose", "lose", "refuse")
    for n in range(6):
        await bench.audit.record(*questions(n))
    assert sorted(await bench.told()) == ["0", "1", "2", "3", "4", "5"]


class LateStore(MemoryAuditStore):
    """The first insert goes in only when the second is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[Row] = []
        self.calls = 0

    async def insert(self, rows: Sequence[Row]) -> None:
        self.calls += 1
        if self.calls == 1:
            self.late = list(rows)
            raise UpstreamUnavailable("No answer.")
        if self.calls == 2:
            await super().insert(self.late)
        await super().insert(rows)


async def test_an_insert_that_arrives_late_is_known_as_ours() -> None:
    store = LateStore()
    audit = Audit(store, None, lambda: NOW)
    with pytest.raises(UpstreamUnavailable):
        await audit.record(make_write(what="given up"))
    assert await audit.record(make_write(what="the next"))
    assert [read(row.line).entry["what"] async for row in store.rows()] == ["given up", "the next"]
    assert audit.standing.taken == 0


async def test_what_was_kept_is_tried_again_without_anybody_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench("refuse", "refuse")
    monkeypatch.setattr(bench.audit, "_pause_seconds", 0.0)
    monkeypatch.setattr(trail, "LONGEST_PAUSE_SECONDS", 0.0)
    assert not await bench.audit.record(*questions(1))
    async with asyncio.timeout(10):
        while bench.audit.standing.waiting or bench.store.inserts != [1, 1, 1]:
            await asyncio.sleep(0)
    assert await bench.told() == ["1"]


async def test_what_is_found_to_be_there_is_not_kept_any_longer() -> None:
    """The second try is refused by what went in at the first; then the new entry alone does not go in."""
    bench = Bench("lose", "", "refuse")
    for n in range(2):
        assert not await bench.audit.record(*questions(n))
    assert bench.audit.standing.waiting == 1
    await bench.audit.close()


async def test_what_cannot_be_kept_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MAX_KEPT", 3)
    bench = Bench(*["refuse"] * 2)
    assert not await bench.audit.record(*questions(1, 2))
    assert not await bench.audit.record(*questions(3, 4))
    assert (bench.audit.standing.waiting, bench.audit.standing.lost) == (3, 1)
    await bench.audit.record(*questions(5))
    assert len(await bench.told()) == 4


async def test_what_somebody_waits_for_is_not_held_up_by_what_was_kept() -> None:
    bench = Bench("refuse", "refuse")
    await bench.audit.record(*questions(*range(90)))
    with pytest.raises(UpstreamUnavailable):
        await bench.audit.record(make_write())
    assert bench.store.inserts == [90, 90]


async def test_a_store_that_never_answers_raises_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "ATTEMPT_SECONDS", 0.01)

    class Silent(MemoryAuditStore):
        async def insert(self, rows: Sequence[Row]) -> None:
            await asyncio.Event().wait()

    with pytest.raises(UpstreamUnavailable):
        await Audit(Silent(), None, lambda: NOW).record(make_write())


@pytest.mark.parametrize("kind", ["write", "question"])
async def test_a_bug_reaches_who_must_record_and_stops_nobody_else(kind: Any) -> None:
    bench = Bench()

    async def broken(rows: Sequence[Row]) -> None:
        bench.store.insert = working  # type: ignore[method-assign]
        raise RuntimeError("a bug")

    working = bench.store.insert
    bench.store.insert = broken  # type: ignore[method-assign]
    if kind == "write":
        with pytest.raises(RuntimeError):
            await bench.audit.record(make_write())
    else:
        assert not await bench.audit.record(make_entry())
    assert await bench.audit.record(*questions("next"))
    assert bench.audit.standing.lost == (kind == "question")


async def test_a_caller_that_goes_away_takes_nothing_with_it() -> None:
    bench = Bench()
    going = asyncio.create_task(bench.audit.record(*questions("asked")))
    await asyncio.sleep(0)
    going.cancel()
    assert await bench.audit.record(*questions("next"))
    assert await bench.told() == ["asked", "next"]


async def test_a_new_day_is_a_new_chain() -> None:
    bench = Bench()
    for hours in (0, 1, 24, 25):
        bench.time = NOW + timedelta(hours=hours)
        await bench.audit.record(*questions(hours))
    assert [len(rows) for _, rows in sorted(bench.store.chains.items())] == [2, 2]
    assert {day_of(chain).day for chain in bench.store.chains} == {21, 22}
    assert bench.report().findings == ()


async def test_a_clock_that_jumps_breaks_no_chain() -> None:
    bench = Bench()
    for hours in (0, 30, 1, -40, 2):
        bench.time = NOW + timedelta(hours=hours)
        await bench.audit.record(make_write(what=str(hours)))
    report = bench.report()
    assert (report.entries, report.findings, report.unproven) == (5, (), 0)


async def test_a_chain_that_somebody_else_wrote_into_is_left_and_told_of() -> None:
    bench = Bench()
    await bench.audit.record(*questions("first"))
    (chain,) = bench.store.chains
    last = read((await bench.store.lines())[-1])
    forged = write(chain, 2, last.hash, plain(make_write(what="forged")))
    await bench.store.insert([Row.of(forged)])
    assert await bench.audit.record(make_write(what="mine"))
    assert bench.audit.standing.taken == 1
    new = [read(row.line).entry for name, rows in bench.store.chains.items() if name != chain for row in rows.values()]
    assert [entry["what"] for entry in new][1:] == ["mine"]
    assert (new[0]["kind"], new[0]["subject"]) == ("incident", chain)


async def test_processes_never_wait_for_each_other_and_never_share_a_chain() -> None:
    store, sealed = MemoryAuditStore(), TroubledFiles()
    several = [Audit(store, sealed, lambda: NOW) for _ in range(4)]
    await asyncio.gather(*(each.record(*questions(n)) for n in range(50) for each in several))
    verifier = Verifier(sealed.files)
    for rows in store.chains.values():
        for row in rows.values():
            verifier.row(row)
    report = verifier.report()
    assert (report.chains, report.entries, report.findings) == (4, 200, ())


async def test_what_is_of_consequence_is_anchored_when_record_returns() -> None:
    bench = Bench()
    await bench.audit.record(*questions(1))
    assert bench.sealed.files == {}
    await bench.audit.record(make_write())
    assert len(bench.sealed.files) == 1
    assert bench.report().unproven == 0


async def test_all_else_is_anchored_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchoring, "ANCHOR_SECONDS", 0.0)
    bench = Bench()
    await bench.audit.record(*questions(1, 2))
    assert bench.audit.standing.unanchored == 1
    async with asyncio.timeout(10):
        while bench.audit.standing.unanchored:
            await asyncio.sleep(0)
    assert bench.report().unproven == 0


async def test_an_anchor_that_fails_keeps_no_action_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(files=("refuse", "lose"))
    assert await bench.audit.record(make_write())
    assert bench.audit.standing.unanchored == 1
    await bench.audit.anchor()  # its answer is lost
    await bench.audit.anchor()  # and it is found to be there
    assert bench.audit.standing == Standing()
    await bench.audit.close()


async def test_what_is_recorded_while_an_anchor_is_written_is_anchored_too() -> None:
    bench, began, go_on = Bench(), asyncio.Event(), asyncio.Event()
    put = bench.sealed.put

    async def slow(name: str, data: bytes) -> bool:
        began.set()
        await go_on.wait()
        return await put(name, data)

    bench.sealed.put = slow  # type: ignore[method-assign]
    await bench.audit.record(*questions(1))
    anchoring = asyncio.create_task(bench.audit.anchor())
    await began.wait()
    await bench.audit.record(*questions(2))
    go_on.set()
    await anchoring
    assert bench.audit.standing.unanchored == 1
    await bench.audit.anchor()
    assert bench.report().unproven == 0


async def test_anchors_that_do_not_answer_are_waited_for_once() -> None:
    bench = Bench(files=("refuse", "refuse", "refuse"))
    for _ in range(3):
        await bench.audit.record(make_write())
    assert len(bench.sealed.trouble.words) == 2
    await bench.audit.close()


async def test_whatever_befalls_an_anchor_the_entry_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchoring, "ATTEMPT_SECONDS", 0.01)

    async def never(name: str, data: bytes) -> bool:
        return await asyncio.Event().wait()

    async def broken(name: str, data: bytes) -> bool:
        raise RuntimeError("a bug")

    for put in (never, broken):
        bench = Bench()
        bench.sealed.put = put  # type: ignore[method-assign]
        assert await bench.audit.record(make_write())
        assert bench.audit.standing.unanchored == 1


async def test_an_anchor_that_says_something_else_is_told_of() -> None:
    bench = Bench()
    await bench.audit.record(*questions(1))
    (chain,) = bench.store.chains
    await bench.sealed.put(f"heads/2026-11-21/{chain}/0000000001.json", b"{}")
    await bench.audit.anchor()
    assert bench.audit.standing.disputed == 1


async def test_without_a_blob_service_nothing_waits_for_anchors() -> None:
    audit = Audit(MemoryAuditStore(), None, lambda: NOW)
    assert await audit.record(make_write())
    assert audit.standing == Standing()


async def test_what_the_trail_says_of_itself_stands_in_front_and_is_not_lost() -> None:
    told = iter([[make_entry(kind="configuration", what="policy")]])

    def notes(now: datetime) -> Sequence[Entry]:
        return next(told, [])

    bench = Bench("refuse", notes=notes)
    with pytest.raises(UpstreamUnavailable):
        await bench.audit.record(make_write(what="one"))
    await bench.audit.record(make_write(what="two"))
    assert sorted(await bench.told()) == ["policy", "two"]
    assert read((await bench.store.lines())[0]).previous == GENESIS


async def test_nothing_recorded_is_nothing_stored() -> None:
    bench = Bench()
    assert await bench.audit.record()
    assert bench.store.chains == {}
