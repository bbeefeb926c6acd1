"""Incidents that nobody takes up are told again, by severity and time: each step of the path once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import AppError
from orchestrator.incidents.changes import change
from orchestrator.incidents.record import Entry, Incident
from orchestrator.notify.cards.incident import incident_card
from orchestrator.notify.port import Notifier
from orchestrator.policy.model import Policy, Step
from orchestrator.stores.incidents import IncidentStore

log = logging.getLogger("incidents")


def due(incident: Incident, policy: Policy, now: datetime) -> Step | None:
    """The step whose time has come."""
    steps = policy.steps(incident.severity)
    if incident.ended or incident.acknowledged_at or incident.escalated >= len(steps):
        return None
    step = steps[incident.escalated]
    return step if now - incident.opened_at >= timedelta(minutes=step.after_minutes) else None


@dataclass(frozen=True)
class Escalator:
    incidents: IncidentStore
    notifier: Notifier
    policy: Callable[[], Policy]
    now: Callable[[], datetime]
    link: Callable[[str], str] = lambda _: ""

    async def run(self) -> int:
        """Take every step that is due, one for each incident. How many."""
        policy, taken = self.policy(), 0
        for incident in await self.incidents.active():
            try:
                taken += await self._one(incident, policy)
            except AppError as exc:  # of this one; at the next minute it is tried again
                log.warning("incident=%s outcome=not_escalated error=%s", incident.id, exc)
        return taken

    async def _one(self, incident: Incident, policy: Policy) -> int:
        step = due(incident, policy, self.now())
        if step is not None:
            incident = await change(self.incidents, incident.id, lambda known: self._taken(known, policy))
        told = f"escalated-{incident.escalated}"
        if incident.escalated and not incident.ended and not incident.acknowledged_at and told not in incident.notified:
            await self.notifier.send(incident_card(incident, "escalated", link=self.link(incident.id)))
            await change(self.incidents, incident.id, lambda known: _noted(known, told))
        return int(step is not None)

    def _taken(self, known: Incident, policy: Policy) -> Incident:
        """Decided on the record as it is: somebody may have taken it up this very moment."""
        step = due(known, policy, self.now())
        if step is None:
            return known
        text = f"Nobody took it up for {step.after_minutes} minutes: {step.to} should look at it."
        return known.told(
            Entry(self.now(), "escalated", text, step.to), status="escalated", escalated=known.escalated + 1
        )


def _noted(known: Incident, told: str) -> Incident:
    if told in known.notified:
        return known
    return known.told(notified=(*known.notified, told))
