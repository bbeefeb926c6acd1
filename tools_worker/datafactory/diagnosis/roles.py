"""Of the failed activities of one run: which are causes, which only followed a failure, and which the run went past.

A definition says under which conditions an activity follows another. Without it every failed leaf counts as a cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tools_worker.datafactory.definitions import Step, steps
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.failures import peel
from tools_worker.datafactory.leaves import CONTAINERS, Attempts

FAIL = "Fail"  # an activity whose only purpose is to raise an error
_NEVER = datetime.max.replace(tzinfo=UTC)

Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Roles:
    """`causes`: what ADF blames first, then the oldest. `followers` ran only because of a failure, and failed too."""

    causes: tuple[Attempts, ...] = ()
    followers: tuple[Attempts, ...] = ()
    passed: tuple[Attempts, ...] = ()  # what follows them runs in any case, so they did not fail the run


def roles(node: Node, definition: Definition | None) -> Roles:
    failed = [group for group in node.groups if group.last.failed]
    leaves = [group for group in failed if group.last.type not in CONTAINERS] or failed
    names = {group.last.name for group in leaves}
    if definition is None or len(names) < 2:
        return Roles(_ordered(node, leaves))
    known = steps(definition)
    following = _following(names, known)
    passed = _passed(names, known, {run.name for run in node.activities}) - following
    causes = names - following - passed or names - following or names
    return Roles(
        _ordered(node, [group for group in leaves if group.last.name in causes]),
        tuple(group for group in leaves if group.last.name in following - causes),
        tuple(group for group in leaves if group.last.name in passed - causes),
    )


def _ordered(node: Node, groups: Sequence[Attempts]) -> tuple[Attempts, ...]:
    """A Fail activity repeats, in its author's words, what failed before it: it counts only when nothing else did."""
    groups = [group for group in groups if group.last.type != FAIL] or groups
    blamed = set(peel(node.run.message).path)  # the activities that ADF names in the run's message
    return tuple(sorted(groups, key=lambda group: (group.last.name not in blamed, group.last.end or _NEVER)))


def _following(names: set[str], known: Sequence[Step]) -> set[str]:
    """Those that only ran because another of them failed: nothing on the way up runs in any case."""
    above = {step.name: {name for name, how in step.waits_for if not _in_any_case(how)} for step in known}
    for step in known:
        above[step.name] |= {step.inside} if step.inside else set()
    return {name for name in names if names & _upstream(name, above)}


def _passed(names: set[str], known: Sequence[Step], ran: set[str]) -> set[str]:
    """Those after which, or after whose container, something ran that runs in any case."""
    followed = {name for step in known if step.name in ran for name, how in step.waits_for if _in_any_case(how)}
    inside = {step.name: {step.inside} if step.inside else set[str]() for step in known}
    return {name for name in names if followed & ({name} | _upstream(name, inside))}


def _in_any_case(conditions: Sequence[str]) -> bool:
    return "Completed" in conditions or {"Succeeded", "Failed"} <= set(conditions)


def _upstream(name: str, above: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(above.get(name, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(above.get(one, ()))
    return found - {name}
