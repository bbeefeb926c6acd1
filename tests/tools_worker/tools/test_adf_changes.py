"""Who did what, over a log in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.errors import UpstreamRefused
from tests.tools_worker.datafactory.build import ago, guid, make_run
from tests.tools_worker.tools.asking import ask, prod
from tools_worker.datafactory.client import Found
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import Change, Dataset, Pipeline
from tools_worker.tools.adf_changes import TOOL


def change(id: str, name: str = "LoadSales", by: str = "ada@contoso.example", **other: Any) -> Change:
    given = {"at": ago(hours=8), "operation": "write", "kind": "pipelines", "status": "Succeeded"}
    return Change(id=id, name=name, by=by, **{**given, **other})


async def test_names_who_changed_what_newest_first() -> None:
    log = [change("c1", at=ago(hours=8)), change("c2", "SyncCrm", "bob@contoso.example", at=ago(hours=2))]
    reply = await ask(TOOL, prod(changes=log))
    assert "pipeline SyncCrm was changed by bob at 2026-03-10 06:00 UTC; pipeline LoadSales was changed by ada" in (
        reply.summary
    )
    assert [(each.kind, each.id) for each in reply.evidence] == [("activity_log", "c2"), ("activity_log", "c1")]


async def test_many_saves_within_an_hour_are_one() -> None:
    log = [change(f"c{n}", at=ago(hours=8, minutes=5 * n)) for n in range(10)]
    reply = await ask(TOOL, prod(changes=log))
    assert reply.data["total"] == 1
    assert "10 times within an hour" in reply.summary


async def test_of_a_pipeline_counts_what_it_is_made_of() -> None:
    copy = {"name": "CopySales", "type": "Copy", "inputs": [{"referenceName": "SalesTable"}]}
    world = prod(
        pipelines=[Pipeline("LoadSales", {"activities": [copy]}), "SyncCrm"],
        datasets=[Dataset("SalesTable", linked_service="SqlSales")],
        changes=[change("c1", "SqlSales", kind="linkedservices"), change("c2", "SyncCrm")],
    )
    reply = await ask(TOOL, world, pipeline="loadsales")
    assert [row["name"] for row in reply.data["changes"]] == ["SqlSales"]


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


async def test_names_the_pipeline_of_a_cancelled_run_and_who_cancelled_it() -> None:
    cancel = change("c1", guid(1), kind="pipelineruns", operation="cancel")
    reply = await ask(TOOL, prod(runs=[make_run(1, status="Cancelled")], changes=[cancel]), pipeline="LoadSales")
    assert f"run {guid(1)} of LoadSales was cancelled by ada" in reply.summary


async def test_narrows_to_a_person_and_to_a_resource() -> None:
    log = [change("c1"), change("c2", "SyncCrm", "bob@contoso.example"), change("c3", "Nightly", kind="triggers")]
    by_person = await ask(TOOL, prod(changes=log), person="BOB")
    by_name = await ask(TOOL, prod(changes=log), name="nightly")
    assert [row["name"] for row in by_person.data["changes"]] == ["SyncCrm"]
    assert [row["name"] for row in by_name.data["changes"]] == ["Nightly"]


async def test_a_failed_attempt_is_told_as_such() -> None:
    reply = await ask(TOOL, prod(changes=[change("c1", status="Failed")]))
    assert "failed to be changed by ada" in reply.summary


async def test_what_is_no_deed_is_left_out() -> None:
    reply = await ask(TOOL, prod(changes=[change("c1", operation="querypipelineruns")]))
    assert "shows no change" in reply.summary


async def test_older_than_the_runs_is_still_in_the_log() -> None:
    old = change("c1", at=ago(days=60))
    reply = await ask(TOOL, prod(changes=[old]), since="2026-01-01", until="2026-01-31")
    assert reply.data["total"] == 1


class Closed(MemoryDataFactory):
    async def changes(self, since: datetime, until: datetime | None = None) -> Found[Change]:
        raise UpstreamRefused("Azure refused to show the Activity Log.", hint="Give it Monitoring Reader.")


async def test_one_factory_without_permission_does_not_hide_the_others() -> None:
    reply = await ask(TOOL, prod(changes=[change("c1")]), Closed("adf-closed"))
    assert "LoadSales was changed by ada" in reply.summary
    assert "'adf-closed' could not be asked" in reply.summary
    assert "Monitoring Reader" in reply.summary


async def test_names_who_it_was_without_an_address() -> None:
    reply = await ask(TOOL, prod(changes=[change("c1")]))
    assert "@" not in reply.summary + str(reply.data)
