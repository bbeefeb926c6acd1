"""A real factory, as Git integration or a plain folder holds it, made into a scenario with living runs.

Its triggers keep their schedules where they are started. What nothing starts gets a schedule of its own, so that every
pipeline has runs; what is called but not in the folder gets a placeholder; and a few activities get plausible faults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from localcloud.adf import dice, orders
from localcloud.adf.branches import usual_path
from localcloud.adf.definitions import Activity, Json, Pipeline, child_name, read_pipeline, walk
from localcloud.adf.folder import Found, read_folder
from localcloud.adf.scenario import KINDS, BadScenario, FactorySeed, Fault, Scenario, When

GROUP = "rg-local"
SHARE_OF_FAULTY = 5  # one pipeline in so many
FEWEST_FAULTS, MOST_FAULTS = 4, 14
ADDED = "added by the local stand-in"
_PLAUSIBLE = Path(__file__).with_name("plausible.yaml")


def load_exported(path: str, seed: int) -> tuple[Scenario, list[str]]:
    """The scenario, and notes for whoever started it. Raises BadScenario when nothing usable is there."""
    root = Path(path)
    if not root.is_dir():
        raise BadScenario(f"There is no folder {path!r}.")
    found = read_folder(root)
    if not found.resources:
        raise BadScenario("\n".join([*found.notes, f"Nothing of a factory was found in {path!r}."]))
    _add_placeholders(found)
    name = _slug(found.factory or root.resolve().name)
    pipelines = {key: read_pipeline(key, value) for key, value in found.resources["pipelines"].items()}
    roots = _schedule(found, pipelines, seed)
    faults = tuple(_faults(name, pipelines, roots, seed))
    resources = {kind: found.resources.get(kind, {}) for kind in KINDS}
    factory = FactorySeed(name, GROUP, found.location or "westeurope", {"source": "folder"}, resources)
    counts = ", ".join(f"{len(items)} {kind}" for kind, items in resources.items() if items)
    summary = f"factory {name!r} in group {GROUP!r}: {counts}; {found.skipped} files skipped, {len(faults)} faults"
    return Scenario(name, (factory,), faults=faults), [*found.notes, summary]


def _add_placeholders(found: Found) -> None:
    pipelines = found.resources.setdefault("pipelines", {})
    for name in list(pipelines):
        for activity in walk(read_pipeline(name, pipelines[name]).activities):
            child = child_name(activity)
            if activity.type == "ExecutePipeline" and child is not None and child not in pipelines:
                wait = {"name": "Placeholder", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 5}}
                pipelines[child] = {"description": ADDED, "annotations": [ADDED], "activities": [wait]}
                found.notes.append(
                    f"pipeline {child!r} is called by {name!r} but not in the folder: a placeholder stands in"
                )


def _schedule(found: Found, pipelines: Mapping[str, Pipeline], seed: int) -> list[str]:
    """Give a schedule to what nothing reaches; the pipelines that got one."""
    triggers = found.resources.setdefault("triggers", {})
    started = [trigger for trigger in triggers.values() if trigger.get("runtimeState") == "Started"]
    reached = _reached([name for trigger in started for name, _ in orders.pipelines_of(trigger)], pipelines)
    called = {child for pipeline in pipelines.values() for child in _called(pipeline, pipelines)}
    scheduled: list[str] = []
    for name in sorted(pipelines, key=lambda name: (name in called, name)):
        if name not in reached:
            scheduled.append(name)
            triggers[f"Local schedule of {name}"] = _daily(name, seed)
            reached |= _reached([name], pipelines)
    return scheduled


def _reached(names: list[str], pipelines: Mapping[str, Pipeline]) -> set[str]:
    reached: set[str] = set()
    while names:
        name = names.pop()
        if name in pipelines and name not in reached:
            reached.add(name)
            names += _called(pipelines[name], pipelines)
    return reached


def _called(pipeline: Pipeline, pipelines: Mapping[str, Pipeline]) -> list[str]:
    path = usual_path(pipeline.activities, pipelines.get)
    return [child for activity in path if (child := child_name(activity)) is not None]


def _daily(name: str, seed: int) -> Json:
    hour, minute = dice.whole(0, 23, "hour", seed, name), 5 * dice.whole(0, 11, "minute", seed, name)
    start = f"2024-01-01T{hour:02}:{minute:02}:00Z"
    return {
        "type": "ScheduleTrigger",
        "runtimeState": "Started",
        "annotations": [ADDED],
        "pipelines": [{"pipelineReference": {"referenceName": name, "type": "PipelineReference"}}],
        "typeProperties": {"recurrence": {"frequency": "Day", "interval": 1, "startTime": start, "timeZone": "UTC"}},
    }


def _faults(factory: str, pipelines: Mapping[str, Pipeline], roots: list[str], seed: int) -> Iterator[Fault]:
    catalogue = yaml.safe_load(_PLAUSIBLE.read_text(encoding="utf-8"))
    wanted = min(MOST_FAULTS, max(FEWEST_FAULTS, len(roots) // SHARE_OF_FAULTY))
    for root in sorted(roots, key=lambda name: dice.chance("faulty", seed, name)):
        spots = _spots(root, pipelines, catalogue)
        if spots and wanted > 0:
            wanted -= 1
            pipeline, activity = spots[dice.whole(0, len(spots) - 1, "spot", seed, root)]
            yield _fault(factory, root, pipeline, activity, catalogue, seed)


def _spots(root: str, pipelines: Mapping[str, Pipeline], catalogue: list[Any]) -> list[tuple[str, Activity]]:
    """Activities that a run of the root comes to, its children's too, and that could plausibly fail."""
    types = {kind for entry in catalogue for kind in entry["types"]}
    reached = sorted(_reached([root], pipelines))
    paths = ((name, activity) for name in reached for activity in usual_path(pipelines[name].activities, pipelines.get))
    return [(name, activity) for name, activity in paths if activity.type in types]


def _fault(factory: str, root: str, pipeline: str, activity: Activity, catalogue: list[Any], seed: int) -> Fault:
    fitting = [entry for entry in catalogue if activity.type in entry["types"]]
    entry = fitting[dice.whole(0, len(fitting) - 1, "error", seed, root)]
    back = dice.whole(1, 3, "back", seed, root)
    return Fault(
        id=f"plausible-{_slug(root)}",
        factory=factory,
        pipeline=pipeline,
        activity=activity.name,
        root=root,
        when=When(latest=(1, 1 + back)) if entry.get("once") else When(since_latest=back),
        error=entry["error"],
        seconds=float(dice.whole(4, 120, "until", seed, root)),
    )


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "factory"
