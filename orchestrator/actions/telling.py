"""Who has to know of an action: the audit trail first, then the incident it is for, then people.

What is of consequence is on the trail before it happens; where the trail does not take it, it does not happen.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from core.errors import NotFound, UpstreamError
from orchestrator.actions import measuring
from orchestrator.actions.record import Action
from orchestrator.audit.record import Actor, Kind
from orchestrator.audit.record import Entry as Audited
from orchestrator.incidents.changes import change as change_incident
from orchestrator.incidents.record import Entry as Line
from orchestrator.incidents.record import Incident
from orchestrator.notify.cards.approval import (
    Decision,
    Ending,
    Outcome,
    Proposal,
    approval_card,
    decision_card,
    outcome_card,
)
from orchestrator.notify.port import Message, Notifier
from orchestrator.stores.actions import ActionStore
from orchestrator.stores.changing import change
from orchestrator.stores.incidents import IncidentStore

if TYPE_CHECKING:
    from orchestrator.actions.deciding import Decider

log = logging.getLogger("actions")
OUTCOMES: dict[str, Outcome] = {"declined": "denied", "expired": "expired", "withdrawn": "withdrawn"}
APP = Actor("app", "the app")


@dataclass(frozen=True)
class Telling:
    """`record` writes to the audit trail and raises where it cannot; `link` gives the page on which to decide.
    `mending` is told which incident's repair can go on."""

    store: ActionStore
    incidents: IncidentStore
    notifier: Notifier
    record: Callable[[Audited], Awaitable[bool]]
    now: Callable[[], datetime]
    link: Callable[[str], str] = lambda _: ""
    mending: Callable[[str], Awaitable[None]] | None = None

    async def decided(self, action: Action) -> None:
        """What the policy said. Raises where the trail does not take it."""
        text = f"{action.state}: {action.outcome or action.rule_why}"
        await self.record(self._entry(action, "decision", requester(action), f"Proposed: {action.plan.title}", text))

    async def noted(self, action: Action, what: str, who: Decider | None, comment: str) -> None:
        """What a person decided, or what time did."""
        by = Actor("person", who.name, who.id) if who else APP
        text = f"{action.state}. {comment}".strip()
        await self.record(self._entry(action, "approval", by, f"{what}: {action.plan.title}", text))

    async def about_to_send(self, action: Action) -> None:
        await self.record(self._entry(action, "write", requester(action), f"About to: {action.plan.title}", "intended"))
        text = f"Being done: {action.plan.title} ({action.id})."
        await self._on_incident(action, Line(self.now(), "acting", text, action.requester.name), acting=True)

    async def not_sent(self, action: Action) -> None:
        """After `about_to_send`, somebody was faster."""
        await self.record(self._entry(action, "write", APP, f"Left undone: {action.plan.title}", "not sent"))

    async def ended(self, action: Action) -> None:
        """After it was allowed. Raises where the trail does not take it."""
        told = f"{action.state}: {action.outcome}"
        await self.record(self._entry(action, "write", requester(action), f"Ended: {action.plan.title}", told))

    async def outcome(self, action: Action) -> None:
        measuring.ended(action)
        text = f"{action.plan.title}: {action.state.replace('_', ' ')}. {action.outcome} ({action.id})"
        await self._on_incident(action, Line(self.now(), "acted", text))
        await self._send(
            action, outcome_card(proposal(action), ending(action), action.outcome, link=self.link(action.id))
        )

    async def ask(self, action: Action) -> bool:
        """Asks people, once. False where they were asked before, or could not be."""
        if "asked" in action.notified:
            return False
        line = Line(self.now(), "asked", f"Waiting for approval: {action.plan.title} ({action.id}).")
        await self._on_incident(action, line, once=True)  # a channel in trouble is asked again and again
        return await self._send(action, approval_card(proposal(action), link=self.link(action.id)), "asked")

    async def tell_end(self, action: Action) -> None:
        """It has ended, for nobody allowed it."""
        measuring.ended(action)
        outcome = OUTCOMES.get(action.state)
        if outcome is None or "asked" not in action.notified:
            return
        last = action.timeline[-1]
        decision = Decision(outcome, last.at, last.who, action.outcome)
        await self._on_incident(action, Line(self.now(), action.state, f"{action.plan.title}: {action.outcome}"))
        await self._send(action, decision_card(proposal(action), decision, link=self.link(action.id)))

    async def _send(self, action: Action, message: Message, noted: str = "") -> bool:
        """A channel in trouble keeps no action from its end."""
        try:
            await self.notifier.send(message)
            if noted:
                await change(self.store, action.id, lambda known: _with_note(known, noted))
        except UpstreamError as exc:
            log.warning("action=%s outcome=people_not_told error=%s", action.id, exc)
            return False
        return True

    async def _on_incident(self, action: Action, line: Line, *, acting: bool = False, once: bool = False) -> None:
        if not action.incident_id:
            return

        def decide(known: Incident) -> Incident:
            if once and any((each.what, each.text) == (line.what, line.text) for each in known.timeline):
                return known
            busy = acting and known.status in ("open", "investigating", "diagnosed")
            return known.told(line, status="acting") if busy else known.told(line)

        try:
            await change_incident(self.incidents, action.incident_id, decide)
            if self.mending and action.ended:
                await self.mending(action.incident_id)
        except (UpstreamError, NotFound) as exc:
            log.warning("action=%s incident=%s outcome=not_noted error=%s", action.id, action.incident_id, exc)

    def _entry(self, action: Action, kind: Kind, by: Actor, what: str, outcome: str) -> Audited:
        rule = f"rule {action.rule!r}: {action.rule_why}" if action.rule else action.rule_why
        return Audited(
            at=self.now(),
            kind=kind,
            actor=by,
            what=what,
            subject=action.id,
            factory=action.plan.factory_name,
            channel=action.requester.channel,
            arguments={"kind": action.operation.kind, **action.operation.arguments, "digest": action.plan.digest},
            why="; ".join(each for each in (action.why, rule) if each),
            outcome=outcome,
        )


def requester(action: Action) -> Actor:
    return Actor(action.requester.kind, action.requester.name, action.requester.id)


def proposal(action: Action) -> Proposal:
    """As a card shows it."""
    return Proposal(
        id=action.id,
        action=action.plan.title,
        why=action.why or action.rule_why,
        requested_by=action.requester.name,
        risk=action.plan.risk,
        expires_at=action.terms.expires_at or action.created_at,
        factory=action.plan.factory_name,
        pipeline=action.plan.pipeline,
        run_id=action.plan.run_id,
        rule=action.rule,
        effects=action.plan.effects,
        approvals=action.terms.approvals,
    )


def ending(action: Action) -> Ending:
    if action.state == "done":
        return "failed" if action.started_status in ("Failed", "Cancelled") else "done"
    return "unknown" if action.state == "unknown" else "not_done"


def _with_note(known: Action, noted: str) -> Action:
    if noted in known.notified:
        return known
    return replace(known, notified=(*known.notified, noted))
