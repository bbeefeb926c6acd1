"""How an operation becomes an action: planned on live state, judged by policy, kept, and then queued or asked for.

Nothing is done here. Agents, callers of the API, persons and playbooks all take this way.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import Conflict, InvalidArguments, NotFound, UpstreamError
from orchestrator.actions import measuring
from orchestrator.actions.judging import About, Judge
from orchestrator.actions.record import Action, Entry, Requester, Terms, action_id, proposal_digest
from orchestrator.actions.telling import Telling
from orchestrator.policy.rules import Terms as Asked
from orchestrator.policy.rules import Verdict
from orchestrator.stores.actions import ActionStore
from orchestrator.stores.rows import Exists
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.operations.model import Operation, Plan

log = logging.getLogger("actions")
Planner = Callable[[DataFactory, Operation, datetime], Awaitable[Plan]]
MAX_WHY = 500  # characters
KEYS_HOLD = timedelta(days=1)  # at least so long the same key is the same action, also where a month ends
REVIEW = Asked(roles=("operator", "approver"), approvals=1, four_eyes=False, expires_minutes=60)


@dataclass(frozen=True, slots=True)
class Considered:
    """A dry run: what would happen, and what the policy says of it."""

    plan: Plan
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a proposal comes from. `key` names it at its origin: the same key is the same action."""

    key: str
    why: str = ""
    incident_id: str = ""
    run_id: str = ""
    session_id: str = ""
    review: bool = False  # people look at it also where a rule allows it


@dataclass(frozen=True)
class Proposer:
    store: ActionStore
    factories: Factories
    plan: Planner
    judge: Judge
    telling: Telling
    enqueue: Callable[[str, int], Awaitable[None]]
    now: Callable[[], datetime]

    async def consider(self, operation: Operation, requester: Requester, incident_id: str = "") -> Considered:
        """Raises NotFound and the Upstream family."""
        plan = await self._planned(operation)
        verdict = await self.judge.judge(About(plan, requester, incident_id))
        needed = terms_of(verdict, requester, self.now()).approvals
        asked = verdict.terms.model_copy(update={"approvals": needed}) if verdict.terms else None
        return Considered(plan, replace(verdict, terms=asked))

    async def propose(self, operation: Operation, requester: Requester, origin: Origin) -> Action:
        """The action, new or as it stands since the same proposal came before. Raises Conflict where the key was
        another one's."""
        now = self.now()
        named = self._named(now, requester, origin)
        if known := await self.made(requester, origin):
            return _same(known, operation)
        plan = await self._planned(operation)
        drafted = Action(
            id=named,
            plan=plan,
            requester=requester,
            created_at=now,
            state="waiting",
            why=origin.why[:MAX_WHY],
            incident_id=origin.incident_id,
            run_id=origin.run_id,
            session_id=origin.session_id,
            asked=proposal_digest(operation),
            timeline=(Entry(now, "proposed", f"Proposed: {plan.title}.", requester.name),),
        )
        verdict = await self.judge.judge(About(plan, requester, origin.incident_id, named))
        decided = _decided(drafted, _reviewed(verdict) if origin.review else verdict, now)
        await self.telling.decided(decided)  # raises: without a trail nothing may be done
        try:
            action = await self.store.create(decided)
        except Exists:
            return _same(await self.store.load(named), operation)
        if action.ended:
            measuring.ended(action)
        await self._follow_up(action)
        return action

    async def made(self, requester: Requester, origin: Origin) -> Action | None:
        """What was made of this key already; None where nothing was kept."""
        now = self.now()
        for each in dict.fromkeys(self._named(at, requester, origin) for at in (now, now - KEYS_HOLD)):
            with suppress(NotFound):
                return await self.store.load(each)
        return None

    def _named(self, at: datetime, requester: Requester, origin: Origin) -> str:
        return action_id(at, requester.channel, requester.id or requester.kind, origin.key)

    async def _planned(self, operation: Operation) -> Plan:
        _refuse_unkeepable(operation)
        return await self.plan(await fresh(self.factories, operation), operation, self.now())

    async def _follow_up(self, action: Action) -> None:
        """The record stands: what fails here is made up for by the timer."""
        try:
            if action.state == "queued":
                await self.enqueue(action.id, 0)
            elif action.state == "waiting":
                await self.telling.ask(action)
        except UpstreamError as exc:
            log.warning("action=%s outcome=not_told error=%s", action.id, exc)


def _refuse_unkeepable(operation: Operation) -> None:
    try:
        json.dumps(operation.arguments, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):  # half a character, not a number, a number without end
        raise InvalidArguments("The arguments are no JSON in UTF-8.", hint="Send plain texts and numbers.") from None


def _same(known: Action, operation: Operation) -> Action:
    if known.asked and known.asked != proposal_digest(operation):
        raise Conflict(f"This key was used for another action, {known.id}.", hint="Give every action a key of its own.")
    return known


def _decided(action: Action, verdict: Verdict, now: datetime) -> Action:
    action = action.told(rule=verdict.rule, rule_why=verdict.why)
    if action.plan.refusal:
        return action.over("refused", now, action.plan.refusal)
    if verdict.effect == "deny":
        return action.over("denied", now, verdict.why)
    if verdict.effect == "allow" or verdict.terms is None:
        return action.told(Entry(now, "allowed", f"Allowed: {verdict.why}."), state="queued")
    terms = terms_of(verdict, action.requester, now)
    needed = "an approval" if terms.approvals == 1 else f"{terms.approvals} approvals"
    text = f"Waiting for {needed} until {terms.expires_at:%Y-%m-%d %H:%M} UTC: {verdict.why}."
    return action.told(Entry(now, "asked", text), terms=terms)


def _reviewed(verdict: Verdict) -> Verdict:
    if verdict.effect != "allow":
        return verdict
    return replace(verdict, effect="ask", terms=REVIEW, why=f"{verdict.why}; here the app acts under review")


def terms_of(verdict: Verdict, requester: Requester, now: datetime) -> Terms:
    """Four eyes need to know two people. Behind a key there may be anybody, the approver too: then two approve."""
    asked = verdict.terms
    if asked is None:
        return Terms()
    unknown = requester.kind in ("key", "teams")
    return Terms(
        roles=tuple(asked.roles),
        approvals=max(asked.approvals, 2) if asked.four_eyes and unknown else asked.approvals,
        four_eyes=asked.four_eyes,
        expires_at=now + timedelta(minutes=asked.expires_minutes),
    )


async def fresh(factories: Factories, operation: Operation) -> DataFactory:
    """The factory of an operation, asked anew each time. Raises NotFound where this app does not look after it."""
    factory = await factories.get(operation.factory.rsplit("/", 1)[-1])
    if factory.id.path.casefold() != operation.factory.casefold():
        raise NotFound(f"This app does not look after {operation.factory!r}.", hint="Name a factory that it knows.")
    return factory.fresh()
