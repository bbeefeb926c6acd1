"""What the runs of all factories cost, in words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from orchestrator.digest.facts import Cost, FactoryFacts
from tools_worker.tools.adf_cost import dollars

SAME = Decimal("0.005")  # half a percent: no difference worth a word


def spent(factories: Sequence[FactoryFacts]) -> str:
    """Empty where nothing ran, or nobody could be asked."""
    known = [factory.cost for factory in factories if factory.cost]
    if not known:
        return ""
    total = _sum(known)
    if not total.priced:
        return "not known: no run told billing figures"
    whole = total.whole and len(known) == sum(factory.counted.runs > 0 for factory in factories)
    part = total.billed < total.runs
    words = f"{'about ' if part else ''}{'' if whole else 'at least '}{dollars(total.usd)} at list price"
    reckoned = f", reckoned from {total.billed} of {total.runs} runs" if part else ""
    return f"{words}{reckoned}{_compared(total, factories) if whole else ''}"


def _sum(costs: Sequence[Cost]) -> Cost:
    return Cost(
        usd=sum((cost.usd for cost in costs), Decimal()),
        billed=sum(cost.billed for cost in costs),
        runs=sum(cost.runs for cost in costs),
        whole=all(cost.whole for cost in costs),
        priced=any(cost.priced for cost in costs),
    )


def _compared(total: Cost, factories: Sequence[FactoryFacts]) -> str:
    """Only where the week before is known as wholly."""
    before = [factory.cost_before for factory in factories if factory.cost_before]
    if len(before) < len(factories) or not all(cost.whole and cost.priced for cost in before):
        return ""
    earlier = _sum(before).usd
    if not earlier:
        return ""
    change = (total.usd - earlier) / earlier
    if abs(change) < SAME:
        return ", as much as the week before"
    return f", {abs(change):.0%} {'more' if change > 0 else 'less'} than the week before"
