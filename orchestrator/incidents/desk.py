"""What people do with incidents: take up, hand on, remark, close. Each is a line on the timeline with a name.

What they paste is masked, as texts of Data Factory are: everybody reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.errors import Conflict
from orchestrator.incidents import recovery
from orchestrator.incidents.changes import change
from orchestrator.incidents.record import Entry, Incident
from orchestrator.stores.incidents import IncidentStore
from tools_worker.datafactory.masking import mask


@dataclass(frozen=True)
class Desk:
    """Every method raises NotFound for an incident that does not exist, Conflict for one that is over."""

    incidents: IncidentStore
    now: Callable[[], datetime]

    async def acknowledge(self, incident_id: str, who: str, comment: str = "") -> Incident:
        """Somebody has it in hand: it escalates no further. Done twice, the first one counts."""

        def decide(known: Incident) -> Incident:
            _refuse_ended(known)
            if known.acknowledged_at:
                return known
            text = f"{who} has taken it up." + (f" {mask(comment)}" if comment else "")
            entry = Entry(self.now(), "acknowledged", text, who)
            return known.told(entry, acknowledged_at=self.now(), acknowledged_by=who)

        return await change(self.incidents, incident_id, decide)

    async def assign(self, incident_id: str, who: str, to: str) -> Incident:
        def decide(known: Incident) -> Incident:
            _refuse_ended(known)
            if known.assigned_to == to:
                return known
            return known.told(Entry(self.now(), "assigned", f"{who} gave it to {to}.", who), assigned_to=to)

        return await change(self.incidents, incident_id, decide)

    async def comment(self, incident_id: str, who: str, text: str) -> Incident:
        """Also on one that is over: what is learnt afterwards belongs there."""
        entry = Entry(self.now(), "commented", mask(text), who)
        return await change(self.incidents, incident_id, lambda known: known.told(entry))

    async def resolve(self, incident_id: str, who: str, resolution: str) -> Incident:
        """It is over because a person says so. If its pipelines fail again, that is a new incident."""

        def decide(known: Incident) -> Incident:
            _refuse_ended(known)
            return recovery.resolved(known, self.now(), who, mask(resolution))

        return await change(self.incidents, incident_id, decide)


def _refuse_ended(incident: Incident) -> None:
    if incident.ended:
        by = f" by {incident.resolved_by}" if incident.resolved_by else ""
        raise Conflict(
            f"Incident {incident.id!r} was resolved{by} at {incident.resolved_at:%Y-%m-%d %H:%M} UTC.",
            hint="Comment on it, or wait: if its pipelines fail again, a new incident opens.",
        )
