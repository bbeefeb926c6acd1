"""What is allowed is done once, whatever breaks; and the record says what became of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.errors import NotFound, UpstreamUnavailable
from orchestrator.actions.record import Action
from orchestrator.policy.reading import parse
from tests.orchestrator.actions.desk import ANA, ASK, BEA, FACTORY, Afternoon, Killed
from tools_worker.datafactory.operations.model import Effect, Operation, Plan

STATES = ("waiting", "queued", "sending", "following", "done")


async def test_what_is_allowed_is_done_and_followed_to_its_end() -> None:
    desk = Afternoon()
    action = await desk.proposed()
    await desk.worked()
    ended = await desk.action(action)
    assert (ended.state, ended.started_run, ended.started_status) == ("done", "new-1", "Succeeded")
    assert desk.plant.told == ["rerun"]
    assert [entry.what for entry in ended.timeline] == ["proposed", "allowed", "sending", "accepted", "done"]


async def test_a_repair_that_failed_is_done_and_says_that_it_did_not_help() -> None:
    desk = Afternoon()
    desk.plant.ends = "Failed"
    action = await desk.proposed()
    await desk.worked()
    ended = await desk.action(action)
    assert (ended.state, ended.started_status) == ("done", "Failed")
    assert desk.channel.messages[-1].title.startswith("Done, without the effect")


async def test_what_data_factory_refuses_is_not_done() -> None:
    desk = Afternoon()
    desk.plant.trouble = "not_sent"
    action = await desk.proposed()
    await desk.worked()
    assert (await desk.action(action)).state == "not_done"


async def test_a_lost_answer_is_looked_up_and_nothing_is_sent_again() -> None:
    desk = Afternoon()
    desk.plant.trouble = "lost_after"
    action = await desk.proposed()
    await desk.worked()
    assert (await desk.action(action)).state == "done"
    assert desk.plant.told == ["rerun"]


async def test_a_request_that_never_arrived_is_not_done_and_not_tried_again() -> None:
    desk = Afternoon()
    desk.plant.trouble = "lost_before"
    action = await desk.proposed()
    await desk.worked()
    assert (await desk.action(action)).state == "not_done"
    assert desk.plant.told == []


@pytest.mark.parametrize("change", ["facts", "refusal", "gone"])
async def test_what_has_changed_since_it_was_proposed_is_not_done(change: str) -> None:
    desk = Afternoon()
    action = await desk.proposed()
    if change == "facts":
        desk.plant.facts["status of run r-1"] = "Succeeded"
    elif change == "refusal":
        desk.plant.refusal = "It was rerun already."
    else:
        desk.plant.gone = True
    await desk.worked()
    ended = await desk.action(action)
    assert ended.state == "not_done"
    assert desk.plant.told == []
    if change == "facts":
        assert "status of run r-1 was Failed, is Succeeded" in ended.outcome


async def test_a_policy_that_became_stricter_holds_for_what_was_allowed_before() -> None:
    desk = Afternoon()
    action = await desk.proposed()
    desk.policy = parse("rules: []")
    await desk.worked()
    assert (await desk.action(action)).state == "not_done"
    assert desk.plant.told == []


async def test_a_policy_that_asks_now_is_not_content_with_what_was_allowed_before() -> None:
    desk = Afternoon()
    action = await desk.proposed()
    desk.policy = parse(ASK)
    await desk.worked()
    assert (await desk.action(action)).state == "not_done"
    assert desk.plant.told == []


@pytest.mark.parametrize("stricter", ["approvals: 2", "roles: [operator]"])
async def test_a_policy_that_asks_for_more_now_is_not_content_with_the_yes_of_before(stricter: str) -> None:
    desk = Afternoon(ASK)
    action = await desk.proposed()
    await desk.desk.approve(action.id, BEA, action.plan.digest)
    name = stricter.split(":")[0]
    was = {"approvals": "approvals: 1", "roles": "roles: [approver]"}[name]
    desk.policy = parse(ASK.replace(was, stricter))
    await desk.worked()
    assert (desk.plant.told, (await desk.action(action)).state) == ([], "not_done")


async def test_what_says_to_end_a_pause_and_does_not_is_not_done() -> None:
    desk = Afternoon("rules: []")
    desk.plant.refusal = ""
    pretended = await desk.proposed()
    forged = replace(pretended, id="A-202611-00000000000000ff", state="queued", follows=pretended.id, ended_at=None)
    await desk.store.create(forged)
    desk.messages = [(desk.now, forged.id)]
    await desk.worked()
    assert (desk.plant.told, (await desk.store.load(forged.id)).state) == ([], "not_done")


async def test_a_clock_that_goes_wrong_lets_no_more_through() -> None:
    """What is dated later than it was proposed, by another instance's clock, counts all the same."""
    desk = Afternoon("rules: [{name: few, why: a test, effect: allow, limits: {per_hour: 1}}]")
    await desk.proposed(key="first")
    desk.now -= timedelta(minutes=30)
    second = await desk.proposed(key="second")
    assert second.state == "denied"


