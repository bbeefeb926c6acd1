"""What persons do with an action that waits for them: say yes or no to what they were shown, and take it back."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from core.errors import Conflict, NotPermitted, RequestError, UpstreamError
from orchestrator.actions.record import Action, Approval, Entry, Terms
from orchestrator.actions.telling import Telling
from orchestrator.stores.actions import ActionStore
from orchestrator.stores.changing import change
from tools_worker.datafactory.wording import count

log = logging.getLogger("actions")


@dataclass(frozen=True, slots=True)
class Decider:
    """A person who signed in, by the object id that is nobody else's."""

    name: str
    id: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Desk:
    """Every method raises NotFound, NotPermitted, and Conflict where the action no longer waits or is another one."""

    store: ActionStore
    telling: Telling
    enqueue: Callable[[str, int], Awaitable[None]]
    now: Callable[[], datetime]

    async def approve(self, action_id: str, who: Decider, digest: str, comment: str = "") -> Action:
        """`digest` is of the plan that the person saw."""

        def decide(known: Action) -> Action:
            _refuse_unless_waiting(known, self.now())
            _refuse_other_plan(known, digest)
            _refuse_other_people(known, who)
            if any(each.by_id == who.id for each in known.approvals):
                raise Conflict("You have approved it already.", hint="Somebody else has to.")
            return _with_approval(
                known, Approval(self.now(), who.name, who.id, digest, tuple(sorted(who.roles)), comment)
            )

        return await self._decided(action_id, who, "approved", decide, comment)

    async def decline(self, action_id: str, who: Decider, digest: str, comment: str = "") -> Action:
        """One no is enough."""

        def decide(known: Action) -> Action:
            _refuse_unless_waiting(known, self.now())
            _refuse_other_plan(known, digest)
            _refuse_other_people(known, who, may_be_requester=True)
            text = f"{who.name} said no." + (f" {comment}" if comment else "")
            return known.over("declined", self.now(), text, who.name)

        return await self._decided(action_id, who, "declined", decide, comment)

    async def withdraw(self, action_id: str, who: Decider, comment: str = "") -> Action:
        """Until it is done: whoever proposed it takes it back, whoever approved it takes the approval back."""

        def decide(known: Action) -> Action:
            if known.state not in ("waiting", "queued"):
                raise _too_late(known)
            if known.requester.id == who.id:
                return known.over("withdrawn", self.now(), f"{who.name} took it back.", who.name)
            if any(each.by_id == who.id for each in known.approvals):
                left = tuple(each for each in known.approvals if each.by_id != who.id)
                entry = Entry(self.now(), "withdrawn", f"{who.name} took the approval back.", who.name)
                return known.told(entry, approvals=left, state="waiting")
            raise NotPermitted("You neither proposed nor approved it.", hint="Decline it, where you may.")

        return await self._decided(action_id, who, "withdrawn", decide, comment)

    async def expire(self, action: Action) -> Action:
        """The answer is no where nobody said yes in time."""

        def decide(known: Action) -> Action:
            if known.state != "waiting" or not is_expired(known, self.now()):
                return known
            return known.over("expired", self.now(), "Nobody approved it in time, so the answer is no.")

        expired = decide(action)
        if expired is action:
            return action
        await self.telling.noted(expired, "expired", None, "")  # first: it is not looked at again once it is over
        decided = await change(self.store, action, decide)
        if decided.state == "expired":
            await self.telling.tell_end(decided)
        return decided

    async def _decided(
        self, action_id: str, who: Decider, what: str, decide: Callable[[Action], Action], comment: str
    ) -> Action:
        """On the trail before it counts; and also where it does not count."""
        known = await self.store.load(action_id)
        try:
            decide(known)
            await self.telling.noted(known, what, who, comment)
            decided = await change(self.store, known, decide)
        except RequestError as exc:
            await self.telling.noted(known, f"{what}, without effect", who, exc.message)
            raise
        if decided.state == "queued":
            await self._enqueued(decided)
        elif decided.ended:
            await self.telling.tell_end(decided)
        return decided

    async def _enqueued(self, action: Action) -> None:
        """The decision stands on record: what fails here is made up for by the timer."""
        try:
            await self.enqueue(action.id, 0)
        except UpstreamError as exc:
            log.warning("action=%s outcome=not_queued error=%s", action.id, exc)


def is_expired(action: Action, now: datetime) -> bool:
    return action.terms.expires_at is not None and now >= action.terms.expires_at


def agreed(action: Action, terms: Terms | None = None) -> int:
    """How many approvals count, by these terms (else its own): one of each person with the role, to this very plan, not
    the requester's where that matters."""
    terms = terms or action.terms
    right = [
        each for each in action.approvals if each.digest == action.plan.digest and set(each.roles) & {*terms.roles}
    ]
    persons = {each.by_id for each in right}
    return len(persons - {action.requester.id} if terms.four_eyes else persons)


def _with_approval(known: Action, approval: Approval) -> Action:
    action = replace(known, approvals=(*known.approvals, approval))
    left = action.terms.approvals - agreed(action)
    text = f"{approval.by} approved." + (f" {approval.comment}" if approval.comment else "")
    if left > 0:
        return action.told(Entry(approval.at, "approved", f"{text} {count(left, 'more')} needed.", approval.by))
    return action.told(Entry(approval.at, "approved", text, approval.by), state="queued")


def _refuse_unless_waiting(known: Action, now: datetime) -> None:
    if known.state != "waiting":
        raise _too_late(known)
    if is_expired(known, now):
        raise Conflict("It has expired: the answer is no.", hint="Propose it again.")


def _too_late(known: Action) -> Conflict:
    return Conflict(
        f"It is {known.state.replace('_', ' ')} already. {known.outcome}".strip(), hint="Look at what became of it."
    )


def _refuse_other_plan(known: Action, digest: str) -> None:
    if digest != known.plan.digest:
        raise Conflict("This is not what you were shown.", hint="Load the page again, read it, and decide then.")


def _refuse_other_people(known: Action, who: Decider, *, may_be_requester: bool = False) -> None:
    if not who.roles & set(known.terms.roles):
        roles = " or ".join(known.terms.roles)
        raise NotPermitted(f"The policy asks for the role {roles}.", hint="Ask somebody who has it.")
    if known.terms.four_eyes and who.id == known.requester.id and not may_be_requester:
        raise NotPermitted("You proposed it yourself.", hint="The policy asks for a second person.")
