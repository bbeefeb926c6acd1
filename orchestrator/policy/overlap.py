"""How two rules lie to each other: is one within the other, can both fit the same case?

Each condition is one line of a table. What cannot be told without factories and their pipelines counts as not within
and as not apart, so that nothing wrong is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, get_args

from orchestrator.policy.globs import all_covered, any_meet
from orchestrator.policy.parts import tagged, tagged_apart
from orchestrator.policy.rules import KINDS, RANKS, UNKNOWN, Match, Rule, kinds_of
from tools_worker.datafactory.failures.consequences import Transience
from tools_worker.datafactory.operations.model import Repeatable

if TYPE_CHECKING:
    from orchestrator.policy.model import Policy


def within(policy: Policy, inner: Rule, outer: Rule) -> bool:
    """Every case that `inner` fits, `outer` fits too."""
    return all(
        wanted is None or _implied(policy, name, inner.match, wanted) for name, wanted in _conditions(outer.match)
    )


def apart(policy: Policy, one: Rule, other: Rule) -> bool:
    """No case fits both. A rule that is apart from itself fits none."""
    pairs = ((name, wanted, getattr(other.match, name)) for name, wanted in _conditions(one.match))
    excluded = any(EXCLUDING[name](a, b) for name, a, b in pairs if None not in (a, b) and name in EXCLUDING)
    return excluded or any(
        _never_during(a, b) or _never_there(policy, a, b)
        for a, b in ((one.match, other.match), (other.match, one.match))
    )


def _conditions(match: Match) -> list[tuple[str, Any]]:
    return [(name, getattr(match, name)) for name in type(match).model_fields]


def _implied(policy: Policy, name: str, inner: Match, wanted: Any) -> bool:
    own = getattr(inner, name)
    if own is None and name == "factories":
        own = _named_in(policy, inner)
    own = own or EVERYTHING.get(name)
    return own is not None and IMPLYING[name](own, wanted)


def _named_in(policy: Policy, match: Match) -> tuple[str, ...] | None:
    """The globs of a rule's environments; None where it names none, or one that is told by tags too."""
    asked = [each for each in policy.environments if each.name in (match.environments or ())]
    if not asked or any(each.tags is not None for each in asked):
        return None
    return tuple(glob for each in asked for glob in each.factories or ())


def _never_during(one: Match, other: Match) -> bool:
    return one.during is not None and set(one.during) <= set(other.not_during or ())


def _never_there(policy: Policy, one: Match, other: Match) -> bool:
    named = _named_in(policy, one)
    return named is not None and other.factories is not None and not any_meet(named, other.factories)


def _subset(own: Collection[str], wanted: Collection[str]) -> bool:
    return set(own) <= set(wanted)


def _superset(own: Collection[str], wanted: Collection[str]) -> bool:
    return set(own) >= set(wanted)


def _disjoint(one: Collection[str], other: Collection[str]) -> bool:
    return set(one).isdisjoint(other)


def _no_meeting(one: Collection[str], other: Collection[str]) -> bool:
    return not any_meet(one, other)


EVERYTHING: Mapping[str, Collection[str]] = {  # what a condition that is left out stands for
    "actions": KINDS,
    "factories": ("*",),
    "pipelines": ("*",),
    "transience": (*get_args(Transience), UNKNOWN),
    "repeatable": get_args(Repeatable),
}
IMPLYING: Mapping[str, Callable[[Any, Any], bool]] = {  # inner's condition, outer's: does the first imply the second?
    "actions": lambda own, wanted: kinds_of(own) <= kinds_of(wanted),
    "factories": lambda own, wanted: all_covered(wanted, own),
    "environments": _subset,
    "tags": tagged,
    "pipelines": lambda own, wanted: all_covered(wanted, own),
    "annotations": lambda own, wanted: all_covered(wanted, own),
    "callers": _subset,
    "during": _subset,
    "not_during": _superset,
    "confidence": lambda own, wanted: RANKS[own] >= RANKS[wanted],
    "transience": _subset,
    "categories": _subset,
    "repeatable": _subset,
}
EXCLUDING: Mapping[str, Callable[[Any, Any], bool]] = {  # the others do not: a case may have several of them
    "actions": lambda one, other: kinds_of(one).isdisjoint(kinds_of(other)),
    "factories": _no_meeting,
    "environments": _disjoint,  # a factory is in one only
    "tags": tagged_apart,
    "pipelines": _no_meeting,
    "transience": _disjoint,
    "categories": _disjoint,
    "repeatable": _disjoint,
}
