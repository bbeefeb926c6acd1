"""A scenario: factories with their definitions, and what happens in them. Read from YAML, never from code.

A scenario may injure an activity (`faults`), start runs by hand (`runs`), rerun a failed one (`reruns`), cancel one
(`cancels`), stop a trigger for a while (`pauses`), crowd an integration runtime (`congestion`), tell who changed or
deleted which definition when (`changes`), and say how long activities take and how much they move (`profile`). It never
states the status of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from localcloud.adf.definitions import Json

WORLDS = Path(__file__).parent / "worlds"
DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
SOMEBODY = "operator@contoso.example"  # did what a scenario names nobody for, and what is asked of the stand-in itself
KINDS = ("pipelines", "datasets", "linkedservices", "triggers", "dataflows", "integrationruntimes")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast, where it was built


class BadScenario(ValueError):
    """The scenario cannot be read; the message names the place."""


@dataclass(frozen=True, slots=True)
class FactorySeed:
    name: str
    group: str
    location: str = "westeurope"
    tags: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class When:
    """Which runs are meant, counted back from the start of the world among the scheduled runs that had ended by then.

    latest: exactly these (1 is the last one); since_latest: that one and every run after it, reruns included;
    since_hours: all that began from so many hours before the start of the world on; label: a run of the scenario.
    """

    latest: tuple[int, ...] = ()
    since_latest: int | None = None
    since_hours: float | None = None
    label: str | None = None
    always: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    id: str
    factory: str
    pipeline: str
    activity: str
    root: str
    when: When
    iteration: int | None = None
    error: Json | None = None
    attempts: int | None = None
    seconds: float | None = None
    times_out: bool = False
    hangs: bool = False
    slower: float = 1.0
    rows: int | None = None
    notes: Json = field(default_factory=dict)  # what a copy tells besides: rowsRead, rowsSkipped, throttled
    branch: str | None = None  # an If or a Switch that goes this way for once
    earlier_errors: tuple[Json, ...] = ()  # of the first attempts, where they failed of something else


@dataclass(frozen=True, slots=True)
class ManualRun:
    label: str
    factory: str
    pipeline: str
    minutes_ago: float
    parameters: Json = field(default_factory=dict)
    by: str = SOMEBODY


@dataclass(frozen=True, slots=True)
class Rerun:
    """Run the failed run of a fault again; `activity` or from_failure leave out what had succeeded."""

    fault: str
    minutes_after: float
    from_failure: bool = False
    activity: str | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """`called`: not the run itself, but the one of this pipeline that it had called; of runs with a label only."""

    factory: str
    pipeline: str
    when: When
    minutes_after: float
    recursive: bool = True
    end_unrecorded: bool = False
    called: str | None = None
    by: str = SOMEBODY


@dataclass(frozen=True, slots=True)
class Pause:
    """A schedule trigger that was stopped, and started again unless until_hours_ago is None."""

    factory: str
    trigger: str
    hours_ago: float
    until_hours_ago: float | None = None
    by: str = SOMEBODY


@dataclass(frozen=True, slots=True)
class Change:
    """A definition written anew: `resource` as in pipelines/LoadSales. Either so long before the start of the world,
    or so long before the first run that a fault hits. With the operation delete it is gone when the world begins."""

    factory: str
    resource: str
    hours_ago: float | None = None
    fault: str | None = None
    minutes_before: float = 0.0
    operation: str = "write"
    by: str = SOMEBODY


@dataclass(frozen=True, slots=True)
class Congestion:
    """A self-hosted runtime with more work than places: what begins on it waits about so many minutes for its turn."""

    factory: str
    runtime: str
    minutes: float
    hours_ago: float
    until_hours_ago: float | None = None

    def lasts_at(self, moment: datetime, anchor: datetime) -> bool:
        begin, end = self.hours_ago, self.until_hours_ago
        return anchor - timedelta(hours=begin) <= moment and (end is None or moment < anchor - timedelta(hours=end))


@dataclass(frozen=True, slots=True)
class Profile:
    seconds: float | None = None
    rows: int | None = None
    rounds: int | None = None
    branch: str | None = None
    growth_per_day: float = 0.0


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """As it is for so many `hours` by the start of the world, and for `back_minutes` longer; without them for good."""

    factory: str
    name: str
    state: str
    hours: float = 0.0
    back_minutes: float | None = None
    settings: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    factories: tuple[FactorySeed, ...]
    subscription: str = DEFAULT_SUBSCRIPTION
    days: int = 14
    faults: tuple[Fault, ...] = ()
    runs: tuple[ManualRun, ...] = ()
    reruns: tuple[Rerun, ...] = ()
    cancels: tuple[Cancel, ...] = ()
    pauses: tuple[Pause, ...] = ()
    changes: tuple[Change, ...] = ()
    congestion: tuple[Congestion, ...] = ()
    profiles: Mapping[tuple[str, str, str], Profile] = field(default_factory=dict)
    runtimes: tuple[RuntimeState, ...] = ()


def names() -> list[str]:
    """The scenarios that come with the stand-in."""
    return sorted(path.stem for path in WORLDS.glob("*.yaml"))


def load_scenario(name: str) -> Scenario:
    """By name, or by the path of a YAML file. Raises BadScenario."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else WORLDS / f"{name}.yaml"
    if not path.is_file():
        raise BadScenario(f"No scenario {name!r}. There are: {', '.join(names())}.")
    try:
        return _read(path.stem, _load_yaml(path), path.parent)
    except (KeyError, TypeError, AttributeError) as exc:
        raise BadScenario(f"Scenario {name!r} is not well formed: {exc!r}") from exc


