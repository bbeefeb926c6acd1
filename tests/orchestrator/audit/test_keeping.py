"""What is done to the trail from time to time, by any instance, as often as it likes."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from orchestrator.audit.anchors import Anchor
from orchestrator.audit.keeping import Keeper, file_name
from orchestrator.audit.lines import Line, new_chain
from orchestrator.audit.verify import Verifier
from orchestrator.stores.audit import MemoryAuditStore, Row
from orchestrator.stores.sealed import MemorySealedFiles
from tests.orchestrator.audit.build import NOW, exported, make_chain

DAY = timedelta(days=1)


class Place:
    def __init__(self) -> None:
        self.store, self.sealed, self.time = MemoryAuditStore(), MemorySealedFiles(), NOW
        self.keeper = Keeper(self.store, self.sealed, timedelta(days=30), lambda: self.time)

    async def chain(self, count: int, at: datetime) -> list[Line]:
        lines = make_chain(count, new_chain(at))
        await self.store.insert([Row.of(line) for line in lines])
        return lines

    async def anchor(self, line: Line) -> None:
        await self.sealed.put(Anchor.of(line).name, Anchor.of(line).data)


async def test_ends_that_their_processes_did_not_anchor_are_anchored() -> None:
    place = Place()
    dead, living = await place.chain(3, NOW - DAY), await place.chain(5, NOW)
    await place.anchor(living[1])
    assert await place.keeper.anchor() == 2
    assert await place.keeper.anchor() == 0
    assert {Anchor.of(dead[2]).name, Anchor.of(living[4]).name} < set(place.sealed.files)


async def test_chains_whose_end_is_anchored_cost_no_new_one() -> None:
    place = Place()
    await place.anchor((await place.chain(3, NOW))[-1])
    assert await place.keeper.anchor() == 0


async def test_a_last_line_that_cannot_be_read_is_left_to_verify() -> None:
    place = Place()
    (line,) = await place.chain(1, NOW)
    place.store.chains[line.chain]["0000000001"] = Row(line.chain, "0000000001", b"", {})
    assert await place.keeper.anchor() == 0


async def test_a_day_that_is_over_is_exported_a_file_for_each_chain() -> None:
    place = Place()
    first, second = await place.chain(3, NOW - DAY), await place.chain(2, NOW - DAY)
    await place.chain(2, NOW)
    assert await place.keeper.export() == 2
    assert place.sealed.files == {file_name(lines[0].chain): exported(lines) for lines in (first, second)}
    assert file_name(first[0].chain) == f"days/2026-11-20/{first[0].chain}.jsonl"


async def test_what_is_exported_is_sound_by_itself() -> None:
    place = Place()
    lines = await place.chain(3, NOW - DAY)
    await place.keeper.export()
    verifier = Verifier({Anchor.of(lines[-1]).name: Anchor.of(lines[-1]).data})
    verifier.file("day", place.sealed.files[file_name(lines[0].chain)])
    assert verifier.report().findings == ()


@pytest.mark.parametrize(("minutes", "written"), [(29, 0), (31, 1)])
async def test_a_day_is_over_when_it_is_on_every_clock(minutes: int, written: int) -> None:
    place = Place()
    await place.chain(1, NOW)
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    place.time = midnight + timedelta(minutes=minutes)
    assert await place.keeper.export() == written


async def test_days_that_could_not_be_exported_are_later() -> None:
    place = Place()
    for days in (1, 3, 6):
        await place.chain(1, NOW - days * DAY)
    assert await place.keeper.export() == 3


async def test_several_instances_write_each_file_once() -> None:
    place = Place()
    for _ in range(5):
        await place.chain(2, NOW - DAY)
    written = await asyncio.gather(*(place.keeper.export() for _ in range(4)))
    assert sum(written) == 5
    assert await place.keeper.export() == 0


async def test_what_was_kept_long_enough_is_dropped_and_its_file_stays() -> None:
    place = Place()
    old = await place.chain(3, NOW - 31 * DAY)
    young = await place.chain(2, NOW - 30 * DAY)
    assert await place.keeper.drop() == 1
    assert list(place.store.chains) == [young[0].chain]
    assert place.sealed.files == {file_name(old[0].chain): exported(old)}
    assert await place.keeper.drop() == 0


async def test_nothing_is_dropped_that_its_file_does_not_hold() -> None:
    place = Place()
    old = await place.chain(3, NOW - 40 * DAY)
    await place.sealed.put(file_name(old[0].chain), exported(old[:2]))
    assert await place.keeper.drop() == 0
    assert len(place.store.chains[old[0].chain]) == 3


async def test_rows_that_belong_to_no_day_stop_nothing() -> None:
    place = Place()
    place.store.chains["0"] = {"1": Row("0", "1", b"", {})}
    place.store.chains["20261399-000000-000000000000"] = {"1": Row("20261399-000000-000000000000", "1", b"", {})}
    await place.chain(1, NOW - 40 * DAY)
    assert await place.keeper.drop() == 1
