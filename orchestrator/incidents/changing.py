"""Whoever looks, people and timers change incidents at once: each change is decided on the record as it is."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import UpstreamUnavailable
from orchestrator.incidents.record import Incident
from orchestrator.stores.incidents import IncidentStore
from orchestrator.stores.rows import Changed

TRIES = 10


async def change(store: IncidentStore, incident: str | Incident, decide: Callable[[Incident], Incident]) -> Incident:
    """Write what `decide` makes of the record; again where somebody else wrote. It may be the record itself: nothing
    is written then. A record is taken as it was read, and read anew only where it has changed since. Raises NotFound,
    and whatever `decide` raises."""
    incident_id = incident if isinstance(incident, str) else incident.id
    known = None if isinstance(incident, str) else incident
    for _ in range(TRIES):
        known = known or await store.load(incident_id)
        decided = decide(known)
        if decided is known:
            return known
        try:
            return await store.save(decided)
        except Changed:
            known = None
    raise UpstreamUnavailable(f"Incident {incident_id!r} is being changed by too many at once.", hint="Try again.")