async def test_what_concerns_several_pipelines_has_to_be_allowed_for_each() -> None:
    deny = "{name: pay, why: nobody touches it, match: {pipelines: ['Pay*']}, effect: deny}"
    desk = Afternoon(f"rules: [{deny}, {{name: rest, why: a test, effect: allow}}]")
    desk.plant.pipelines = ("LoadSales", "PayOut")
    action = await desk.proposed(operation=Operation("stop_trigger", FACTORY, {"trigger": "Nightly"}))
    assert (action.state, action.rule) == ("denied", "pay")


async def test_while_nothing_may_be_written_it_waits_and_then_gives_up() -> None:
    desk = Afternoon()
    action = await desk.proposed()
    desk.closed = "policy.yaml is gone."
    await desk.worked()
    ended = await desk.action(action)
    assert (ended.state, desk.plant.told) == ("not_done", [])
    assert desk.now - action.created_at >= timedelta(hours=1)


async def test_while_nothing_may_be_written_proposals_are_denied_with_the_reason() -> None:
    desk = Afternoon()
    desk.closed = "Nothing is changed until policy.yaml is sound."
    action = await desk.proposed()
    assert (action.state, action.outcome) == ("denied", "Nothing is changed until policy.yaml is sound")


async def test_nothing_is_done_without_a_trail() -> None:
    desk = Afternoon()
    action = await desk.proposed()
    desk.trail.down = True
    with pytest.raises(UpstreamUnavailable):
        await desk.worked()
    assert desk.plant.told == []
    desk.trail.down, desk.messages = False, [(desk.now + timedelta(minutes=3), action.id)]
    await desk.worked()
    assert (await desk.action(action)).state == "done"
    assert desk.trail.of("write") == [
        "About to: rerun of LoadSales | intended",
        "Ended: rerun of LoadSales | done: Run new-1 ended Succeeded.",
    ]


async def test_two_who_get_the_same_message_do_it_once() -> None:
    desk = Afternoon()
    action = await desk.proposed()
    first, second = desk.executor("one"), desk.executor("two")
    await asyncio.gather(first.step(action.id), second.step(action.id))
    await desk.worked()
    assert desk.plant.told == ["rerun"]
    assert (await desk.action(action)).state == "done"


async def points_of_a_whole_life() -> list[str]:
    desk = Afternoon(ASK)
    action = await desk.proposed()
    await desk.desk.approve(action.id, BEA, action.plan.digest)
    await desk.worked()
    assert (await desk.action(action)).state == "done"
    return desk.store.points


async def test_the_points_at_which_it_is_killed_are_there() -> None:
    points = await points_of_a_whole_life()
    assert {
        "before queued",
        "after queued",
        "before sending",
        "after sending",
        "after following",
        "before done",
    } <= set(points)


@pytest.mark.parametrize("where", range(14))
@pytest.mark.parametrize("sent", ["arrives", "is lost"])
async def test_killed_anywhere_it_is_never_done_twice_and_the_record_is_true(where: int, sent: str) -> None:
    desk = Afternoon(ASK)
    desk.plant.trouble = "" if sent == "arrives" else "lost_before"
    action = await desk.proposed()
    desk.store.kill_at = where
    try:
        await desk.desk.approve(action.id, BEA, action.plan.digest)
        await desk.worked()
    except Killed:
        desk.store.kill_at = None
    if (await desk.action(action)).state == "waiting":  # killed before it was on record: the person does it again
        await desk.desk.approve(action.id, BEA, action.plan.digest)
    desk.now += timedelta(minutes=3)
    desk.messages = [(desk.now, action.id)]  # the rounds find what is left
    await desk.worked(desk.executor("another process"))
    ended = await desk.action(action)
    assert len(desk.plant.told) <= 1
    assert ended.state == ("done" if desk.plant.told else "not_done")


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_killed_while_it_is_sent_it_is_looked_up(moment: str) -> None:
    desk = Afternoon()
    action = await desk.proposed()

    async def killed(*given: object) -> None:
        if moment == "after":
            desk.plant.told.append("rerun")
        raise Killed

    with pytest.raises(Killed):
        await desk.worked(desk.executor(send=killed))
    assert (await desk.action(action)).state == "sending"
    desk.now += timedelta(minutes=3)
    desk.messages = [(desk.now, action.id)]
    await desk.worked()
    assert (await desk.action(action)).state == ("done" if moment == "after" else "not_done")
    assert len(desk.plant.told) == (moment == "after")


