"""Dependencies inside one scope (a pipeline, a branch, one iteration): who may start, who is skipped, how it ends.

The rule of the service: a scope succeeds when all its leaves do; a leaf that was skipped counts through its parents.
That is why a handler on the failure path that succeeds hides the failure it handled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from localcloud.adf.definitions import Activity
from localcloud.adf.simulated import Failure

SUCCEEDED, FAILED, SKIPPED, UNFINISHED = "Succeeded", "Failed", "Skipped", "Unfinished"


@dataclass(frozen=True, slots=True)
class Outcome:
    status: str
    end: datetime | None
    failure: Failure | None = None


Outcomes = Mapping[str, Outcome]


def in_order(activities: Iterable[Activity]) -> list[Activity]:
    """Each activity after those it depends on; what waits in a circle comes last, as it stands."""
    waiting = {activity.name: activity for activity in activities}
    ordered: list[Activity] = []
    while waiting:
        ready = [a for a in waiting.values() if not any(d.activity in waiting for d in a.depends_on)]
        for activity in ready or list(waiting.values()):
            ordered.append(activity)
            del waiting[activity.name]
    return ordered


def verdict(activity: Activity, outcomes: Outcomes) -> str:
    """Succeeded: it may start. Skipped: a condition was not met. Unfinished: something before it has not ended."""
    before = [(outcomes[d.activity], d.conditions) for d in activity.depends_on if d.activity in outcomes]
    if any(outcome.end is None for outcome, _ in before):
        return UNFINISHED
    return SUCCEEDED if all(_met(outcome.status, conditions) for outcome, conditions in before) else SKIPPED


def begins(activity: Activity, outcomes: Outcomes, start: datetime) -> datetime:
    """When everything before it has ended."""
    ends = [outcomes[d.activity].end for d in activity.depends_on if d.activity in outcomes]
    return max([start, *(end for end in ends if end is not None)])


def failed(activities: Iterable[Activity], outcomes: Outcomes) -> list[str]:
    """The activities whose failure makes the scope fail, in the order of the definition."""
    by_name = {activity.name: activity for activity in activities}
    parents = {dependency.activity for activity in by_name.values() for dependency in activity.depends_on}
    counted: set[str] = set()
    for name in by_name:
        if name not in parents:
            counted |= _counted(name, by_name, outcomes, frozenset())
    return [name for name in by_name if name in counted and outcomes[name].status == FAILED]


def _counted(name: str, by_name: Mapping[str, Activity], outcomes: Outcomes, seen: frozenset[str]) -> set[str]:
    if name not in by_name or name in seen:
        return set()
    if outcomes[name].status != SKIPPED:
        return {name}
    above = [d.activity for d in by_name[name].depends_on]
    return set().union(*(_counted(parent, by_name, outcomes, seen | {name}) for parent in above))


def _met(status: str, conditions: frozenset[str]) -> bool:
    return status in conditions or ("Completed" in conditions and status in (SUCCEEDED, FAILED))
