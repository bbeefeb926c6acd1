"""Which way a run goes at an If or a Switch when nobody says: definitions guard against trouble, most runs pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from localcloud.adf.definitions import Activity, Pipeline, child_name, walk

Lookup = Callable[[str], Pipeline | None]
DEEPEST = 4


def usual_branch(activity: Activity, lookup: Lookup) -> str:
    """The first branch with work in it that does not end in a Fail activity, here or in a pipeline it calls."""
    calm = [name for name, inner in activity.branches.items() if not _fails(inner, lookup, 0)]
    busy = [name for name in calm if activity.branches[name]]
    return (busy or calm or list(activity.branches))[0]


def usual_path(activities: tuple[Activity, ...], lookup: Lookup) -> Iterator[Activity]:
    """The activities a run usually comes to, those inside containers too, handlers of failure left out."""
    for activity in activities:
        if any(dependency.conditions == {"Failed"} for dependency in activity.depends_on):
            continue
        yield activity
        if activity.branches:
            yield from usual_path(activity.branches[usual_branch(activity, lookup)], lookup)


def _fails(activities: tuple[Activity, ...], lookup: Lookup, depth: int) -> bool:
    for activity in walk(activities):
        child = lookup(child_name(activity) or "")
        if activity.type == "Fail" or (child and depth < DEEPEST and _fails(child.activities, lookup, depth + 1)):
            return True
    return False