async def test_a_pause_is_followed_by_its_end() -> None:
    desk = Afternoon()
    given = {"pipeline": "LoadSales", "minutes": 90, "triggers": ["Nightly"]}
    paused = await desk.proposed(operation=Operation("pause_schedule", FACTORY, given))
    await desk.worked()
    (later,) = await desk.store.active()
    assert (later.operation.kind, later.follows, later.requester) == ("resume_schedule", paused.id, ANA)
    assert later.operation.arguments == {"pipeline": "LoadSales", "triggers": ["Nightly"]}
    await desk.executor().step(later.id)
    assert desk.plant.told == ["pause_schedule"]  # not yet
    desk.now += timedelta(minutes=91)
    desk.policy = parse("rules: []")  # what was allowed with the pause needs no second leave
    desk.messages = [(desk.now, later.id)]
    await desk.worked()
    assert desk.plant.told == ["pause_schedule", "resume_schedule"]
    assert (await desk.action(later)).state == "done"


@pytest.mark.parametrize("where", range(10))
async def test_a_pause_has_its_end_wherever_its_process_died(where: int) -> None:
    desk = Afternoon()
    given = {"pipeline": "LoadSales", "minutes": 90, "triggers": ["Nightly", "Hourly"]}
    paused = await desk.proposed(operation=Operation("pause_schedule", FACTORY, given))
    desk.store.kill_at = where
    try:
        await desk.executor().step(paused.id)
    except Killed:
        desk.store.kill_at = None
    desk.now += timedelta(minutes=3)
    await desk.executor("another process").step(paused.id)
    assert (await desk.action(paused)).state == ("done" if desk.plant.told else "not_done")
    ends = await desk.store.active()
    assert [each.operation.arguments["triggers"] for each in ends] == [["Nightly", "Hourly"]] * len(desk.plant.told)


async def test_of_many_at_once_no_more_go_through_than_the_policy_lets() -> None:
    desk = Afternoon("rules: [{name: few, why: a test, effect: allow, limits: {per_hour: 3}}]")
    await asyncio.gather(*(desk.proposed(key=str(number)) for number in range(10)))
    await desk.worked()
    assert len(desk.plant.told) == 3


