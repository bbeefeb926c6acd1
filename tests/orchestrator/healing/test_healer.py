"""What a playbook does for an incident, and above all what it does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.incidents.record import RunRef
from orchestrator.policy.reading import BadPolicy, parse
from tests.orchestrator.actions.desk import BEA
from tests.orchestrator.healing.ward import AUTONOMOUS, REVIEW, RULES, RUNTIME, TRANSIENT, Ward
from tests.tools_worker.datafactory.build import make_activity
from tools_worker.datafactory.operations.model import Effect, Plan, Receipt


async def test_a_transient_failure_is_run_again_and_its_factory_looked_at() -> None:
    ward = Ward()
    incident = await ward.night(await ward.struck())
    assert ward.plant.told == ["rerun"]
    assert incident.repair is not None
    assert (incident.repair.over, incident.status) == (True, "acting")
    assert ward.looks == ["adf-prod"]
    assert [entry.what for entry in incident.timeline][:3] == ["repairing", "proposed", "acting"]


async def test_what_fails_again_is_tried_so_often_and_no_more() -> None:
    ward = Ward()
    ward.plant.ends = "Failed"
    begun = ward.now
    incident = await ward.night(await ward.struck())
    assert ward.plant.told == ["rerun", "rerun"]
    assert ward.now - begun >= timedelta(minutes=5)
    assert (incident.status, incident.repair and incident.repair.over) == ("escalated", True)
    assert "failed again after 2 attempts" in incident.timeline[-1].text
    again = await ward.night(incident)  # woken again and again, nothing more is done
    assert (ward.plant.told, again) == (["rerun", "rerun"], incident)


async def test_the_second_attempt_is_of_the_run_that_failed_last() -> None:
    ward = Ward()
    ward.plant.ends = "Failed"
    await ward.night(await ward.struck())
    actions = await ward.store.listed(ward.now - timedelta(days=1))
    assert [each.operation.arguments["run_id"] for each in reversed(actions)] == ["r-1", "new-1"]


@pytest.mark.parametrize("finding", [{"transience": "permanent"}, {"transience": ""}, {"transience": "intermittent"}])
async def test_what_no_playbook_fits_is_left_to_people(finding: dict[str, str]) -> None:
    ward = Ward()
    incident = await ward.night(await ward.struck(**finding))
    assert (ward.plant.told, incident.timeline[-1].what) == ([], "left_to_people")


@pytest.mark.parametrize("changes", [{"kind": "stuck"}, {"diagnosis": {}}, {"status": "resolved"}])
async def test_what_is_no_diagnosed_failure_is_let_alone(changes: dict[str, str]) -> None:
    ward = Ward()
    incident = await ward.night(await ward.struck(**changes))
    assert (ward.plant.told, incident.repair) == ([], None)


async def test_where_healing_is_off_nothing_happens() -> None:
    for healing in (
        "",
        'healing: [{factories: ["*"], mode: "off"}]\n',
        "healing: [{factories: [other], mode: review}]\n",
    ):
        ward = Ward(healing=healing)
        incident = await ward.night(await ward.struck())
        assert (ward.plant.told, incident.repair) == ([], None)


async def test_under_review_people_are_asked_also_where_a_rule_allows_it() -> None:
    ward = Ward(healing=REVIEW)
    incident = await ward.struck()
    await ward.healer.advance(incident.id)
    assert ward.plant.told == []
    (action,) = await ward.store.active()
    assert (action.state, action.terms.approvals, action.terms.roles) == ("waiting", 1, ("operator", "approver"))
    await ward.desk.approve(action.id, BEA, action.plan.digest)
    ended = await ward.night(incident)
    assert (ward.plant.told, ended.repair and ended.repair.over) == (["rerun"], True)


async def test_a_no_of_a_person_ends_it() -> None:
    ward = Ward(healing=REVIEW)
    incident = await ward.struck()
    await ward.healer.advance(incident.id)
    (action,) = await ward.store.active()
    await ward.desk.decline(action.id, BEA, action.plan.digest)
    ended = await ward.night(incident)
    assert (ward.plant.told, ended.status) == ([], "escalated")


async def test_what_the_rules_deny_is_not_done_and_people_hear_of_it() -> None:
    ward = Ward(rules="rules: []\n")
    incident = await ward.night(await ward.struck())
    assert (ward.plant.told, incident.status) == ([], "escalated")
    assert ward.channel.messages[-1].about == incident.id


async def test_what_is_refused_for_now_is_proposed_again_a_little_later() -> None:
    ward = Ward()
    ward.plant.refusal = "Its caller still runs, and may call it again."
    incident = await ward.struck()
    await ward.healer.advance(incident.id)
    ward.due.clear()
    ward.now += timedelta(seconds=10)
    await ward.healer.advance(incident.id)  # sees that it was refused
    ward.plant.refusal = ""
    ended = await ward.night(incident)
    assert (ward.plant.told, ended.repair and ended.repair.over) == (["rerun"], True)


async def test_what_stays_refused_is_given_up() -> None:
    ward = Ward()
    ward.plant.refusal = "Its caller still runs, and may call it again."
    incident = await ward.night(await ward.struck())
    assert (ward.plant.told, incident.status) == ([], "escalated")
    assert "Its caller still runs" in incident.timeline[-1].text


async def test_a_storm_of_many_pipelines_is_not_run_again_at_once() -> None:
    ward = Ward()
    runs = tuple(RunRef(f"r-{number}", f"Load{number}") for number in range(6))
    incident = await ward.night(await ward.struck(runs=runs, pipelines=tuple(ref.pipeline for ref in runs)))
    assert (ward.plant.told, incident.status) == ([], "escalated")


async def test_of_each_pipeline_the_newest_run_is_run_again() -> None:
    ward = Ward()
    runs = (RunRef("r-3", "LoadSales"), RunRef("r-2", "LoadStock"), RunRef("r-1", "LoadSales"))
    await ward.night(await ward.struck(runs=runs, pipelines=("LoadSales", "LoadStock")))
    actions = await ward.store.listed(ward.now - timedelta(days=1))
    assert {each.operation.arguments["run_id"] for each in actions} == {"r-3", "r-2"}


async def test_all_that_failed_again_is_run_again_and_nothing_else() -> None:
    ward = Ward()
    send, sent = ward.plant.send, iter("abcdefgh")

    async def numbered(plan: Plan, now: datetime) -> Receipt:
        return replace(await send(plan, now), id=f"new-{next(sent)}")

    async def ended(factory: object, plan: Plan, receipt: Receipt, now: datetime) -> Effect:
        status = "Succeeded" if receipt.id == "new-a" else "Failed"
        return Effect("done", f"Run {receipt.id} ended {status}.", True, receipt.id, status)

    ward.plant.send, ward.plant.follow = numbered, ended  # type: ignore[method-assign]
    runs = (RunRef("r-3", "LoadSales"), RunRef("r-2", "LoadStock"), RunRef("r-1", "LoadRates"))
    await ward.night(await ward.struck(runs=runs, pipelines=("LoadSales", "LoadStock", "LoadRates")))
    actions = await ward.store.listed(ward.now - timedelta(days=1))
    first, second = {"r-3", "r-2", "r-1"}, {"new-b", "new-c"}
    assert {each.operation.arguments["run_id"] for each in actions} == first | second
    assert len(ward.plant.told) == 5


async def test_where_no_run_is_known_nobody_looks_for_one_for_ever() -> None:
    ward = Ward()
    incident = await ward.night(await ward.struck(runs=()))
    assert (ward.plant.told, incident.status) == ([], "escalated")
    assert [entry.what for entry in incident.timeline].count("proposed") == 0


async def test_a_runtime_is_waited_for_before_anything_is_run_again() -> None:
    ward = Ward(RUNTIME)
    ward.factory.activities = [replace(make_activity(), runtimes=("shir-onprem",))]
    incident = await ward.struck(category="integration_runtime")
    for _ in range(5):
        await ward.healer.advance(incident.id)
        ward.now += timedelta(minutes=2)
    assert ward.plant.told == []
    assert [e.what for e in (await ward.incidents.load(incident.id)).timeline].count("waiting") == 1
    ward.factory.runtime_state = "Online"
    ward.due.clear()
    await ward.night(incident)
    assert ward.plant.told == ["rerun"]


async def test_being_woken_early_makes_no_more_messages() -> None:
    ward = Ward(RUNTIME)
    ward.factory.activities = [replace(make_activity(), runtimes=("shir-onprem",))]
    incident = await ward.struck(category="integration_runtime")
    await ward.healer.advance(incident.id)
    waiting = len(ward.due)
    for _ in range(20):
        await ward.healer.advance(incident.id)
    assert (waiting, len(ward.due)) == (1, 1)


async def test_a_runtime_that_does_not_come_back_is_given_up() -> None:
    ward = Ward(RUNTIME)
    ward.factory.activities = [replace(make_activity(), runtimes=("shir-onprem",))]
    incident = await ward.night(await ward.struck(category="integration_runtime"))
    assert (ward.plant.told, incident.status) == ([], "escalated")
    assert "after 60 minutes still SHIR-OnPrem is offline" in incident.timeline[-1].text


async def test_a_runtime_that_is_not_known_is_nothing_to_wait_for() -> None:
    ward = Ward(RUNTIME)
    incident = await ward.night(await ward.struck(category="integration_runtime"))
    assert (ward.plant.told, incident.status, incident.timeline[-1].what) == ([], "diagnosed", "left_to_people")
    assert ward.channel.messages == []  # nothing was done, so there is nothing new to tell


async def test_a_renamed_column_is_told_as_a_patch_and_nothing_is_changed() -> None:
    ward = Ward("playbooks: [{name: drift, when: {categories: [schema_mapping]}, steps: [{suggest: mapping}]}]")
    told = (
        "Column 'StockLevel' specified in column mapping cannot be found in 'inventory/stock.csv' source file. "
        "Columns found: StoreId, ArticleId, StockLevelQty, CountedAt."
    )
    failed = make_activity()
    ward.factory.activities = [replace(failed, error=replace(failed.error, message=told))]
    mappings = [{"source": {"name": "StoreId"}}, {"source": {"name": "StockLevel"}, "sink": {"name": "stock"}}]
    copy = {"name": "Copy", "type": "Copy", "typeProperties": {"translator": {"mappings": mappings}}}
    ward.factory.definition = {"activities": [copy]}
    incident = await ward.night(await ward.struck(category="schema_mapping"))
    assert (ward.plant.told, incident.timeline[-1].what) == ([], "suggested")
    assert incident.repair is not None
    path = "/activities/0/typeProperties/translator/mappings/1/source/name"
    assert incident.repair.suggestion["patch"] == [
        {"op": "test", "path": path, "value": "StockLevel"},
        {"op": "replace", "path": path, "value": "StockLevelQty"},
    ]


async def test_two_who_advance_it_at_once_run_it_again_once() -> None:
    ward = Ward()
    incident = await ward.struck()
    await asyncio.gather(*(ward.healer.advance(incident.id) for _ in range(4)))
    await ward.night(incident)
    assert ward.plant.told == ["rerun"]


@pytest.mark.parametrize(
    ("playbook", "said"),
    [
        ("{name: x, when: {}, steps: [{rerun: whole}]}", "say for which findings"),
        ("{name: x, when: {transience: [transient]}, steps: [{rerun: whole, suggest: mapping}]}", "does one thing"),
        ("{name: x, when: {transience: [transient]}, steps: [{wait_for: runtime}]}", "minutes"),
        ("{name: x, when: {categories: [netwrok]}, steps: [{rerun: whole}]}", "network"),
    ],
)
def test_a_slip_in_a_playbook_is_told_with_its_line(playbook: str, said: str) -> None:
    with pytest.raises(BadPolicy, match="Line 2") as caught:
        parse(f"playbooks:\n  - {playbook}")
    assert said in str(caught.value)


def test_the_rules_of_the_ward_are_sound() -> None:
    assert parse(RULES + AUTONOMOUS + TRANSIENT).mode_of("adf-prod") == "autonomous"
