"""The default world tells the story that the truth, written apart from it, says it tells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.adf import rendering
from localcloud.adf.living import LivingFactory
from localcloud.adf.scenario import load_scenario, names
from localcloud.adf.simulated import ActivityRun, PipelineRun
from localcloud.adf.world import World
from tests.localcloud.adf.conftest import NOW, ROOT

TRUTH = json.loads((ROOT / "bench/truth/default.json").read_text(encoding="utf-8"))
CASES = [case for case in TRUTH["cases"] if case["run"]]
FAILURES = [case for case in CASES if case.get("category") not in (None, "cancelled")]
LAST_DAY = [case for case in FAILURES if case["facts"].get("last_24_hours")]


@pytest.fixture(scope="module")
def world() -> World:
    return World(load_scenario("default"), fixed=NOW)


def factory(world: World, name: str) -> LivingFactory:
    return next(living for living in world.factories if living.factory.name == name)


def everything(living: LivingFactory, now: datetime, days: float = 14) -> list[PipelineRun]:
    return list(living.ledger.updated_between(now - timedelta(days=days), now, now))


def failed_at(run: PipelineRun) -> Iterator[list[tuple[str, str, int | None]]]:
    """Every way from the run down to an activity that failed of itself."""
    for activity in run.activities:
        if activity.status != "Failed" or (activity.failure and activity.failure.code == "ActionFailed"):
            continue
        hop = (run.order.pipeline.name, activity.activity.name, activity.iteration)
        if activity.child is None:
            yield [*containers(run, activity), hop]
        else:
            yield from ([hop, *rest] for rest in failed_at(activity.child))


def containers(run: PipelineRun, inner: ActivityRun) -> Iterator[tuple[str, str, int | None]]:
    for activity in run.activities:
        branches = activity.activity.branches.values()
        if any(step.name == inner.activity.name for branch in branches for step in branch):
            yield (run.order.pipeline.name, activity.activity.name, None)


def hops(case: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    path = [(pipeline, activity, None) for pipeline, activity in case["root_cause_path"]]
    return [*path[:-1], (*path[-1][:2], case["facts"].get("iteration"))]


def meant(living: LivingFactory, case: dict[str, Any]) -> PipelineRun:
    """The nth newest run with its status among those that began before the world did."""
    wanted = case["run"]
    found = [run for run in reversed(living.ledger.roots(wanted["pipeline"])) if run.order.queued_at <= NOW]
    return [run for run in found if run.status_at(NOW) == wanted["status"]][int(wanted["nth"]) - 1]


def run_of(world: World, case: dict[str, Any]) -> PipelineRun:
    return meant(factory(world, case["run"]["factory"]), case)


def identity(case: dict[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.parametrize("case", FAILURES, ids=identity)
def test_each_injected_failure_breaks_where_the_truth_says(world: World, case: dict[str, Any]) -> None:
    assert hops(case) in list(failed_at(run_of(world, case)))


@pytest.mark.parametrize("case", FAILURES, ids=identity)
def test_the_text_of_each_failure_holds_its_numbers_and_its_traps(world: World, case: dict[str, Any]) -> None:
    run = run_of(world, case)
    failures = [a.failure for each in run.family() for a in each.activities if a.failure]
    text = " ".join(f"{failure.code} {failure.message}" for failure in failures)
    expected = [
        *case["facts"].get("error_numbers", ()),
        *case.get("secrets", ()),
        *filter(None, [case.get("injection")]),
    ]
    assert [word for word in expected if word not in text and word != "403"] == []


def test_nothing_fails_that_the_truth_does_not_know(world: World) -> None:
    known = {case["run"]["pipeline"] for case in FAILURES} | {"LoadWarehouse", "LoadFactSales"}
    for living in world.factories:
        wrong = {run.order.pipeline.name for run in everything(living, NOW) if run.status_at(NOW) == "Failed"}
        assert wrong <= known


def test_there_are_at_least_eight_kinds_of_failure_within_a_day() -> None:
    assert len({case["category"] for case in LAST_DAY}) >= 8


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_at_any_hour_the_day_before_holds_the_failures_that_the_truth_places_there(hour: int) -> None:
    now = NOW.replace(hour=hour, minute=7)
    world = World(load_scenario("default"), fixed=now)
    seen = {
        (f.factory.name, r.order.pipeline.name, r.status_at(now))
        for f in world.factories
        for r in everything(f, now, 1)
    }
    wanted = [case["run"] for case in LAST_DAY if case["id"] != "partner-sas-expired"]
    due = {(run["factory"], run["pipeline"], run["status"]) for run in wanted}
    assert due <= seen


@pytest.mark.parametrize("status", ["InProgress", "Queued", "Cancelled"])
def test_there_is_a_run_that_is_going_on_one_that_waits_and_one_that_was_cancelled(world: World, status: str) -> None:
    wanted = [case["run"] for case in CASES if case["run"]["status"] == status]
    due = {(run["factory"], run["pipeline"]) for run in wanted}
    seen = {
        (f.factory.name, r.order.pipeline.name)
        for f in world.factories
        for r in everything(f, NOW)
        if r.status_at(NOW) == status
    }
    assert due <= seen


def test_two_weeks_hold_a_couple_of_thousand_runs(world: World) -> None:
    counted = Counter(run.status_at(NOW) for living in world.factories for run in everything(living, NOW))
    assert sum(counted.values()) > 2000
    assert counted["Succeeded"] > 40 * counted["Failed"]


def test_one_load_gets_slower_from_day_to_day(world: World) -> None:
    loads = [run for run in factory(world, "adf-prod").ledger.roots("LoadCustomers") if run.end and run.start]
    lengths = [(run.end - run.start).total_seconds() for run in loads if run.end and run.start]
    assert sum(lengths[-4:]) > 1.3 * sum(lengths[:4])


def test_a_pipeline_that_nothing_starts_has_no_runs(world: World) -> None:
    assert factory(world, "adf-dev").ledger.roots("NeverRun") == []


def rendered(world: World) -> str:
    shown = []
    for living in world.factories:
        for run in everything(living, NOW):
            shown.append(rendering.pipeline_run(run, living.ledger, living.factory, NOW))
            shown += [rendering.activity_run(a, run, living.factory, NOW) for a in rendering.activity_runs(run, NOW)]
    return json.dumps(shown)


def test_one_seed_and_one_clock_give_one_world(world: World) -> None:
    assert rendered(World(load_scenario("default"), fixed=NOW)) == rendered(world)


def test_another_seed_tells_the_same_story_with_other_numbers(world: World) -> None:
    other = World(load_scenario("default"), seed=8, fixed=NOW)
    ids = [{run.id for run in everything(factory(each, "adf-prod"), NOW)} for each in (world, other)]
    told = [Counter(r.status_at(NOW) for r in everything(factory(each, "adf-prod"), NOW)) for each in (world, other)]
    assert not ids[0] & ids[1]
    assert told[0]["Failed"] == told[1]["Failed"]


def test_history_does_not_change_when_time_goes_on() -> None:
    world = World(load_scenario("default"), fixed=NOW)
    before = [(run.id, run.status, run.end) for run in everything(factory(world, "adf-prod"), NOW)]
    world.clock.advance(5 * 3600)
    world.now()
    assert [(run.id, run.status, run.end) for run in everything(factory(world, "adf-prod"), NOW)] == before


def test_the_stand_in_never_reads_the_truth() -> None:
    sources = (ROOT / "localcloud/adf").rglob("*.*")
    assert not [
        path for path in sources if path.suffix in (".py", ".yaml") and "bench" in path.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("name", names())
def test_every_scenario_makes_a_world(name: str) -> None:
    assert World(load_scenario(name), fixed=datetime(2026, 7, 1, 0, 3, tzinfo=UTC)).factories


def names_in(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names_in(inner)


def test_no_name_in_the_definitions_is_taken_for_a_truth_value() -> None:
    """YAML reads a bare `on` as true, and a Switch has a property of that name."""
    resources = [seed.resources for seed in load_scenario("default").factories]
    assert {type(name) for each in resources for kind in each.values() for name in names_in(dict(kind))} == {str}