def _load_yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.YAMLError as exc:
        raise BadScenario(f"{path.name}: {exc}") from exc


def _read(name: str, data: Mapping[str, Any], folder: Path) -> Scenario:
    return Scenario(
        name=name,
        factories=tuple(_factory(key, value, folder) for key, value in data["factories"].items()),
        subscription=data.get("subscription", DEFAULT_SUBSCRIPTION),
        days=data.get("days", 14),
        faults=tuple(_fault(item) for item in data.get("faults") or ()),
        runs=tuple(ManualRun(**item) for item in data.get("runs") or ()),
        reruns=tuple(Rerun(**item) for item in data.get("reruns") or ()),
        cancels=tuple(Cancel(**{**item, "when": _when(item["when"])}) for item in data.get("cancels") or ()),
        pauses=tuple(Pause(**item) for item in data.get("pauses") or ()),
        changes=tuple(Change(**item) for item in data.get("changes") or ()),
        congestion=tuple(Congestion(**item) for item in data.get("congestion") or ()),
        profiles=dict(_profile(item) for item in data.get("profile") or ()),
        runtimes=tuple(RuntimeState(**item) for item in data.get("runtimes") or ()),
    )


def _factory(name: str, data: Mapping[str, Any], folder: Path) -> FactorySeed:
    resources = _load_yaml(folder / data["definitions"])
    unknown = set(resources) - set(KINDS)
    if unknown:
        raise BadScenario(f"{data['definitions']}: no such kind of resource: {', '.join(sorted(unknown))}")
    return FactorySeed(
        name=name,
        group=data["resource_group"],
        location=data.get("location", "westeurope"),
        tags=data.get("tags") or {},
        resources={kind: resources.get(kind) or {} for kind in KINDS},
    )


def _fault(data: Mapping[str, Any]) -> Fault:
    told = {"root": data.get("root", data["pipeline"]), "earlier_errors": tuple(data.get("earlier_errors", ()))}
    return Fault(**{**data, **told, "when": _when(data["when"])})


def _when(data: Mapping[str, Any]) -> When:
    latest = data.get("latest", ())
    return When(
        latest=(latest,) if isinstance(latest, int) else tuple(latest),
        since_latest=data.get("since_latest"),
        since_hours=data.get("since_hours"),
        label=data.get("label"),
        always=data.get("always", False),
    )


def _profile(data: Mapping[str, Any]) -> tuple[tuple[str, str, str], Profile]:
    rest = {key: value for key, value in data.items() if key not in ("factory", "pipeline", "activity")}
    if "minutes" in rest:
        rest["seconds"] = rest.pop("minutes") * 60
    return (data["factory"], data["pipeline"], data["activity"]), Profile(**rest)
