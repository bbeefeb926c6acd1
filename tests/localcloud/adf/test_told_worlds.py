"""The other worlds tell the stories that their truths, written apart from them, say they tell, at any hour."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from localcloud.adf.living import LivingFactory
from localcloud.adf.scenario import WORLDS, load_scenario
from localcloud.adf.simulated import PipelineRun
from localcloud.adf.world import World
from tests.localcloud.adf.conftest import ROOT

NAMES = ("operations", "misleading")
CLOCKS = tuple(
    datetime(2026, *moment, tzinfo=UTC) for moment in ((3, 18, 9, 30), (7, 5, 0, 12), (7, 5, 0, 36), (11, 22, 16, 16))
)
SAID_BY_THE_SERVICE = {"WaitingOnDependency"}

Case = tuple[str, dict[str, Any]]


def truth(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((ROOT / f"bench/truth/{name}.json").read_text(encoding="utf-8"))["cases"]
    return cases


CASES: list[Case] = [(name, case) for name in NAMES for case in truth(name)]
RUNS = [(name, case) for name, case in CASES if case["run"]]
FAILED = [(name, case) for name, case in RUNS if case.get("outcome") == "failed" and "root_cause_path" in case]
HIDDEN = [(name, case) for name, case in RUNS if case.get("outcome") == "succeeded" and "root_cause_path" in case]


def identity(value: object) -> str:
    return str(value[1]["id"]) if isinstance(value, tuple) else f"{value:%H%M}"


@cache
def world(name: str, clock: datetime) -> World:
    return World(load_scenario(name), fixed=clock)


def meant(case: Case, clock: datetime) -> PipelineRun:
    """The nth newest run with that status."""
    wanted = case[1]["run"]
    living = next(each for each in world(case[0], clock).factories if each.factory.name == wanted["factory"])
    found = [run for run in runs_of(living, clock) if run.order.pipeline.name == wanted["pipeline"]]
    nth: int = wanted["nth"]
    return [run for run in found if run.status_at(clock) == wanted["status"]][nth - 1]


def runs_of(living: LivingFactory, clock: datetime) -> list[PipelineRun]:
    """Newest first."""
    found = living.ledger.updated_between(datetime(2020, 1, 1, tzinfo=UTC), clock, clock)
    return sorted(found, key=lambda run: run.order.queued_at, reverse=True)


def ways_down(run: PipelineRun) -> Iterator[list[list[str]]]:
    """From the run to each activity that failed of itself or in a child; containers left out."""
    pipeline = run.order.pipeline.name
    for activity in run.activities:
        hop = [pipeline, activity.activity.name]
        if activity.child is not None:
            yield from ([hop, *rest] for rest in ways_down(activity.child))
        elif activity.status == "Failed" and not activity.activity.branches:
            yield [hop]


def without_containers(run: PipelineRun, path: list[list[str]]) -> list[list[str]]:
    known = {(each.order.pipeline.name, a.activity.name): a for each in run.family() for a in each.activities}
    return [hop for hop in path if not known[hop[0], hop[1]].activity.branches]


@pytest.mark.parametrize("clock", CLOCKS, ids=identity)
@pytest.mark.parametrize("case", RUNS, ids=identity)
def test_the_run_that_is_meant_exists(case: Case, clock: datetime) -> None:
    assert meant(case, clock).id


@pytest.mark.parametrize("clock", CLOCKS, ids=identity)
@pytest.mark.parametrize("case", FAILED + HIDDEN, ids=identity)
def test_it_broke_where_the_truth_says(case: Case, clock: datetime) -> None:
    run = meant(case, clock)
    assert without_containers(run, case[1]["root_cause_path"]) in list(ways_down(run))


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_what_must_be_told_stands_in_the_world(case: Case) -> None:
    name, told = case
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(WORLDS.rglob("*.yaml")) if name in str(path))
    words = {word for tell in told.get("tells", ()) for word in tell["words"]} | set(told.get("secrets", ()))
    assert {word for word in words if word not in text} <= SAID_BY_THE_SERVICE


def test_the_window_of_an_alert_holds_one_failed_run_of_several() -> None:
    clock = CLOCKS[0]
    older, newer = (next(c for c in FAILED if c[1]["id"] == name) for name in ("alert-without-run-id", "log-full"))
    first, second = meant(older, clock), meant(newer, clock)
    assert first.end is not None
    assert (second.order.queued_at - first.end).total_seconds() > 3600


def test_a_day_in_amsterdam_begins_in_the_evening_of_the_day_before() -> None:
    case = next(c for c in FAILED if c[1]["id"] == "night-before-last-in-amsterdam")
    run = meant(case, CLOCKS[0])
    assert (run.order.queued_at.hour, run.order.queued_at.minute) == (23, 30)


def test_a_loop_of_a_hundred_and_thirty_items_makes_as_many_activity_runs() -> None:
    case = next(c for c in FAILED if c[1]["id"] == "one-store-of-130")
    copies = [a for a in meant(case, CLOCKS[0]).activities if a.activity.name == "CopyStore"]
    assert len(copies) == 130
    assert [a.status for a in copies].count("Failed") == 1


def test_five_windows_wait_behind_the_failed_one() -> None:
    living = world("operations", CLOCKS[0]).factories[0]
    assert sum(run.waits for run in living.ledger.trigger_runs.values()) == 5


def test_a_deleted_pipeline_leaves_its_runs_behind() -> None:
    living = world("operations", CLOCKS[0]).factories[0]
    assert living.factory.get("pipelines", "LegacyFeed") is None
    assert [run.status for run in living.ledger.roots("LegacyFeed")] == ["Succeeded", "Succeeded", "Failed"]


def test_a_copy_on_a_crowded_runtime_is_queued_before_it_moves_anything() -> None:
    case = next(c for c in RUNS if c[1]["id"] == "waits-for-the-runtime")
    assert [a.status_at(CLOCKS[0]) for a in meant(case, CLOCKS[0]).activities] == ["Queued"]


def test_a_run_is_stopped_by_its_own_check_when_nothing_was_copied() -> None:
    case = next(c for c in FAILED if c[1]["id"] == "stopped-by-its-own-check")
    assert [a.rows for a in meant(case, CLOCKS[0]).activities if a.activity.name == "CopyArrivals"] == [0]


def test_a_child_that_somebody_cancels_fails_the_run_that_called_it() -> None:
    case = next(c for c in RUNS if c[1]["id"] == "failed-because-its-child-was-cancelled")
    run = meant(case, CLOCKS[0])
    assert [(each.order.pipeline.name, each.status) for each in run.family()] == [
        ("AuditWeek", "Failed"),
        ("SampleReceipts", "Cancelled"),
    ]
