"""Asks the policy about an action, with what was done before: limits count what went through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.actions.record import Action, ActionState, Requester
from orchestrator.policy.model import Policy
from orchestrator.policy.rules import Case, Verdict
from orchestrator.stores.actions import ActionStore
from tools_worker.datafactory.operations.model import Plan

COUNTED: frozenset[ActionState] = frozenset({"queued", "sending", "following", "done", "unknown"})
HOUR = timedelta(hours=1)
LOOKED_BACK = timedelta(days=7)  # an incident's attempts are counted so far
MAX_COUNTED = 5000


@dataclass(frozen=True, slots=True)
class About:
    """What a verdict depends on. `action_id` and `created_at` are of the action, where it is on record already."""

    plan: Plan
    requester: Requester
    incident_id: str = ""
    action_id: str = ""
    created_at: datetime | None = None

    @classmethod
    def of(cls, action: Action, plan: Plan | None = None) -> About:
        return cls(plan or action.plan, action.requester, action.incident_id, action.id, action.created_at)


async def _no_tags(_: str) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Judge:
    store: ActionStore
    policy: Callable[[], Policy]
    closed: Callable[[], str]  # why nothing may be changed now; empty where the policy can be relied on
    now: Callable[[], datetime]
    tags: Callable[[str], Awaitable[Mapping[str, str]]] = _no_tags  # of a factory, by its name

    async def judge(self, about: About) -> Verdict:
        """Raises the Upstream family: without the factory's tags and the count of what was done there is no verdict."""
        if reason := self.closed():
            return Verdict("deny", "", reason.rstrip(". "))
        earlier = await self._earlier(about)
        plan, now = about.plan, self.now()
        recent = [each for each in earlier if each.created_at > now - HOUR]
        return self.policy().decide(
            Case(
                action=plan.operation.kind,
                factory=plan.factory_name,
                factory_tags=await self.tags(plan.factory_name),
                pipeline=plan.pipeline,
                annotations=frozenset(plan.annotations),
                callers=about.requester.callers,
                at=now,
                this_hour=len(recent),
                of_pipeline_this_hour=sum(_same_pipeline(each, plan) for each in recent),
                of_incident=sum(each.incident_id == about.incident_id for each in earlier) if about.incident_id else 0,
                confidence=plan.confidence,
                transience=plan.transience,
                category=plan.category,
                repeatable=plan.repeatable,
            )
        )

    async def _earlier(self, about: About) -> Sequence[Action]:
        """What was proposed before it and went through. Of two at the same time one is always the earlier one."""
        known = await self.store.listed(self.now() - LOOKED_BACK, limit=MAX_COUNTED)
        own = (about.created_at or self.now(), about.action_id or "~")
        return [each for each in known if each.state in COUNTED and (each.created_at, each.id) < own]


def _same_pipeline(action: Action, plan: Plan) -> bool:
    theirs, ours = action.plan, plan
    same_factory = theirs.operation.factory.casefold() == ours.operation.factory.casefold()
    return same_factory and bool(ours.pipeline) and theirs.pipeline.casefold() == ours.pipeline.casefold()
