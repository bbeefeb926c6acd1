"""How bad is it? By what the pipelines mean to people (policy.yaml), else by how much one cause stops."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.incidents.record import Incident
from orchestrator.policy.model import Policy

Severity = tuple[int, str]  # 0, the worst, to 4; and the reason
Judge = Callable[[Incident], Severity]
USUAL, LEAST = 3, 4
MILD = frozenset({"slow"})  # the work was done: one step less than a failure


def by_policy(policy: Callable[[], Policy]) -> Judge:
    """The most important pipeline decides, also one that fails only because another did. What the alert says of its own
    severity is told, but decides nothing: it is the same for every pipeline of a factory."""

    def judge(incident: Incident) -> Severity:
        rules = policy()
        names = dict.fromkeys([*incident.pipelines, *(run.pipeline for run in incident.parents)])
        found = [(rule, name) for name in names if (rule := rules.importance_of(incident.factory, name))]
        if found:
            rule, name = min(found, key=lambda pair: pair[0].severity)
            return milder(incident, (rule.severity, f"{name}: {rule.why}"))
        return plain(incident)

    return judge


def milder(incident: Incident, found: Severity) -> Severity:
    if incident.kind not in MILD:
        return found
    severity, reason = found
    return min(severity + 1, LEAST), f"{reason}; it is {incident.kind}, but did not fail"


def plain(incident: Incident) -> Severity:
    """Without a word in the policy: a cause that stops many pipelines is worse than one that stops one."""
    if len(incident.pipelines) >= 3:
        return USUAL - 1, f"{len(incident.pipelines)} pipelines are stopped by one cause"
    if incident.parents:
        return USUAL - 1, "it stops the pipelines above it"
    return milder(incident, (USUAL, "nothing says that it matters more"))
