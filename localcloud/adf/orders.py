"""Asking for runs: by a trigger that fires, by hand, or again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localcloud.adf import dice
from localcloud.adf.clock import stamp
from localcloud.adf.definitions import Activity, Json, Pipeline
from localcloud.adf.schedule import Firing
from localcloud.adf.scopes import FAILED, SUCCEEDED
from localcloud.adf.simulated import Invoker, Order, Origin, PipelineRun


def scheduled_run_id(seed: int, factory: str, trigger: str, pipeline: str, moment: datetime) -> str:
    return dice.identifier("scheduled", seed, factory, trigger, pipeline, moment.isoformat())


def trigger_run_id(seed: int, factory: str, trigger: str, moment: datetime, again: int = 0) -> str:
    digits = dice.whole(10**24, 10**25 - 1, "trigger", seed, factory, trigger, moment.isoformat(), again)
    return f"0858{digits}CU{dice.whole(10, 39, 'unit', seed, factory)}"


def pipelines_of(trigger: Json) -> list[tuple[str, Json]]:
    """The pipelines a trigger starts, each with the parameters it hands over."""
    references = [*(trigger.get("pipelines") or ()), trigger.get("pipeline")]
    found = []
    for item in references:
        reference = (item or {}).get("pipelineReference") or {}
        if reference.get("referenceName"):
            found.append((str(reference["referenceName"]), (item or {}).get("parameters") or {}))
    return found


def by_trigger(
    run_id: str, pipeline: Pipeline, trigger: str, kind: str, fired: tuple[str, Firing, datetime], given: Json
) -> Order:
    trigger_run, firing, begins = fired
    values = {key: _trigger_value(value, firing) for key, value in given.items()}
    return Order(
        run_id=run_id,
        group_id=run_id,
        pipeline=pipeline,
        queued_at=begins,
        invoker=Invoker(trigger, trigger_run, kind),
        origin=Origin(pipeline.name, firing.moment),
        parameters={**pipeline.defaults, **values},
        dimension=window(firing),
    )


def by_hand(run_id: str, pipeline: Pipeline, begins: datetime, given: Json, label: str) -> Order:
    return Order(
        run_id=run_id,
        group_id=run_id,
        pipeline=pipeline,
        queued_at=begins,
        invoker=Invoker("Manual", dice.token("manual", run_id), "Manual"),
        origin=Origin(pipeline.name, begins, label),
        parameters={**pipeline.defaults, **given},
    )


def only_from(pipeline: Pipeline, activity: str) -> frozenset[str]:
    """A rerun from an activity: that one and everything that waits for it."""
    wanted = {activity}
    grew = True
    while grew:
        more = {a.name for a in pipeline.activities if any(d.activity in wanted for d in a.depends_on)} - wanted
        wanted |= more
        grew = bool(more)
    return frozenset(wanted)


def only_failed(pipeline: Pipeline, run: PipelineRun) -> frozenset[str]:
    """A rerun from failure: what failed or was stopped, what never began, and everything that waits for those."""
    done = {a.activity.name for a in run.activities if a.status == SUCCEEDED and a.iteration is None}
    failed = [a for a in pipeline.activities if a.name not in done and _was_due(a, run)]
    return frozenset().union(*(only_from(pipeline, activity.name) for activity in failed))


def window(firing: Firing) -> Mapping[str, str]:
    if firing.window_start is None:
        return {}
    return {"windowStartTime": stamp(firing.window_start) or "", "windowEndTime": stamp(firing.moment) or ""}


def as_text(value: Any) -> str:
    """Parameters of a run are reported as text."""
    return value if isinstance(value, str) else json.dumps(value)


def _was_due(activity: Activity, run: PipelineRun) -> bool:
    started = {a.activity.name for a in run.activities if a.status != SUCCEEDED}
    return activity.name in started or run.status != FAILED


def _trigger_value(value: Any, firing: Firing) -> Any:
    text = value.get("value") if isinstance(value, Mapping) and value.get("type") == "Expression" else value
    if not isinstance(text, str) or not text.startswith("@trigger()"):
        return value
    if "windowStartTime" in text and firing.window_start is not None:
        return stamp(firing.window_start)
    if "fileName" in text:
        return f"batch_{firing.moment:%Y%m%d_%H%M%S}.csv"
    return f"/landing/{firing.moment:%Y/%m/%d}" if "folderPath" in text else stamp(firing.moment)
