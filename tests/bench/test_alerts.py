"""The storm of alerts can fail: every counter of bench.alerts turns red for what it counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.alerts import estate
from bench.alerts.estate import Cause
from bench.alerts.signals import FailedRun, Signal, ends_before_beginnings, storm
from bench.alerts.verdict import Card, Offer, Row, Story, Verdict, judge, percentile
from localcloud.adf.scenario import load_scenario
from localcloud.adf.world import World

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CAUSES = (
    Cause("login", "adf-orders", ("LoadOrders", "LoadStock"), {}),
    Cause("column", "adf-orders", ("ImportLedger",), {}),
)
RUN_IDS = {name: f"{number:08x}-0000-4000-8000-000000000000" for number, name in enumerate("abc")}
RUNS = [
    FailedRun(RUN_IDS["a"], "login", "adf-orders", "LoadOrders", NOW - timedelta(minutes=20)),
    FailedRun(RUN_IDS["b"], "login", "adf-orders", "LoadStock", NOW - timedelta(minutes=19)),
    FailedRun(RUN_IDS["c"], "column", "adf-orders", "ImportLedger", NOW - timedelta(minutes=18)),
]
LOGIN, COLUMN = "inc-202611-000000000001", "inc-202611-000000000002"
STORIES = [
    Story(LOGIN, frozenset({RUN_IDS["a"], RUN_IDS["b"]}), True, 2),
    Story(COLUMN, frozenset({RUN_IDS["c"]}), True, 1),
]


def signal(name: str) -> Signal:
    run = RUNS["abc".index(name)]
    return Signal(name, True, run.cause, run.pipeline, b"{}")


OFFERS = [Offer(signal(name), 202, float(n), n + 0.05) for n, name in enumerate("abc")]
ROWS = [Row("a", True, LOGIN), Row("b", True, LOGIN), Row("c", True, COLUMN)]
CARDS = [Card(3.0, frozenset({RUN_IDS["b"]})), Card(4.05, frozenset({RUN_IDS["c"]}))]


def judged(
    causes: Sequence[Cause] = CAUSES,
    runs: Sequence[FailedRun] = RUNS,
    offers: Sequence[Offer] = OFFERS,
    rows: Sequence[Row] = ROWS,
    stories: Sequence[Story] = STORIES,
    cards: Sequence[Card] = CARDS,
) -> Verdict:
    return judge(causes, runs, offers, rows, stories, cards)


# Logs in which all is well


def test_is_clean_where_every_alert_run_and_cause_has_its_one_home() -> None:
    found = judged()
    assert found.clean
    figures = found.figures()
    assert (figures["alerts"], figures["causes"], figures["incidents"], figures["cards"]) == (3, 2, 2, 2)


def test_counts_from_the_first_accepted_alert_of_a_cause_to_its_card() -> None:
    assert judged().to_card == {"login": pytest.approx(2.95), "column": pytest.approx(2.0)}


def test_an_alert_told_twice_is_one_alert() -> None:
    found = judged(offers=[*OFFERS, replace(OFFERS[0], status=200)])
    assert found.clean
    assert found.alerts == 3


# Mutants


def test_sees_an_alert_that_was_not_kept() -> None:
    assert judged(rows=ROWS[1:]).lost == ["alert ('a', True) of login: was not kept"]


@pytest.mark.parametrize("nowhere", ["", "-"])
def test_sees_an_alert_that_belongs_to_no_incident(nowhere: str) -> None:
    found = judged(rows=[replace(ROWS[0], incident=nowhere), *ROWS[1:]])
    assert found.lost == ["alert ('a', True) of login: in no incident"]


def test_sees_an_alert_that_was_refused() -> None:
    assert judged(offers=[replace(OFFERS[0], status=503), *OFFERS[1:]]).lost == ["alert ('a', True) was refused"]


def test_sees_an_alert_in_the_incident_of_another_cause() -> None:
    found = judged(rows=[replace(ROWS[0], incident=COLUMN), *ROWS[1:]])
    assert found.misplaced == [f"alert ('a', True) of login is in {COLUMN}"]


def test_sees_an_alert_that_was_new_twice() -> None:
    assert judged(offers=[*OFFERS, OFFERS[0]]).doubled == ["alert ('a', True) was new 2 times"]


def test_sees_an_alert_that_was_kept_twice() -> None:
    assert judged(rows=[*ROWS, ROWS[0]]).doubled == ["1 alerts were kept twice"]


def test_sees_a_card_that_was_sent_twice() -> None:
    found = judged(cards=[*CARDS, CARDS[0]])
    assert found.doubled == ["cause login has 2 cards"]
    assert found.cards_per_cause_max == 2


def test_sees_a_cause_without_a_card() -> None:
    assert judged(cards=CARDS[1:]).lost == ["cause login has no card"]


def test_sees_a_card_that_names_no_run() -> None:
    assert judged(cards=[*CARDS, Card(5.0, frozenset())]).misfolded == ["a card tells of no run that failed"]


def test_sees_two_causes_in_one_incident() -> None:
    split = [RUNS[0], replace(RUNS[1], cause="server"), RUNS[2]]
    causes = (replace(CAUSES[0], pipelines=("LoadOrders",)), Cause("server", "adf-orders", ("LoadStock",), {}))
    found = judged(causes=(*causes, CAUSES[1]), runs=split)
    assert f"{LOGIN} holds runs of ['login', 'server']" in found.misfolded


def test_sees_one_cause_in_two_incidents() -> None:
    apart = [
        replace(STORIES[0], runs=frozenset({RUN_IDS["a"]})),
        replace(STORIES[0], id="inc-202611-000000000003", runs=frozenset({RUN_IDS["b"]})),
        STORIES[1],
    ]
    assert judged(stories=apart).misfolded == ["cause login has 2 incidents"]


def test_sees_an_incident_about_nothing_that_failed() -> None:
    found = judged(stories=[*STORIES, Story("inc-202611-000000000009", frozenset(), False, 1)])
    assert found.misfolded == ["inc-202611-000000000009 holds runs of nothing"]


def test_sees_a_run_that_is_in_no_incident() -> None:
    found = judged(stories=[replace(STORIES[0], runs=frozenset({RUN_IDS["a"]})), STORIES[1]])
    assert found.lost == [f"run {RUN_IDS['b']} of login is in no incident"]


def test_sees_a_cause_without_an_incident() -> None:
    assert "cause column has no incident" in judged(stories=STORIES[:1]).lost


# Reading


def test_knows_a_card_by_the_runs_it_shows() -> None:
    card = Card.of({"body": [{"text": f"Newest run {RUN_IDS['a']}"}]}, 1.0)
    assert card.runs == {RUN_IDS["a"]}


def test_knows_an_incident_by_its_runs_and_those_above_them() -> None:
    told = {"id": LOGIN, "runs": [{"run_id": "a"}], "parents": [{"run_id": "b"}], "diagnosis": {}, "alerts_count": 2}
    assert Story.of(told) == Story(LOGIN, frozenset("ab"), False, 2)


def test_takes_the_nearest_rank() -> None:
    assert [percentile(list(range(100)), percent) for percent in (50, 99)] == [50, 99]
    assert percentile([], 99) == 0.0


# The storm


def test_a_storm_has_as_many_different_alerts_as_wanted_and_repeats_on_top() -> None:
    offered = storm(RUNS, 200, 1, NOW)
    assert len({each.key for each in offered}) == len({each.body for each in offered}) == 200
    assert len(offered) == 210


def test_a_storm_tells_of_some_ends_before_their_beginning() -> None:
    offered = storm(RUNS, 200, 1, NOW)
    assert 0 < ends_before_beginnings(offered) < sum(not each.fired for each in offered)


def test_a_storm_names_no_run_and_is_the_same_for_the_same_seed() -> None:
    offered = storm(RUNS, 50, 1, NOW)
    assert offered == storm(RUNS, 50, 1, NOW) != storm(RUNS, 50, 2, NOW)
    assert not any(run.run_id.encode() in each.body for each in offered for run in RUNS)


def test_every_alert_fires_after_its_window_which_holds_the_end_of_the_run() -> None:
    ends = {run.pipeline: run.ended for run in RUNS}
    for each in storm(RUNS, 100, 1, NOW):
        data = json.loads(each.body)["data"]
        condition = data["alertContext"]["condition"]
        since, until = (datetime.fromisoformat(condition[name]) for name in ("windowStartTime", "windowEndTime"))
        assert (
            since <= ends[each.pipeline] < until <= datetime.fromisoformat(data["essentials"]["firedDateTime"]) <= NOW
        )


# The estate


def test_twenty_causes_break_the_runs_that_the_truth_says_and_no_others(tmp_path: Path) -> None:
    world = World(load_scenario(str(estate.write(tmp_path))))
    causes = estate.burst_causes()
    assert len(causes) == 20
    homes = {(cause.factory, name): cause for cause in causes for name in cause.everything}
    assert len(homes) == sum(len(cause.everything) for cause in causes)
    world.now()
    made = sum(len(living.ledger) for living in world.factories)
    assert made == sum(cause.runs for cause in causes) + sum(map(len, estate.HEALTHY.values()))
