"""What a sound policy leaves without effect, and what may take effect otherwise than it was meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.policy.overlap import apart, within
from orchestrator.policy.rules import Effect, Rule

if TYPE_CHECKING:
    from orchestrator.policy.model import Policy

STRICTNESS: dict[Effect, int] = {"allow": 0, "ask": 1, "deny": 2}


def without_effect(policy: Policy) -> Iterator[str]:
    """In sentences. Of rules this looks at two at a time: what several earlier ones take together is not seen."""
    for number, environment in enumerate(policy.environments):
        hiding = next((n for n, other in enumerate(policy.environments[:number]) if other.hides(environment)), None)
        if hiding is not None:
            yield f"environments[{number}] is never reached: environments[{hiding}] takes every factory that it fits."
    yield from _calendars(policy)
    for number, rule in enumerate(policy.rules):
        yield from (f"{_named(policy, number)} {told}." for told in _of_rule(policy, number, rule))


def softer_first(policy: Policy) -> Iterator[str]:
    """Two rules that may fit the same case, neither the exception to the other, and the softer one decides."""
    for number, rule in enumerate(policy.rules):
        for earlier, other in enumerate(policy.rules[:number]):
            softer = STRICTNESS[other.effect] < STRICTNESS[rule.effect]
            nested = within(policy, other, rule) or within(policy, rule, other)
            if softer and not nested and not apart(policy, other, rule):
                yield (
                    f"{_named(policy, number)} ({rule.effect}) does not hold for what {_named(policy, earlier)} "
                    f"({other.effect}) fits as well: put it first where it is meant to."
                )


def _calendars(policy: Policy) -> Iterator[str]:
    used = {name for rule in policy.rules for name in (*(rule.match.during or ()), *(rule.match.not_during or ()))}
    for number, calendar in enumerate(policy.calendars):
        if calendar.name not in used:
            yield f"calendars[{number}] ({calendar.name}) is used by no rule."
        if calendar.is_never:
            yield f"calendars[{number}] ({calendar.name}) is never: none of its dates falls on one of its weekdays."


def _of_rule(policy: Policy, number: int, rule: Rule) -> Iterator[str]:
    hiding = next((n for n, other in enumerate(policy.rules[:number]) if within(policy, rule, other)), None)
    if apart(policy, rule, rule):
        yield "never fits: its conditions exclude each other"
    elif hiding is not None:
        yield f"is never reached: {_named(policy, hiding)} takes all that it fits"
    limits = rule.limits
    if limits and limits.per_hour and limits.per_pipeline_per_hour and limits.per_hour <= limits.per_pipeline_per_hour:
        yield "has a limit per_pipeline_per_hour that is never reached: per_hour is reached first"


def _named(policy: Policy, number: int) -> str:
    return f"rules[{number}] ({policy.rules[number].name})"
