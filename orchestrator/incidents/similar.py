"""Earlier incidents of the same kind, and what mended them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.incidents.record import Incident
from orchestrator.stores.incidents import IncidentStore

LOOKED_BACK = timedelta(days=90)
MAX_READ = 1000
MAX_TOLD = 3


async def past(store: IncidentStore, now: datetime) -> list[Incident]:
    """Those that are over. Read once for all that are looked at together."""
    return [each for each in await store.listed(now - LOOKED_BACK, limit=MAX_READ) if each.ended]


def earlier(known: Sequence[Incident], incident: Incident) -> tuple[str, ...]:
    """In sentences, the most alike first, then the newest."""
    before = [other for other in known if other.opened_at < incident.opened_at and other.id != incident.id]
    ranked = [(likeness(incident, other), other) for other in before]
    best = sorted((pair for pair in ranked if pair[0]), key=lambda pair: (-pair[0], -pair[1].opened_at.timestamp()))
    return tuple(sentence(other) for _, other in best[:MAX_TOLD])


def likeness(one: Incident, other: Incident) -> int:
    """3: the same cause. 2: the same error. 1: the same sort of error at the same thing. 0: not alike."""
    if one.cause == other.cause:
        return 3
    if one.signature and one.signature == other.signature:
        return 2
    if one.category and one.category == other.category:
        return int((one.resource, one.factory) == (other.resource, other.factory))
    return 0


def sentence(other: Incident) -> str:
    ended = other.resolution or "nobody said what mended it."
    return f"{other.id} of {other.opened_at:%Y-%m-%d} ({other.title}): {ended}"