class Partly(Afternoon):
    """A pause that came to pass in part: nobody can say that it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.plant.trouble = "lost_after"

    async def in_part(self, factory: object, plan: Plan, since: datetime, now: datetime) -> Effect:
        return Effect("unknown", "It was done in part. Trigger Nightly is Stopped.", True)


async def test_a_pause_that_came_to_pass_in_part_has_its_end_too() -> None:
    desk = Partly()
    given = {"pipeline": "LoadSales", "minutes": 90, "triggers": ["Nightly", "Hourly"]}
    paused = await desk.proposed(operation=Operation("pause_schedule", FACTORY, given))
    await desk.worked(replace(desk.executor(), read_back=desk.in_part))
    assert (await desk.action(paused)).state == "unknown"
    (later,) = await desk.store.active()
    assert (later.operation.kind, later.follows) == ("resume_schedule", paused.id)


async def test_nothing_is_to_be_resumed_where_nothing_is_stopped_or_left() -> None:
    for change in ("refusal", "gone"):
        desk = Afternoon()
        desk.plant.ends = ""
        given = {"pipeline": "LoadSales", "minutes": 90, "triggers": ["Nightly"]}
        paused = await desk.proposed(operation=Operation("pause_schedule", FACTORY, given))
        executor = desk.executor()
        await executor.step(paused.id)
        desk.plant.ends, desk.plant.gone = "Succeeded", change == "gone"
        desk.plant.refusal = "All of them are started already." if change == "refusal" else ""
        desk.now += timedelta(minutes=3)
        await executor.step(paused.id)
        assert (await desk.action(paused)).state == "done"
        assert await desk.store.active() == []


async def test_the_end_of_a_pause_comes_late_rather_than_never() -> None:
    desk = Afternoon()
    given = {"pipeline": "LoadSales", "minutes": 90, "triggers": ["Nightly"]}
    await desk.proposed(operation=Operation("pause_schedule", FACTORY, given))
    await desk.worked()
    (later,) = await desk.store.active()
    desk.closed = "policy.yaml is gone."
    desk.now += timedelta(hours=5)
    await desk.executor().step(later.id)
    assert (desk.plant.told, (await desk.action(later)).state) == (["pause_schedule"], "queued")
    desk.closed, desk.now = "", desk.now + timedelta(minutes=1)
    await desk.worked()
    assert desk.plant.told == ["pause_schedule", "resume_schedule"]


async def test_a_pause_ends_for_what_is_stopped_still_where_a_person_started_some_of_it() -> None:
    desk = Afternoon()
    given = {"pipeline": "LoadSales", "minutes": 90, "triggers": ["Nightly", "Hourly"]}
    await desk.proposed(operation=Operation("pause_schedule", FACTORY, given))
    await desk.worked()
    (later,) = await desk.store.active()
    desk.plant.facts = {"trigger Hourly": "Stopped"}  # of Nightly nothing is to be said any more
    desk.now += timedelta(minutes=91)
    desk.messages = [(desk.now, later.id)]
    await desk.worked()
    assert desk.plant.told == ["pause_schedule", "resume_schedule"]


@pytest.mark.parametrize("state", ["sending", "following"])
async def test_what_became_of_a_thing_that_is_gone_is_not_known_and_not_asked_for_ever(state: str) -> None:
    desk = Afternoon()
    desk.plant.ends, desk.plant.trouble = "", "lost_after" if state == "sending" else ""
    action = await desk.proposed()
    executor = desk.executor()
    await executor.step(action.id)
    assert (await desk.action(action)).state == state

    async def gone(*given: object) -> Effect:
        raise NotFound("There is no run 'r-1'.")

    desk.now += timedelta(minutes=3)
    await replace(executor, read_back=gone, follow=gone).step(action.id)
    ended = await desk.action(action)
    assert (ended.state, "There is no run 'r-1'" in ended.outcome) == ("unknown", True)


async def test_who_was_held_up_before_sending_does_not_send(monkeypatch: pytest.MonkeyPatch) -> None:
    """By then another process may have looked for it, and found that it was not done."""
    desk = Afternoon()
    action = await desk.proposed()
    save = desk.store.save

    async def slow(changed: Action) -> Action:
        saved = await save(changed)
        if changed.state == "sending":
            desk.now += timedelta(minutes=1)
        return saved

    monkeypatch.setattr(desk.store, "save", slow)
    await desk.executor().step(action.id)
    desk.now += timedelta(minutes=3)
    desk.messages = [(desk.now, action.id)]
    await desk.worked(desk.executor("another process"))
    assert (desk.plant.told, (await desk.action(action)).state) == ([], "not_done")
    assert desk.trail.of("write")[1] == "Left undone: rerun of LoadSales | not sent"


@pytest.mark.parametrize("trouble", ["killed before it was sent", "refused"])
async def test_the_end_of_a_pause_is_begun_again_until_it_is_done(trouble: str) -> None:
    desk = Afternoon()
    given = {"pipeline": "LoadSales", "minutes": 90, "triggers": ["Nightly"]}
    await desk.proposed(operation=Operation("pause_schedule", FACTORY, given))
    await desk.worked()
    (later,) = await desk.store.active()
    desk.now += timedelta(minutes=91)
    desk.messages = [(desk.now, later.id)]

    async def killed(*given: object) -> None:
        raise Killed

    if trouble == "refused":
        desk.plant.trouble = "not_sent"
        await desk.executor().step(later.id)
    else:
        with pytest.raises(Killed):
            await desk.worked(desk.executor(send=killed))
        desk.now += timedelta(minutes=3)
        await desk.executor("another process").step(later.id)  # which sees that it is not done
    assert (await desk.action(later)).state == "queued"
    desk.plant.trouble = ""
    desk.messages = [(desk.now + timedelta(seconds=15), later.id)]
    await desk.worked()
    assert (desk.plant.told, (await desk.action(later)).state) == (["pause_schedule", "resume_schedule"], "done")
