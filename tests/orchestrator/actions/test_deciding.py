"""Who may say yes, to what, until when; and that every other yes counts for nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import Conflict, InvalidArguments, NotFound, NotPermitted, UpstreamUnavailable
from orchestrator.actions.proposing import Origin
from orchestrator.actions.record import Action, Approval
from orchestrator.incidents.record import Incident
from tests.orchestrator.actions.desk import (
    ALLOW,
    ANA,
    ANA_DECIDES,
    ASK,
    BEA,
    CLEO,
    DAN_READS,
    FACTORY,
    KEY,
    OPERATION,
    PAGE,
    Afternoon,
)
from tools_worker.datafactory.operations.model import Operation

TWO = ASK.replace("approvals: 1", "approvals: 2")


async def waiting(policy: str = ASK) -> tuple[Afternoon, Action]:
    desk = Afternoon(policy)
    action = await desk.proposed()
    assert (action.state, desk.plant.told) == ("waiting", [])
    return desk, action


async def test_people_are_asked_once_with_a_link_to_the_page() -> None:
    desk, action = await waiting()
    await desk.telling.ask(await desk.action(action))
    (message,) = desk.channel.messages
    assert message.card["actions"][0]["url"] == PAGE + action.id
    assert "LoadSales runs again." in message.text


async def test_a_yes_lets_it_be_done() -> None:
    desk, action = await waiting()
    approved = await desk.desk.approve(action.id, BEA, action.plan.digest, "Go ahead.")
    assert approved.state == "queued"
    await desk.worked()
    assert desk.plant.told == ["rerun"]


async def test_a_yes_works_once() -> None:
    desk, action = await waiting()
    await desk.desk.approve(action.id, BEA, action.plan.digest)
    await desk.worked()
    with pytest.raises(Conflict, match="done already"):
        await desk.desk.approve(action.id, CLEO, action.plan.digest)
    desk.messages = [(desk.now, action.id)] * 3  # the message comes again and again
    await desk.worked()
    assert desk.plant.told == ["rerun"]


async def test_a_yes_to_something_else_does_not_count() -> None:
    desk, action = await waiting()
    other = await desk.proposed(key="other", why="another one")
    changed = replace(action.plan, facts={"status of run r-1": "Cancelled"})
    for digest in (changed.digest, "", "0" * 64):
        with pytest.raises(Conflict, match="not what you were shown"):
            await desk.desk.approve(action.id, BEA, digest)
    assert other.plan.digest == action.plan.digest  # the same thing, but another action
    await desk.desk.approve(other.id, BEA, other.plan.digest)
    assert (await desk.action(action)).state == "waiting"


async def test_arguments_that_were_changed_on_the_record_are_not_what_was_approved() -> None:
    desk, action = await waiting()
    await desk.desk.approve(action.id, BEA, action.plan.digest)
    known = await desk.action(action)
    given = {"run_id": "r-2", "mode": "whole"}
    await desk.store.save(replace(known, plan=replace(known.plan, operation=replace(known.operation, arguments=given))))
    await desk.worked()
    assert (desk.plant.told, (await desk.action(action)).state) == ([], "not_done")


async def test_who_lacks_the_role_cannot_decide() -> None:
    desk, action = await waiting()
    for decide in (desk.desk.approve, desk.desk.decline):
        with pytest.raises(NotPermitted, match="role approver"):
            await decide(action.id, DAN_READS, action.plan.digest)
    assert "approved, without effect" in desk.trail.of("approval")[0]


async def test_who_asked_cannot_approve_but_may_say_no() -> None:
    desk, action = await waiting()
    with pytest.raises(NotPermitted, match="yourself"):
        await desk.desk.approve(action.id, ANA_DECIDES, action.plan.digest)
    assert (await desk.desk.decline(action.id, ANA_DECIDES, action.plan.digest)).state == "declined"


async def test_behind_a_key_there_may_be_the_approver_so_two_approve() -> None:
    desk = Afternoon(ASK)
    action = await desk.proposed(KEY)
    assert (await desk.desk.approve(action.id, BEA, action.plan.digest)).state == "waiting"
    with pytest.raises(Conflict, match="already"):
        await desk.desk.approve(action.id, BEA, action.plan.digest)
    assert (await desk.desk.approve(action.id, CLEO, action.plan.digest)).state == "queued"


async def test_one_no_is_enough() -> None:
    desk, action = await waiting(TWO)
    await desk.desk.approve(action.id, BEA, action.plan.digest)
    assert (await desk.desk.decline(action.id, CLEO, action.plan.digest, "Not now.")).state == "declined"
    with pytest.raises(Conflict):
        await desk.desk.approve(action.id, BEA, action.plan.digest)
    assert desk.channel.messages[-1].title.startswith("Denied")


async def test_nobody_in_time_is_a_no() -> None:
    desk, action = await waiting()
    desk.now += timedelta(minutes=60)
    with pytest.raises(Conflict, match="expired"):
        await desk.desk.approve(action.id, BEA, action.plan.digest)
    expired = await desk.desk.expire(await desk.action(action))
    assert (expired.state, desk.plant.told) == ("expired", [])


async def test_it_does_not_expire_a_moment_too_soon() -> None:
    desk, action = await waiting()
    desk.now += timedelta(minutes=60) - timedelta(microseconds=1)
    assert (await desk.desk.expire(await desk.action(action))).state == "waiting"


async def test_a_clock_that_jumps_back_gives_no_more_time_than_is_on_record() -> None:
    desk, action = await waiting()
    desk.now += timedelta(minutes=61)
    await desk.desk.expire(await desk.action(action))
    desk.now -= timedelta(minutes=30)
    with pytest.raises(Conflict):
        await desk.desk.approve(action.id, BEA, action.plan.digest)


async def test_an_approval_can_be_taken_back_until_it_is_done() -> None:
    desk, action = await waiting()
    await desk.desk.approve(action.id, BEA, action.plan.digest)
    assert (await desk.desk.withdraw(action.id, BEA)).state == "waiting"
    await desk.worked()
    assert desk.plant.told == []
    await desk.desk.approve(action.id, CLEO, action.plan.digest)
    await desk.worked()
    with pytest.raises(Conflict):
        await desk.desk.withdraw(action.id, CLEO)


async def test_who_asked_can_take_it_back_and_others_cannot() -> None:
    desk, action = await waiting()
    with pytest.raises(NotPermitted):
        await desk.desk.withdraw(action.id, CLEO)
    assert (await desk.desk.withdraw(action.id, ANA_DECIDES)).state == "withdrawn"


async def test_of_two_who_approve_at_once_both_count() -> None:
    desk, action = await waiting(TWO)
    await asyncio.gather(
        desk.desk.approve(action.id, BEA, action.plan.digest), desk.desk.approve(action.id, CLEO, action.plan.digest)
    )
    assert (await desk.action(action)).state == "queued"


async def test_approvals_on_a_record_that_was_never_asked_for_do_not_count() -> None:
    """Somebody who may write to the table puts an approval of the requester there."""
    desk, action = await waiting()
    forged = Approval(desk.now, "ana@contoso.com", "id-ana", action.plan.digest, ("approver",))
    known = await desk.action(action)
    await desk.store.save(replace(known, approvals=(forged,), state="queued"))
    desk.messages = [(desk.now, action.id)]
    await desk.worked()
    assert (desk.plant.told, (await desk.action(action)).state) == ([], "not_done")


async def test_the_same_proposal_is_the_same_action() -> None:
    desk = Afternoon(ALLOW)
    first, second = await desk.proposed(key="call-1"), await desk.proposed(key="call-1")
    assert first.id == second.id
    await desk.worked()
    assert desk.plant.told == ["rerun"]
    assert (await desk.proposed(key="call-1")).state == "done"


async def test_what_no_rule_fits_is_denied_and_what_the_state_forbids_is_refused() -> None:
    desk = Afternoon("rules: []")
    assert (await desk.proposed()).state == "denied"
    desk.plant.refusal = "It is running."
    assert (await desk.proposed(key="2")).state == "refused"
    with pytest.raises(NotFound):
        await desk.desk.approve("A-202611-0000000000000000", BEA, "x")


async def test_a_channel_in_trouble_is_asked_again_later() -> None:
    desk = Afternoon(ASK)
    desk.channel.down = True
    action = await desk.proposed()
    desk.channel.down = False
    assert await desk.telling.ask(await desk.action(action))
    assert not await desk.telling.ask(await desk.action(action))


async def test_a_key_is_of_one_proposal_and_of_no_other() -> None:
    desk = Afternoon()
    first = await desk.proposed(requester=KEY, key="1")
    other = Operation("rerun", FACTORY, {"run_id": "r-2", "mode": "from_failure"})
    with pytest.raises(Conflict, match=first.id):
        await desk.proposed(requester=KEY, key="1", operation=other)
    assert [each.id for each in await desk.store.active()] == [first.id]


async def test_a_proposal_that_is_repeated_after_midnight_at_the_end_of_a_month_is_the_same() -> None:
    desk = Afternoon()
    desk.now = datetime(2026, 11, 30, 23, 59, 58, tzinfo=UTC)
    first = await desk.proposed()
    desk.now += timedelta(seconds=5)
    assert (await desk.proposed()).id == first.id


async def test_what_was_proposed_with_a_secret_is_not_kept() -> None:
    desk = Afternoon()
    given = {"pipeline": "LoadSales", "parameters": {"token": "s3cr3t-value"}}
    action = await desk.proposed(operation=Operation("run_pipeline", FACTORY, given))
    assert "s3cr3t-value" not in repr(replace(action, plan=replace(action.plan, operation=OPERATION)))


async def test_a_queue_in_trouble_does_not_make_a_yes_look_like_none() -> None:
    desk = Afternoon(ASK)
    action = await desk.proposed()

    async def down(action_id: str, delay_seconds: int) -> None:
        raise UpstreamUnavailable("Queue storage does not answer.")

    decided = await replace(desk.desk, enqueue=down).approve(action.id, BEA, action.plan.digest)
    assert decided.state == "queued"


async def test_an_incident_hears_once_that_its_action_waits_though_the_channel_is_down() -> None:
    desk = Afternoon(ASK)
    desk.channel.down = True
    opened = Incident("inc-202611-000000000001", "failure", "LoadSales failed", "cause", desk.now, desk.now)
    incident = await desk.incidents.create(opened)
    action = await desk.proposer.propose(OPERATION, ANA, Origin("k", incident_id=incident.id))
    for _ in range(3):
        await desk.telling.ask(await desk.action(action))
    assert [entry.what for entry in (await desk.incidents.load(incident.id)).timeline] == ["asked"]


async def test_many_who_are_refused_make_nobody_forget_what_went_through() -> None:
    desk = Afternoon("rules: [{name: one, why: a test, effect: allow, limits: {per_hour: 1}}]")
    first = await desk.proposed(key="first")
    later = desk.now + timedelta(seconds=1)
    for number in range(5001):
        flooding = replace(first, id=f"A-202611-{number:016x}", state="denied", created_at=later)
        await desk.store.create(flooding)
    assert (await desk.proposed(key="second")).state == "denied"


async def test_a_dry_run_says_how_many_have_to_approve() -> None:
    desk = Afternoon(ASK)
    considered = await desk.proposer.consider(OPERATION, KEY)
    action = await desk.proposed(requester=KEY)
    assert considered.verdict.terms is not None
    assert considered.verdict.terms.approvals == action.terms.approvals == 2


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("inf"), {"deep": ["\udfff"]}])
async def test_what_cannot_be_kept_is_not_proposed(value: Any) -> None:
    desk = Afternoon()
    given = {"pipeline": "LoadSales", "parameters": {"a": value}}
    with pytest.raises(InvalidArguments):
        await desk.proposed(operation=Operation("run_pipeline", FACTORY, given))
    assert desk.trail.entries == []
