"""Facts in, digest out: what is told of them, in which words, the most important first. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from orchestrator.digest.facts import Counted, Facts, Slower
from orchestrator.digest.spending import spent
from orchestrator.incidents import escalation
from orchestrator.incidents.record import Incident
from orchestrator.notify.cards.digest import Digest
from orchestrator.policy.model import Policy
from tools_worker.datafactory.failure_groups import FailureGroup
from tools_worker.datafactory.fields import text
from tools_worker.datafactory.wording import age, at, count, lasted, listed, sentences, spoken

MAX_LINES = 30  # of each list; a card shows fewer
MAX_NAMES = 3
UNTOLD = 3  # the severity of what no incident tells of, and no policy
OVERDUE = timedelta(minutes=5)  # whoever escalates looks each minute
Line = tuple[tuple[float, ...], str]  # what it is sorted by, and itself


def composed(facts: Facts) -> Digest:
    known = bool(facts.factories)
    counted, before = _sum(each.counted for each in facts.factories), _before(facts)
    active = [each for each in facts.incidents if not each.ended]
    return Digest(
        period=facts.span,
        since=facts.since,
        until=facts.until,
        factories=tuple(each.name for each in facts.factories),
        silent=tuple(name for name, _ in facts.silent),
        runs=counted.runs if known else None,
        failed=counted.failed if known else None,
        cancelled=counted.cancelled,
        exact=counted.complete,
        runs_before=before.runs if before else None,
        failed_before=before.failed if before else None,
        incidents_opened=sum(_opened(each, facts) for each in facts.incidents),
        incidents_open=len(active),
        failures=_lines(_failures(facts)),
        slower=_lines(_slower(each, _several(facts)) for factory in facts.factories for each in factory.slowness.found),
        at_risk=_lines(_at_risk(active, facts)),
        cost=spent(facts.factories),
        gaps=tuple(_gaps(facts)),
    )


def _lines(lines: Iterable[Line]) -> tuple[str, ...]:
    told = [line for _, line in sorted(lines)]
    more = (f"and {len(told) - MAX_LINES} more",) if len(told) > MAX_LINES else ()
    return (*told[:MAX_LINES], *more)


def _sum(counts: Iterable[Counted]) -> Counted:
    total = Counted()
    for each in counts:
        total = Counted(
            total.runs + each.runs,
            total.failed + each.failed,
            total.cancelled + each.cancelled,
            total.complete and each.complete,
        )
    return total


def _before(facts: Facts) -> Counted | None:
    """Only like is compared with like: the same factories, all runs of each, now and before."""
    known = [factory.before for factory in facts.factories if factory.before and factory.before.complete]
    whole = len(known) == len(facts.factories) and all(factory.counted.complete for factory in facts.factories)
    return _sum(known) if known and whole else None


def _opened(incident: Incident, facts: Facts) -> bool:
    return facts.since <= incident.opened_at < facts.until


def _several(facts: Facts) -> bool:
    return len(facts.factories) + len(facts.silent) > 1


def _where(factory: str, facts_of_several: bool) -> str:
    return f" in {factory}" if factory and facts_of_several else ""


# What failed, and why


def _failures(facts: Facts) -> Iterator[Line]:
    """Incidents that opened in the period or went on failing in it, and what none of them tells of: by what it means
    to people, of that what still stands before what is over, the most runs first."""
    held = {name: number for factory in facts.factories for name, number in factory.failures.of_incident.items()}
    for incident in facts.incidents:
        failed = held.get(incident.id, 0)
        if failed or _opened(incident, facts):
            yield (incident.severity, incident.ended, -failed), _incident(incident, failed, _several(facts))
    for factory in facts.factories:
        for group in factory.failures.others:
            bad = _bad(group, factory.failures.good)
            rank = (_severity(group, facts.policy), not bad, -len(group.runs))
            yield rank, _group(group, bad, _several(facts))


def _incident(incident: Incident, failed: int, several: bool) -> str:
    runs = f", {count(failed, 'run')}" if failed else ""
    cause = text(incident.diagnosis, "cause").rstrip(".")
    return sentences(
        f"{incident.title}{_where(incident.factory, several)}{runs}{f': {cause}' if cause else ''}.",
        _state(incident),
        f"({incident.id})",
    )


def _state(incident: Incident) -> str:
    if incident.ended:
        return f"Over since {at(incident.resolved_at)}: {incident.resolution.rstrip('.') or 'nobody said why'}."
    by = f"{incident.acknowledged_by} has taken it up" if incident.acknowledged_at else "nobody has taken it up"
    return f"Still open; {by}."


def _severity(group: FailureGroup, policy: Policy) -> int:
    entries = [policy.importance_of(group.factory, name) for name in group.pipelines]
    return min((entry.severity for entry in entries if entry), default=UNTOLD)


def _group(group: FailureGroup, bad: Sequence[str], several: bool) -> str:
    activity = f" at {group.activity}" if group.activity else ""
    cause = group.failure.cause.rstrip(".") or "the cause is not clear from the error"
    return sentences(
        f"{listed(group.pipelines, MAX_NAMES)}{_where(group.factory, several)}: {count(len(group.runs), 'run')} "
        f"failed{activity} ({spoken(group.failure.category)}): {cause}.",
        _since(group, bad),
        f"(run {group.latest.run_id})",
    )


def _since(group: FailureGroup, bad: Sequence[str]) -> str:
    if not bad:
        return "Ran well since."
    return f"{listed(bad, MAX_NAMES)} did not run well since." if len(group.pipelines) > 1 else "No good run since."


def _bad(group: FailureGroup, good: Mapping[str, datetime]) -> list[str]:
    """Its pipelines that did not run well after they failed."""
    newest = {run.pipeline: run.start for run in reversed(group.runs)}
    return [name for name, start in newest.items() if start is None or name not in good or good[name] <= start]


# What is slower


def _slower(slower: Slower, several: bool) -> Line:
    took, usual = lasted(round(slower.took * 1000)), lasted(round(slower.usual * 1000))
    name = f"{slower.pipeline}{_where(slower.factory, several)}"
    runs = f" in the median of {slower.runs} runs" if slower.runs > 1 else ""
    if slower.since is None:
        words = f"usually {usual}"
    elif slower.steady:
        words = f"and takes longer day by day: {usual} at first, {at(slower.since)}"
    else:
        words = f"{usual} before {at(slower.since)}"
    return (-slower.lost,), f"{name} took {took}{runs}, {words}."


# What is at risk


def _at_risk(active: Iterable[Incident], facts: Facts) -> Iterator[Line]:
    """What nobody has in hand."""
    for incident in active:
        if not incident.acknowledged_at:
            told = sentences(
                f"{incident.title}{_where(incident.factory, _several(facts))}: severity {incident.severity}, open for "
                f"{age(incident.opened_at, facts.now)}, and nobody has taken it up.",
                _escalated(incident, facts.policy, facts.now),
                f"({incident.id})",
            )
            yield (incident.severity, incident.opened_at.timestamp()), told


def _escalated(incident: Incident, policy: Policy, now: datetime) -> str:
    if escalation.due(incident, policy, now - OVERDUE):
        step = policy.steps(incident.severity)[incident.escalated]
        return (
            f"{step.to} should have been told {count(step.after_minutes, 'minute')} after its beginning, and was not."
        )
    told = [step.to for step in policy.steps(incident.severity)[: incident.escalated]]
    return f"It went to {listed(told)}." if told else ""


# What is not known


def _gaps(facts: Facts) -> Iterator[str]:
    yield from (f"{name} could not be asked: {why}" for name, why in facts.silent)
    for factory in facts.factories:
        yield from factory.gaps
        if not factory.counted.complete:
            yield f"{factory.name} had more runs than are read: the newest {factory.counted.runs} are counted."
    if uncompared := sum(factory.slowness.uncompared for factory in facts.factories):
        yield f"How long {count(uncompared, 'less busy pipeline')} took was not compared."
