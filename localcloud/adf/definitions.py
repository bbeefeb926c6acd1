"""Pipeline definitions: the JSON that Data Factory stores, read into what a simulation needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]

DEFAULT_RETRY_SECONDS = 30
_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d+):(\d+):(\d+)(?:\.\d+)?$")


class BadDefinition(ValueError):
    """A definition that Data Factory would not accept; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Dependency:
    activity: str
    conditions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Activity:
    name: str
    type: str
    depends_on: tuple[Dependency, ...] = ()
    retries: int = 0
    retry_seconds: float = DEFAULT_RETRY_SECONDS
    timeout_seconds: float | None = None
    settings: Json = field(default_factory=dict)
    raw: Json = field(default_factory=dict)
    branches: Mapping[str, tuple[Activity, ...]] = field(default_factory=dict)
    inactive_as: str | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    name: str
    activities: tuple[Activity, ...]
    defaults: Json = field(default_factory=dict)
    concurrency: int | None = None
    annotations: tuple[Any, ...] = ()


def read_pipeline(name: str, properties: Any) -> Pipeline:
    """Raises BadDefinition."""
    if not isinstance(properties, Mapping):
        raise BadDefinition(f"pipeline {name!r}: 'properties' is not an object")
    parameters = _mapping(properties.get("parameters"), name)
    concurrency = properties.get("concurrency")
    return Pipeline(
        name=name,
        activities=_read_activities(properties.get("activities"), name),
        defaults={key: value.get("defaultValue") for key, value in parameters.items() if isinstance(value, Mapping)},
        concurrency=concurrency if isinstance(concurrency, int) and concurrency > 0 else None,
        annotations=tuple(properties.get("annotations") or ()),
    )


def walk(activities: tuple[Activity, ...]) -> Iterator[Activity]:
    """Every activity, those inside containers too."""
    for activity in activities:
        yield activity
        for branch in activity.branches.values():
            yield from walk(branch)


def child_name(activity: Activity) -> str | None:
    """The pipeline that an ExecutePipeline activity calls."""
    reference = activity.settings.get("pipeline")
    return str(reference["referenceName"]) if isinstance(reference, Mapping) and "referenceName" in reference else None


def timespan_seconds(text: Any) -> float | None:
    """`d.hh:mm:ss` in seconds, None when the text is no time span (an expression, for example)."""
    match = _TIMESPAN.match(text) if isinstance(text, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _read_activities(value: Any, where: str) -> tuple[Activity, ...]:
    if value is None or _is_template(value):
        return ()
    if not isinstance(value, list):
        raise BadDefinition(f"{where}: 'activities' is not a list")
    activities = tuple(_read_activity(item, where) for item in value)
    names = [activity.name for activity in activities]
    if len(set(names)) < len(names):
        raise BadDefinition(f"{where}: two activities have one name")
    return activities


def _read_activity(value: Any, where: str) -> Activity:
    if (
        not isinstance(value, Mapping)
        or not isinstance(value.get("name"), str)
        or not isinstance(value.get("type"), str)
    ):
        raise BadDefinition(f"{where}: an activity lacks 'name' or 'type'")
    policy = _mapping(value.get("policy"), where)
    settings = _mapping(value.get("typeProperties"), where)
    path = f"{where}/{value['name']}"
    return Activity(
        name=value["name"],
        type=value["type"],
        depends_on=tuple(_read_dependency(item, path) for item in value.get("dependsOn") or ()),
        retries=_number(policy.get("retry"), 0),
        retry_seconds=_number(policy.get("retryIntervalInSeconds"), DEFAULT_RETRY_SECONDS),
        timeout_seconds=timespan_seconds(policy.get("timeout")),
        settings=settings,
        raw=value,
        branches=_read_branches(value["type"], settings, path),
        inactive_as=str(value.get("onInactiveMarkAs", "Succeeded")) if value.get("state") == "Inactive" else None,
    )


def _read_dependency(value: Any, where: str) -> Dependency:
    if not isinstance(value, Mapping) or not isinstance(value.get("activity"), str):
        raise BadDefinition(f"{where}: a dependency names no activity")
    return Dependency(value["activity"], frozenset(value.get("dependencyConditions") or ("Succeeded",)))


def _read_branches(kind: str, settings: Json, where: str) -> dict[str, tuple[Activity, ...]]:
    if kind in ("ForEach", "Until"):
        return {"": _read_activities(settings.get("activities"), where)}
    if kind == "IfCondition":
        return {
            "True": _read_activities(settings.get("ifTrueActivities"), where),
            "False": _read_activities(settings.get("ifFalseActivities"), where),
        }
    if kind == "Switch":
        cases = {str(case.get("value")): case.get("activities") for case in settings.get("cases") or ()}
        cases["default"] = settings.get("defaultActivities")
        return {value: _read_activities(activities, where) for value, activities in cases.items()}
    return {}


def _mapping(value: Any, where: str) -> Json:
    if value is None or _is_template(value):
        return {}
    if not isinstance(value, Mapping):
        raise BadDefinition(f"{where}: an object was expected, not {type(value).__name__}")
    return value


def _is_template(value: Any) -> bool:
    """Published templates leave parts to be filled in: "[parameters('...')]"."""
    return isinstance(value, str) and value.startswith("[") and value.endswith("]")


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default
