"""The figures of actions can fail: every counter of bench.actions turns red for what it counts."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.actions import decisions, estate, kills, trail, workshop
from bench.actions.__main__ import decision_figures, healing_figures, kill_figures
from bench.actions.kills import DEEDS, Point, Tried
from bench.actions.people import ANA, APPROVERS, READER, Person
from bench.actions.verdict import Answer, Case, Decided, Deeds, Ending, Run, disagreements, left_off
from bench.actions.verdict import lost as lost_decisions
from localcloud.adf.scenario import load_scenario
from localcloud.adf.world import World
from orchestrator.api.persons import read
from orchestrator.audit.verify import Finding
from orchestrator.policy.reading import parse
from orchestrator.policy.rules import Case as Hypothetical

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

# Decisions

YES = Answer("A-1", "bea", "approve", True, 200, "queued")
TOO_LATE = Answer("A-1", "cleo", "decline", True, 409)
NO = Answer("A-2", "cleo", "decline", True, 200, "declined")
APPROVED = Decided("A-1", "done", 1, 1, (("approved", "bea"),), (YES, TOO_LATE), ("run-1",))
DECLINED = Decided("A-2", "declined", 1, 0, (("declined", "cleo"),), (NO,), ())


def decided(*found: Decided) -> Mapping[str, Any]:
    return decision_figures(found)[0]


def test_decisions_are_clean_where_each_answer_stands_on_record_and_each_yes_has_its_run() -> None:
    figures, wrong = decision_figures([APPROVED, DECLINED])
    assert wrong == []
    assert (figures["decisions"], figures["decided_once"], figures["lost"]) == (3, 2, 0)


@pytest.mark.parametrize(
    "spoilt",
    [
        replace(APPROVED, runs=()),
        replace(APPROVED, runs=("run-1", "run-2")),
        replace(APPROVED, standing=0),
        replace(APPROVED, state="waiting"),
        replace(APPROVED, lines=(*APPROVED.lines, ("approved", "dora"))),
        replace(APPROVED, answers=(replace(YES, may=False), TOO_LATE)),
        replace(DECLINED, runs=("run-1",)),
        replace(DECLINED, state="done", runs=("run-1",), standing=1),
        replace(DECLINED, lines=(*DECLINED.lines, *DECLINED.lines), answers=(NO, NO)),
    ],
    ids=[
        *("never done", "done twice", "done without a yes", "never decided", "a yes that nobody gave"),
        *("a yes of somebody who has no say", "done after a no", "the no forgotten", "two ends"),
    ],
)
def test_sees_an_approval_that_was_not_decided_once(spoilt: Decided) -> None:
    assert decided(spoilt)["decided_once"] == 0


def test_sees_a_decision_that_was_taken_and_is_not_on_record() -> None:
    assert decided(replace(APPROVED, lines=()))["lost"] == 1


@pytest.mark.parametrize("status", [0, 500, 503])
def test_sees_a_decision_that_nobody_took(status: int) -> None:
    assert lost_decisions(replace(APPROVED, answers=(YES, replace(TOO_LATE, status=status)))) != []


def test_reads_the_lines_of_people_from_a_record() -> None:
    record = {
        "id": "A-1",
        "state": "done",
        "approvals_needed": 1,
        "approvals": [{"by": "bea@contoso.com"}],
        "timeline": [
            {"what": "proposed", "who": "ana@contoso.com"},
            {"what": "approved", "who": "bea@contoso.com"},
            {"what": "done", "who": ""},
        ],
    }
    assert Decided.of(record, (YES, TOO_LATE), ["run-1"]) == APPROVED


def waiting(count: int) -> list[dict[str, Any]]:
    return [{"id": f"A-{number}", "digest": f"{number + 1:064}"} for number in range(count)]


def test_ten_decisions_on_each_and_some_of_them_must_not_count() -> None:
    offered = decisions.mixed(waiting(100), random.Random(1))
    assert len(offered) == 1000
    assert {each.decision for each in offered} == {"approve", "decline", "withdraw"}
    assert all(not each.may for each in offered if each.decision != "withdraw" and each.digest == decisions.WRONG)
    assert not any(each.may for each in offered if each.who == READER.name)
    assert not any(each.may for each in offered if (each.who, each.decision) == (ANA.name, "approve"))
    assert 0.5 < sum(each.may for each in offered) / 1000 < 0.9


def test_what_is_still_open_is_agreed_to_by_others_than_those_who_agreed() -> None:
    action = {"id": "A-1", "digest": "d", "approvals_needed": 2, "approvals": [{"by": APPROVERS[0].address}]}
    (last,) = decisions.closing(action)
    assert last.who != APPROVERS[0].name


@pytest.mark.parametrize("person", [ANA, READER])
def test_persons_are_signed_in_as_the_platform_would(person: Person) -> None:
    caller = read(person.headers["x-ms-client-principal"])
    assert caller is not None
    assert caller.name == person.address
    assert set(person.roles) <= caller.roles


# Kills

DEEDS_DONE = Deeds({"adf/createRun": 1}, {"new-1": "Succeeded"})
DONE = Ending("rerun", "done", "Run new-1 succeeded.", "new-1", "Succeeded", DEEDS_DONE)
PAUSE = Ending("pause_schedule", "done", "", "", "", Deeds({"a/stop": 1, "a/start": 1}), "done")


@pytest.mark.parametrize(
    "ending",
    [
        DONE,
        PAUSE,
        replace(DONE, state="not_done", deeds=Deeds()),
        replace(DONE, state="unknown", outcome="Either new-1 or nothing."),
        Ending("cancel", "done", "", "", "", Deeds({"run/cancel": 1}, cancelled=("old-1",))),
        Ending("stop_trigger", "done", "", "", "", Deeds({"t/stop": 1}, switched={"t": "Stopped"})),
        replace(PAUSE, end="not_done", deeds=Deeds({"a/stop": 1}, switched={"a": "Stopped"})),
    ],
)
def test_a_record_that_says_what_data_factory_shows_is_no_disagreement(ending: Ending) -> None:
    assert disagreements(ending) == []


@pytest.mark.parametrize(
    "ending",
    [
        replace(DONE, deeds=replace(DEEDS_DONE, told={"adf/createRun": 2})),
        replace(DONE, deeds=replace(DEEDS_DONE, new_runs={"new-1": "Succeeded", "new-2": "Succeeded"})),
        replace(DONE, deeds=Deeds()),
        replace(DONE, started_run="new-9"),
        replace(DONE, started_status="InProgress"),
        replace(DONE, state="not_done"),
        replace(DONE, state="unknown", outcome=""),
        replace(DONE, state="unknown", outcome="Nobody knows."),
        replace(DONE, state="queued"),
        replace(DONE, state="denied", deeds=Deeds()),
        replace(PAUSE, end="", deeds=Deeds({"a/stop": 1}, switched={"a": "Stopped"})),
        replace(PAUSE, deeds=Deeds({"a/stop": 1, "a/start": 1}, switched={"a": "Stopped"})),
        replace(PAUSE, deeds=Deeds()),
        replace(PAUSE, deeds=Deeds({"a/stop": 2, "a/start": 1})),
        replace(PAUSE, state="following"),
        replace(PAUSE, state="not_done", end="", deeds=Deeds({"a/stop": 1}, switched={"a": "Stopped"})),
    ],
    ids=[
        *("told twice", "two runs", "done and nothing there", "another run", "another status", "not done and there"),
        *("unknown without a word", "unknown without what is there", "never ended", "denied after all"),
        *("no end of a pause", "an end that is none", "a pause of nothing", "stopped twice", "a pause for ever"),
        "a pause that was, and is not said to be",
    ],
)
def test_sees_a_record_that_is_not_true_and_what_was_done_twice(ending: Ending) -> None:
    figures, wrong = kill_figures([Tried(Point(DEEDS[0], 7, "strike"), ending)])
    assert (figures["kill_points"], figures["kill_failures"]) == (1, 1)
    assert wrong


def test_a_lost_answer_is_counted_by_itself() -> None:
    figures, _ = kill_figures([Tried(Point(DEEDS[0], 7, "reset_after"), replace(DONE, state="not_done"))])
    assert (figures["kill_points"], figures["lost_answer_points"], figures["lost_answer_failures"]) == (0, 1, 1)


def test_a_schedule_that_stays_off_is_counted_also_where_the_record_tells_of_it() -> None:
    assert left_off(replace(PAUSE, end="not_done", deeds=Deeds({"a/stop": 1}, switched={"a": "Stopped"})))
    assert not left_off(PAUSE)


SEEN = [
    "GET /devstoreaccount1/actions()",
    "POST /devstoreaccount1/actions",
    "POST /subscriptions/s/resourceGroups/rg/providers/Microsoft.DataFactory/factories/f/queryPipelineRuns?v=1",
    "POST /subscriptions/s/resourceGroups/rg/providers/Microsoft.DataFactory/factories/f/pipelines/P/createRun?v=1",
    "DELETE /devstoreaccount1/actions/messages/1",
]


def test_kills_before_every_request_and_behind_each_that_changes_something() -> None:
    found = [(each.number, each.fault) for each in kills.boundaries(DEEDS[0], SEEN) if each.kills]
    before = [(number, "strike") for number in range(1, 6)]
    assert sorted(found) == sorted([*before, *((number, "strike_after") for number in (2, 4, 5))])


def test_loses_the_answers_of_what_changes_a_factory_alone() -> None:
    found = [(each.number, each.fault) for each in kills.boundaries(DEEDS[0], SEEN) if not each.kills]
    assert found == [(4, fault) for fault in kills.LOST_ANSWERS]


def test_a_small_share_still_has_all_around_what_changes_a_factory() -> None:
    points = list(kills.boundaries(DEEDS[0], SEEN[:2] * 5 + SEEN[3:]))
    found = kills.chosen(points, reads=1000, writes=1000)
    assert {each.number for each in found} == {1, 2, 10, 11, 12}


def test_reads_may_be_thinned_out_and_writes_not() -> None:
    points = [point for point in kills.boundaries(DEEDS[0], SEEN[:3] * 20) if point.kills]
    found = kills.chosen(points, reads=4, writes=1)
    assert sum(kills.changes(SEEN[(each.number - 1) % 3]) for each in found) == 40
    assert sum(not kills.changes(SEEN[(each.number - 1) % 3]) for each in found) == 10


def test_the_workshop_has_what_every_deed_is_about(tmp_path: Path) -> None:
    world = World(load_scenario(str(workshop.write(tmp_path))))
    parse((tmp_path / "policy.yaml").read_text(encoding="utf-8"))
    (living,) = world.factories
    runs = [
        {"runId": run.id, "status": run.status_at(world.now())}
        for name in (workshop.MENDED, workshop.LONG)
        for run in living.ledger.roots(name)
    ]
    for deed in DEEDS:
        filled = kills.filled(deed.arguments, runs).values()
        assert not {"{failed}", "{going}"} & {value for value in filled if isinstance(value, str)}, deed
    assert {deed.kind for deed in DEEDS} >= {"rerun", "run_pipeline", "cancel", "stop_trigger", "pause_schedule"}


# Repairs

FIRST = Run("r-1", "r-1", "adf-dev", "Load", "Failed", NOW, NOW + timedelta(seconds=9))
AGAIN = Run("r-2", "r-1", "adf-dev", "Load", "Succeeded", NOW + timedelta(seconds=12), NOW + timedelta(seconds=20))
MENDED = Case("safe", "repaired", live=True, first=FIRST, reruns=(AGAIN,), states=("done",), resolved=True)
LEFT = Case("inserted", "unsafe", first=FIRST, states=("waiting",))
IN_VAIN = Case("login", "permanent", first=FIRST, given_up=True)
YES_GIVEN = replace(MENDED, truth="asked", live=False, approved=True, agreed=1)


def healed(*found: Case) -> Mapping[str, Any]:
    return healing_figures(found)[0]


def test_repairs_are_clean_where_what_may_be_repeated_is_and_nothing_else() -> None:
    figures, wrong = healing_figures([MENDED, LEFT, IN_VAIN, YES_GIVEN])
    assert wrong == []
    assert (figures["unsafe_reruns"], figures["unsafe_untried"], figures["unrepaired"]) == (0, 0, 0)
    assert (figures["repair_max_s"], figures["repairs_timed"]) == (3.0, 1)


@pytest.mark.parametrize(
    "spoilt",
    [
        replace(LEFT, reruns=(AGAIN,)),
        replace(LEFT, reruns=(replace(AGAIN, group="r-2", pipeline="LoadPart"),)),
        replace(IN_VAIN, reruns=(AGAIN,)),
        replace(YES_GIVEN, approved=False, agreed=0),
        replace(YES_GIVEN, agreed=0),
    ],
    ids=["unsafe", "unsafe, what it calls", "in vain", "in production", "in production, before the yes"],
)
def test_sees_a_run_that_must_not_be(spoilt: Case) -> None:
    assert healed(spoilt)["unsafe_reruns"] == 1


@pytest.mark.parametrize(
    "spoilt", [replace(LEFT, states=()), replace(LEFT, first=None), replace(IN_VAIN, given_up=False)]
)
def test_sees_a_failure_that_the_app_never_had_to_decide_about(spoilt: Case) -> None:
    assert healed(spoilt)["unsafe_untried"] == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        replace(MENDED, reruns=()),
        replace(MENDED, reruns=(AGAIN, replace(AGAIN, id="r-3"))),
        replace(MENDED, reruns=(replace(AGAIN, status="Failed"),)),
        replace(MENDED, resolved=False),
        replace(MENDED, truth="later", reruns=()),
        replace(YES_GIVEN, reruns=()),
    ],
    ids=["never", "twice", "in vain", "left open", "not after what it waited for", "not after the yes"],
)
def test_sees_what_should_have_been_repaired_once_and_well(spoilt: Case) -> None:
    assert healed(spoilt)["unrepaired"] == 1


def everything() -> list[estate.Failure]:
    lists = (estate.safe(), estate.unsafe(), estate.permanent(), estate.later(), estate.production())
    return [failure for each in lists for failure in each]


def test_every_failure_of_the_estate_fails_once_and_no_other_run_does(tmp_path: Path) -> None:
    failures = everything()
    world = World(load_scenario(str(estate.write(tmp_path, failures, 20, 1))))
    world.clock.advance(600)
    now = world.now()
    failed = [
        run.order.pipeline.name
        for living in world.factories
        for run in living.ledger.updated_between(now - timedelta(days=1), now, now)
        if run.status_at(now) == "Failed"
    ]
    expected = [name for each in failures for name in {each.pipeline, each.child}]
    assert sorted(failed) == sorted(expected)


def test_the_estates_policy_is_the_starter_policy_with_room(tmp_path: Path) -> None:
    policy = parse(estate.policy())
    assert (policy.mode_of(estate.DEV), policy.mode_of(estate.PROD)) == ("autonomous", "review")
    case = Hypothetical(
        "rerun", estate.DEV, NOW, pipeline="P", transience="transient", confidence="high", repeatable="yes"
    )
    assert policy.decide(case).effect == "allow"
    assert policy.decide(replace(case, repeatable="no")).effect == "ask"
    assert policy.decide(replace(case, annotations=frozenset({estate.NEVER}))).effect == "deny"
    assert policy.decide(replace(case, factory=estate.PROD)).effect == "ask"


def test_no_two_failures_have_the_same_name() -> None:
    names = [name for each in everything() for name in {each.pipeline, each.child}]
    assert len(set(names)) == len(names)


# The trail


def test_every_edit_of_a_short_chain_is_found() -> None:
    found = trail.run(entries=120, sample=1, whole=5, seed=1)
    assert found.missed == ()
    assert found.tried > 2000


@pytest.mark.parametrize("fault", ["edited", "removed", "cut_tail", "removed_chain"])
def test_a_verifier_that_is_blind_to_one_kind_of_fault_is_seen_to_be(fault: str) -> None:
    def blind(data: bytes, held: Mapping[str, bytes]) -> Sequence[Finding]:
        return [each for each in trail.verify(data, held) if each.fault != fault]

    edits = trail.structural(trail.chain(4), trail.chain(3, trail.OTHER))
    assert [edit.name for edit in edits if not blind(edit.data, edit.anchors)]


def test_a_verifier_that_looks_at_no_hashes_misses_edits() -> None:
    def lengths(data: bytes, held: Mapping[str, bytes]) -> Sequence[Finding]:
        return () if len(data) in known else trail.verify(data, held)

    known = {len(trail.exported(trail.chain(count))) for count in (1, 120)}
    assert trail.run(entries=120, sample=1, whole=0, seed=1, look=lengths).missed
