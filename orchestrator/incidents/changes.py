"""Changes of incidents: each is decided on the incident as it is, and what it leads to is counted."""

from __future__ import annotations

from collections.abc import Callable

from core.telemetry import metrics, names
from orchestrator.incidents.record import Incident
from orchestrator.stores import changing
from orchestrator.stores.incidents import IncidentStore

COUNTED = ("resolved", "escalated")  # states it may come to


async def change(store: IncidentStore, incident: str | Incident, decide: Callable[[Incident], Incident]) -> Incident:
    """As stores.changing does it."""
    before = ""

    def noting(known: Incident) -> Incident:
        nonlocal before
        before = known.status
        return decide(known)

    after = await changing.change(store, incident, noting)
    if after.status != before and after.status in COUNTED:
        measure(after, after.status)
    return after


def measure(incident: Incident, event: str) -> None:
    about = {names.INCIDENT_EVENT: event, names.INCIDENT_KIND: incident.kind, names.CATEGORY: category(incident)}
    metrics.count(names.INCIDENTS, 1, about)


def category(incident: Incident) -> str:
    return incident.category or "unknown"
