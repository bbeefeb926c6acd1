"""Tumbling windows that depend on others: they wait, are freed, and stand still behind one that failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.adf import rendering
from localcloud.adf.living import LivingFactory
from localcloud.adf.scenario import FactorySeed, Fault, Scenario, When
from localcloud.adf.world import World

NOW = datetime(2026, 3, 18, 9, 30, tzinfo=UTC)
SELF = {"type": "SelfDependencyTumblingWindowTriggerReference", "offset": "-01:00:00", "size": "01:00:00"}


def on_trigger(name: str) -> dict[str, Any]:
    reference = {"type": "TriggerReference", "referenceName": name}
    return {"type": "TumblingWindowTriggerDependencyReference", "referenceTrigger": reference}


def hourly(pipeline: str, *depends: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "TumblingWindowTrigger",
        "runtimeState": "Started",
        "pipeline": {"pipelineReference": {"referenceName": pipeline}},
        "typeProperties": {
            "frequency": "Hour",
            "interval": 1,
            "startTime": "2026-01-01T00:00:00Z",
            "dependsOn": list(depends),
        },
    }


def world(triggers: dict[str, Any], *, broken: int | None = None, pipeline: str = "Load") -> World:
    """Every window of `pipeline` takes ten minutes; the `broken`th newest fails."""
    load = {"activities": [{"name": "Pause", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 600}}]}
    seed = FactorySeed("adf", "rg", resources={"pipelines": {"Load": load, "Report": load}, "triggers": triggers})
    when = When(latest=(broken,)) if broken else When()
    fault = Fault("broken", "adf", pipeline, "Pause", pipeline, when, error={"message": "it broke"})
    return World(Scenario("windows", (seed,), days=1, faults=(fault,)), fixed=NOW)


def told(each: World, trigger: str) -> list[str]:
    """Statuses of the windows, newest first."""
    living, now = each.factories[0], each.now()
    found = sorted(living.ledger.trigger_runs.values(), key=lambda run: run.scheduled_at, reverse=True)
    return [rendering.trigger_status(run, living.ledger, now) for run in found if run.trigger == trigger]


def started_at(living: LivingFactory, pipeline: str) -> datetime:
    return max(run.order.queued_at for run in living.ledger.roots(pipeline))


def test_windows_after_a_failed_one_wait_where_the_trigger_depends_on_itself() -> None:
    found = told(world({"Loads": hourly("Load", SELF)}, broken=4), "Loads")
    assert found[:5] == ["WaitingOnDependency"] * 3 + ["Failed", "Succeeded"]


def test_a_window_that_waits_has_started_nothing() -> None:
    living = world({"Loads": hourly("Load", SELF)}, broken=4).factories[0]
    shown = [rendering.trigger_run(r, living.ledger, NOW) for r in living.ledger.trigger_runs.values() if r.waits]
    assert [run["triggeredPipelines"] for run in shown] == [{}, {}, {}]


def test_windows_after_a_failed_one_go_on_where_nothing_depends_on_it() -> None:
    assert "WaitingOnDependency" not in told(world({"Loads": hourly("Load")}, broken=4), "Loads")


def test_a_window_starts_when_the_one_it_depends_on_has_succeeded() -> None:
    living = world({"Loads": hourly("Load"), "Reports": hourly("Report", on_trigger("Loads"))}).factories[0]
    late = started_at(living, "Report") - started_at(living, "Load")
    assert timedelta(minutes=10) < late < timedelta(minutes=11)


def test_a_failed_window_holds_up_its_own_successor_only() -> None:
    each = world({"Loads": hourly("Load"), "Reports": hourly("Report", on_trigger("Loads"))}, broken=2)
    assert told(each, "Reports")[:3] == ["Succeeded", "WaitingOnDependency", "Succeeded"]


def test_rerunning_the_failed_window_frees_those_behind_it_one_by_one() -> None:
    each = world({"Loads": hourly("Load", SELF)}, broken=3)
    living = each.factories[0]
    trigger = living.factory.all("triggers")[0]
    failed = next(r for r in living.ledger.trigger_runs.values() if told_of(living, r) == "Failed")
    living.rerun_window(failed, trigger, each.now())
    each.clock.advance(15 * 60)
    assert told(each, "Loads")[:2] == ["WaitingOnDependency", "Inprogress"]
    each.clock.advance(20 * 60)
    assert "WaitingOnDependency" not in told(each, "Loads")


def told_of(living: LivingFactory, run: Any) -> str:
    return rendering.trigger_status(run, living.ledger, NOW)
