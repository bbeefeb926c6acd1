"""Does what is allowed, once: judged and planned again on live state, sent one time, read back, followed to its effect.

Before anything is sent the record says so (`sending`), and from then on it is never sent again: whoever finds the
record after a crash asks Data Factory what it shows. Each call does one step and has somebody called for the next.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import AppError, NotFound, RequestError, UpstreamError
from core.telemetry import names
from core.telemetry.spans import span
from orchestrator.actions.deciding import agreed
from orchestrator.actions.judging import About, Judge
from orchestrator.actions.proposing import Planner, fresh, terms_of
from orchestrator.actions.record import Action, Entry, action_id
from orchestrator.actions.telling import Telling
from orchestrator.stores.actions import ActionStore
from orchestrator.stores.rows import Changed, Exists
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.operations.model import Effect, Ended, Operation, Plan, Receipt
from tools_worker.datafactory.operations.sending import NotSent, OutcomeUnknown
from tools_worker.datafactory.wording import at, count

log = logging.getLogger("actions")
HELD = timedelta(minutes=2)  # longer than one step can take
PAUSES_SECONDS = (2, 3, 5, 10, 20, 30, 60)  # between looks at what was done; the last one again and again
FOLLOWED = timedelta(hours=24)  # then its end is left to whoever looks
SENDS = timedelta(seconds=30)  # from the record to the request; far less than "not done" is waited for
READ_BACK = timedelta(minutes=15)  # so long Data Factory is asked whether a lost request was carried out
QUEUED = timedelta(hours=1)  # what could not be begun by then is not wanted any more
AGAIN_SECONDS = 15

Sender = Callable[[Plan, datetime], Awaitable[Receipt]]
ReadBack = Callable[[DataFactory, Plan, datetime, datetime], Awaitable[Effect]]
Follow = Callable[[DataFactory, Plan, Receipt, datetime], Awaitable[Effect]]


@dataclass(frozen=True)
class Executor:
    """`writable` says why nothing may be written now, or nothing. `owner` names the process in what it holds."""

    store: ActionStore
    factories: Factories
    judge: Judge
    plan: Planner
    send: Sender
    read_back: ReadBack
    follow: Follow
    telling: Telling
    enqueue: Callable[[str, int], Awaitable[None]]
    writable: Callable[[], str]
    owner: str
    now: Callable[[], datetime]

    async def step(self, action_id: str) -> None:
        """One step of this action, where it is nobody else's. Raises the Upstream family: the message comes again."""
        try:
            action = await self.store.load(action_id)
            held = await self._hold(action)
        except NotFound:
            log.error("action=%s outcome=unknown", action_id)
            return
        except Changed:  # somebody else does it
            return
        if held is not None:
            about = {names.ACTION: held.id, names.ACTION_KIND: held.operation.kind, names.ACTION_STATE: held.state}
            with span(names.ACT, attributes=about), suppress(Changed):
                # Changed: it took longer than it may be held, and another one goes on from what is on record.
                await self._next(held)

    async def _next(self, held: Action) -> None:
        if held.state == "queued":
            await self._begin(held)
            return
        try:
            await (self._look_back(held) if held.state == "sending" else self._look_on(held))
        except RequestError as exc:  # the run, or the factory, is gone: looking again would show nothing
            await self._over(held, "unknown", f"What became of it cannot be seen any more: {exc}")

    async def _hold(self, action: Action) -> Action | None:
        if action.state not in ("queued", "sending", "following"):
            return None
        if action.owned_until is not None and self.now() < action.owned_until:
            return None
        return await self.store.save(replace(action, owner=self.owner, owned_until=self.now() + HELD))

    # Before anything is done

    async def _begin(self, action: Action) -> None:
        if self.now() - action.wanted_since > QUEUED and not action.follows:  # the end of a pause is always wanted
            await self._over(action, "not_done", "It could not be begun for an hour, and was given up.")
            return
        if reason := self.writable():
            await self._put_off(action, f"Nothing is written now: {reason}")
            return
        try:
            plan = await self.plan(await self._factory(action), action.operation, self.now())
            refusal = await self._refusal(action, plan)
        except UpstreamError as exc:
            await self._put_off(action, f"Not begun yet: {exc}")
            return
        except AppError as exc:  # the run, trigger or pipeline is gone
            refusal = str(exc)
        if refusal:
            await self._over(action, "not_done", refusal)
        else:
            await self._send(action, plan)

    async def _refusal(self, action: Action, plan: Plan) -> str:
        """Why it must not be done after all: the state of things, the policy, or the people may have changed."""
        if plan.refusal:
            return plan.refusal
        if action.follows:  # of what the pause stopped all that is stopped still
            return await self._no_end(action)
        if plan.digest != action.plan.digest:
            return f"What it rests on has changed since it was proposed: {_changes(action.plan, plan)}."
        verdict = await self.judge.judge(About.of(action, plan))
        if verdict.effect == "deny":
            return f"The policy forbids it now: {verdict.why}."
        now = terms_of(verdict, action.requester, self.now())
        if verdict.effect == "ask" and agreed(action, now) < max(now.approvals, 1):
            return f"The policy asks for more now than was agreed: {verdict.why}. Propose it again."
        if agreed(action) < action.terms.approvals:
            return "It is not approved."
        return ""

    async def _no_end(self, action: Action) -> str:
        """Why it is not the end of what it says it ends. What that was allowed covers this too."""
        begun = await self.store.load(action.follows)
        same = begun.plan.pipeline == action.plan.pipeline and begun.operation.factory == action.operation.factory
        if begun.operation.kind == "pause_schedule" and begun.sent_at is not None and same:
            return ""
        return f"It is not the end of {begun.id}."

    async def _send(self, action: Action, plan: Plan) -> None:
        await self.telling.about_to_send(action)  # raises: nothing is done without a trail
        entry = Entry(self.now(), "sending", "Being told to Data Factory.")
        try:
            action = await self.store.save(action.told(entry, state="sending", sent_at=self.now(), plan=plan))
        except Changed:  # withdrawn, or taken over
            await self.telling.not_sent(action)
            return
        if self.now() - (action.sent_at or self.now()) > SENDS:  # it was held up: another may look for it any moment
            await self.telling.not_sent(action)
            return
        try:
            receipt = await self.send(plan, self.now())
        except NotSent as exc:
            await self._undone(action, "not_done", f"Data Factory did not take it: {exc}")
        except OutcomeUnknown as exc:
            said = Entry(self.now(), "unsure", f"Whether Data Factory took it is not known yet: {exc}")
            await self._release(action.told(said), PAUSES_SECONDS[0])
        else:
            await self._accepted(action, receipt)

    async def _accepted(self, action: Action, receipt: Receipt, started_run: str = "") -> None:
        started = receipt.id or started_run
        text = f"Data Factory took it{f': run {started}' if started else ''}."
        entry = Entry(self.now(), "accepted", text)
        held = action.told(entry, state="following", receipt=receipt, started_run=started)
        await self._look_on(await self.store.save(held))

    # After it was sent

    async def _look_back(self, action: Action) -> None:
        """Nobody knows whether it was carried out: the process died, or the answer was lost."""
        sent_at = action.sent_at or action.created_at  # written together with the state
        effect = await self.read_back(await self._factory(action), action.plan, sent_at, self.now())
        if effect.ended == "done":
            receipt = Receipt(sent_at, effect.run_id)
            await self._accepted(action, receipt)
        elif effect.settled or self.now() - sent_at > READ_BACK:
            await self._undone(action, "unknown" if effect.ended == "unknown" else "not_done", effect.told)
        else:
            await self._release(action, self._pause(sent_at))

    async def _look_on(self, action: Action) -> None:
        receipt = action.receipt or Receipt(action.sent_at or action.created_at)
        effect = await self.follow(await self._factory(action), action.plan, receipt, self.now())
        action = replace(action, started_run=effect.run_id or action.started_run, started_status=effect.status)
        if effect.settled:
            await self._over(action, effect.ended, effect.told)
        elif self.now() - receipt.at > FOLLOWED:
            text = f"It was carried out, and its end was not seen within a day. {effect.told}"
            await self._over(action, "unknown", text)
        else:
            await self._release(action, self._pause(receipt.at))

    async def _factory(self, action: Action) -> DataFactory:
        return await fresh(self.factories, action.operation)

    def _pause(self, since: datetime) -> int:
        """Soon at first, then ever less often."""
        age = (self.now() - since).total_seconds()
        return next((pause for pause in PAUSES_SECONDS if pause * 3 > age), PAUSES_SECONDS[-1])

    # The record

    async def _undone(self, action: Action, state: Ended, text: str) -> None:
        """It is over; but the end of a pause is begun again for a day: a trigger that is started twice is started."""
        if not action.follows or self.now() - action.wanted_since > FOLLOWED:
            await self._over(action, state, text)
            return
        await self._put_off(replace(action, state="queued", sent_at=None), f"To be begun again: {text}")

    async def _put_off(self, action: Action, text: str) -> None:
        if not any(entry.text == text for entry in action.timeline):
            action = action.told(Entry(self.now(), "put_off", text))
        await self._release(action, AGAIN_SECONDS)

    async def _release(self, action: Action, seconds: int) -> None:
        await self.store.save(replace(action, owner="", owned_until=self.now() + timedelta(seconds=seconds)))
        await self.enqueue(action.id, seconds)

    async def _over(self, action: Action, state: Ended, text: str) -> None:
        """On the trail first, perhaps twice where a process dies here. Raises Changed where somebody took it over."""
        ended = action.over(state, self.now(), text, owned_until=None)
        if state != "not_done" and ended.operation.kind == "pause_schedule":
            await self._resume_later(ended)
        await self.telling.ended(ended)
        ended = await self.store.save(ended)
        await self.telling.outcome(ended)

    async def _resume_later(self, paused: Action) -> None:
        """Kept before the pause is over: nobody looks again at what has ended, and its schedule would stay stopped.
        The triggers are those of the plan, for the receipt is lost where a process dies; of a pause that came to pass
        in part those that it stopped. Nothing where nothing is stopped."""
        arguments = paused.operation.arguments
        minutes, triggers = arguments["minutes"], list(arguments["triggers"])
        given = {"pipeline": paused.plan.pipeline, "triggers": triggers}
        operation = Operation("resume_schedule", paused.operation.factory, given)
        try:
            plan = await self.plan(await self._factory(paused), operation, self.now())
        except RequestError as exc:  # there is no such pipeline any more
            log.warning("action=%s outcome=nothing_to_resume error=%s", paused.id, exc)
            return
        if plan.refusal:
            return
        due = (paused.sent_at or self.now()) + timedelta(minutes=minutes)
        later = Action(
            id=action_id(paused.created_at, paused.id, "resume"),
            plan=plan,
            requester=paused.requester,
            created_at=self.now(),
            state="queued",
            why=f"The pause {paused.id} ends.",
            rule=paused.rule,
            rule_why=paused.rule_why,
            incident_id=paused.incident_id,
            follows=paused.id,
            not_before=due,
            owned_until=due,
            timeline=(Entry(self.now(), "planned", f"To be resumed at {at(due)}."),),
        )
        with suppress(Exists):
            await self.store.create(later)


def _changes(then: Plan, now: Plan) -> str:
    names = sorted({*then.facts, *now.facts})
    differing = [name for name in names if then.facts.get(name) != now.facts.get(name)]
    told = [
        f"{name} was {then.facts.get(name, 'not known')}, is {now.facts.get(name, 'not known')}" for name in differing
    ]
    return "; ".join(told[:3]) + (f" and {count(len(told) - 3, 'more')}" if len(told) > 3 else "")
