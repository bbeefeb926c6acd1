"""The verdict on a case: of the first rule that fits, or no."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.policy.conditions import Seen, unfit
from orchestrator.policy.environments import environment_of
from orchestrator.policy.rules import Case, Limit, Limits, Passed, Rule, Verdict
from tools_worker.datafactory.wording import count

if TYPE_CHECKING:
    from orchestrator.policy.model import Policy

NO_RULE = "no rule fits, and what no rule fits is not done"


def decide(policy: Policy, case: Case) -> Verdict:
    environment = environment_of(policy.environments, case.factory, case.factory_tags)
    seen = Seen(case, environment, frozenset(each.name for each in policy.calendars if each.holds(case.at)))
    trail: list[Passed] = []
    for rule in policy.rules:
        missed = unfit(rule.match, seen)
        if missed is None:
            return _by(rule, seen, tuple(trail))
        trail.append(Passed(rule.name, *missed))
    return Verdict("deny", "", NO_RULE, None, tuple(trail), environment)


def _by(rule: Rule, seen: Seen, trail: tuple[Passed, ...]) -> Verdict:
    """A limit that is reached ends it: were the next rule asked, the softer one would decide about the one too many."""
    reached = next(_reached(rule.limits, seen.case), None) if rule.limits else None
    if reached:
        limit, told = reached
        return Verdict("deny", rule.name, told, None, trail, seen.environment, limit)
    return Verdict(rule.effect, rule.name, rule.why.rstrip(". "), rule.ask, trail, seen.environment)


def limits_used(policy: Policy, verdict: Verdict, case: Case) -> Iterator[tuple[Limit, float]]:
    """What share of each limit of the rule that decided had gone through before; 1 and more where it was reached."""
    limits = next((rule.limits for rule in policy.rules if rule.name == verdict.rule), None)
    for name, done, _ in _counted(case) if limits else ():
        limit = getattr(limits, name)
        if limit is not None:
            yield name, done / limit


def _counted(case: Case) -> tuple[tuple[Limit, int, str], ...]:
    # What names no pipeline may touch any: it counts as one more of each.
    of_pipeline = case.of_pipeline_this_hour if case.pipeline else case.this_hour
    return (
        ("per_hour", case.this_hour, "within the hour"),
        ("per_pipeline_per_hour", of_pipeline, "of this pipeline within the hour"),
        ("per_incident", case.of_incident, "for this incident"),
    )


def _reached(limits: Limits, case: Case) -> Iterator[tuple[Limit, str]]:
    for name, done, where in _counted(case):
        limit = getattr(limits, name)
        if limit is not None and done >= limit:
            yield name, f"{count(done, 'action')} {where} went through already, and the rule lets {limit} through"
