"""What every pipeline keeps to. Each rule yields what breaks it."""

from __future__ import annotations

from collections.abc import Callable

from tests.infra.workflows import named, order, safety
from tests.infra.workflows.reading import Found, Pipelines, Slip

Rule = Callable[[Pipelines], Found]
RULES: tuple[Rule, ...] = (
    safety.pinned,
    safety.tasks,
    safety.tools,
    safety.triggers,
    safety.permissions,
    safety.limits,
    safety.secrets,
    safety.injections,
    safety.checkouts,
    safety.signing_in,
    safety.one_at_a_time,
    named.needs,
    named.artifacts,
    named.commands,
)
ORDER: tuple[Rule, ...] = (order.stages, order.approvals, order.twins)


def slips(all_of: Pipelines) -> list[Slip]:
    """What cannot be read, or names what is not there, is told first: what is said of the rest would only confuse."""
    first = all_of.broken or _of(RULES, all_of)
    return first if {"yaml", "needs"} & {slip.rule for slip in first} else first + _of(ORDER, all_of)


def _of(rules: tuple[Rule, ...], all_of: Pipelines) -> list[Slip]:
    return [Slip(rule.__name__, *found) for rule in rules for found in rule(all_of)]
