"""What was changed before a pipeline broke, over runs and a log in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.errors import UpstreamUnavailable
from tests.tools_worker.datafactory.build import ago, guid, make_run
from tests.tools_worker.tools.asking import ask, prod
from tests.tools_worker.tools.test_adf_changes import change
from tools_worker.datafactory.client import Found
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import Change, Dataset
from tools_worker.runtime.tools import Evidence
from tools_worker.tools.adf_changes import TOOL


async def test_points_out_the_newest_change_before_it_broke() -> None:
    runs = [make_run(1), make_run(2, start=ago(hours=30), status="Succeeded")]
    log = [change("c0", at=ago(hours=1)), change("c1", at=ago(hours=8)), change("c2", at=ago(hours=40))]
    reply = await ask(TOOL, prod(runs=runs, changes=log), pipeline="LoadSales")
    assert "The newest change before it broke: pipeline LoadSales was changed by ada at 2026-03-10 00:00 UTC" in (
        reply.summary
    )
    assert "1 change since its last good run" in reply.summary
    assert reply.next == [f"adf_diagnose_run run_id={guid(1)} factory=adf-prod"]


async def test_says_that_nothing_was_changed_before_it_broke() -> None:
    runs = [make_run(1), make_run(2, start=ago(hours=30), status="Succeeded")]
    reply = await ask(TOOL, prod(runs=runs, changes=[change("c2", at=ago(hours=40))]), pipeline="LoadSales")
    assert f"Nothing it is made of was changed between its last good run before that ({guid(2)}" in reply.summary


async def test_a_break_after_the_period_is_not_told_of() -> None:
    runs = [make_run(1), make_run(2, start=ago(hours=30), status="Succeeded")]
    world = prod(runs=runs, changes=[change("c1", at=ago(hours=8))])
    reply = await ask(TOOL, world, pipeline="LoadSales", since="2026-03-07", until="2026-03-09T12:00:00Z")
    assert "Nothing it is made of" not in reply.summary
    assert "No failed run of it is known from 2026-03-07" in reply.summary


async def test_what_was_done_while_a_run_failed_counts_though_the_period_ended() -> None:
    runs = [make_run(1, start=ago(hours=10), minutes=180), make_run(2, start=ago(hours=30), status="Succeeded")]
    world = prod(runs=runs, changes=[change("c1", at=ago(hours=8))])
    reply = await ask(TOOL, world, pipeline="LoadSales", since="2026-03-07", until="2026-03-09T23:00:00Z")
    assert "The newest change before it broke: pipeline LoadSales was changed by ada" in reply.summary


async def test_the_log_is_read_back_to_the_last_good_run() -> None:
    runs = [make_run(1, start=ago(hours=5)), make_run(2, start=ago(hours=30), status="Succeeded")]
    reply = await ask(TOOL, prod(runs=runs, changes=[change("c1", at=ago(hours=8))]), pipeline="LoadSales", hours=6)
    assert "The newest change before it broke: pipeline LoadSales was changed by ada" in reply.summary
    assert Evidence("activity_log", "c1", "adf-prod") in reply.evidence
    assert reply.data["total"] == 0


async def test_without_a_good_run_it_says_from_when_on_the_log_was_read() -> None:
    world = prod(runs=[make_run(1, start=ago(hours=5))], changes=[change("c1", at=ago(days=9))])
    reply = await ask(TOOL, world, pipeline="LoadSales", hours=6)
    assert "Nothing it is made of was changed between 2026-03-03 03:00 UTC and its last failed run" in reply.summary
    assert "no good run before it is known" in reply.summary


async def test_the_last_good_run_is_found_behind_many_newer_ones() -> None:
    newer = [make_run(100 + n, start=ago(minutes=30 * n + 5), status="Succeeded") for n in range(60)]
    runs = [make_run(1, start=ago(hours=40)), *newer, make_run(2, start=ago(hours=50), status="Succeeded")]
    reply = await ask(TOOL, prod(runs=runs, changes=[change("c1", at=ago(hours=100))]), pipeline="LoadSales")
    assert f"Nothing it is made of was changed between its last good run before that ({guid(2)}" in reply.summary


async def test_the_runs_it_names_are_evidence() -> None:
    runs = [make_run(1), make_run(2, start=ago(hours=30), status="Succeeded")]
    reply = await ask(TOOL, prod(runs=runs, changes=[]), pipeline="LoadSales")
    assert [each.id for each in reply.evidence] == [guid(1), guid(2)]


class Short(MemoryDataFactory):
    async def changes(self, since: datetime, until: datetime | None = None) -> Found[Change]:
        return Found((await super().changes(since, until)).items, complete=False)


async def test_a_log_that_is_not_read_to_its_end_proves_nothing() -> None:
    runs = [make_run(1), make_run(2, start=ago(hours=30), status="Succeeded")]
    reply = await ask(TOOL, Short("adf-prod", pipelines=["LoadSales"], runs=runs), pipeline="LoadSales")
    assert "Nothing it is made of was changed" not in reply.summary
    assert "No change of what it is made of was found between" in reply.summary
    assert "as far as it could be read" in reply.summary
    assert reply.data["exact"] is False


class Undefined(MemoryDataFactory):
    async def datasets(self) -> Sequence[Dataset]:
        raise UpstreamUnavailable("Azure did not answer.")


async def test_parts_that_could_not_be_read_are_told() -> None:
    runs = [make_run(1), make_run(2, start=ago(hours=30), status="Succeeded")]
    reply = await ask(TOOL, Undefined("adf-prod", pipelines=["LoadSales"], runs=runs), pipeline="LoadSales")
    assert "Nothing it is made of was changed" not in reply.summary
    assert "Not all that it is made of is known, without the factory's datasets" in reply.summary
    assert reply.data["exact"] is False
