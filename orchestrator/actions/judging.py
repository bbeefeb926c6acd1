"""Asks the policy about an action, with what was done before: limits count what went through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.telemetry import metrics, names
from orchestrator.actions.record import Action, ActionState, Requester
from orchestrator.policy.deciding import limits_used
from orchestrator.policy.model import Policy
from orchestrator.policy.rules import Case, Verdict
from orchestrator.stores.actions import ActionStore
from tools_worker.datafactory.operations.model import Plan

COUNTED: frozenset[ActionState] = frozenset({"queued", "sending", "following", "done", "unknown"})
HOUR = timedelta(hours=1)
LOOKED_BACK = timedelta(days=7)  # an incident's attempts are counted so far


@dataclass(frozen=True, slots=True)
class About:
    """What a verdict depends on. `action_id` is of the action, `created_at` too once it is on record."""

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
        tags, policy = await self.tags(about.plan.factory_name), self.policy()
        cases = [self._case(about, name, tags, earlier) for name in concerned(about.plan)]
        verdicts = [policy.decide(case) for case in cases]
        verdict, case = max(zip(verdicts, cases, strict=True), key=lambda each: _strictness(each[0]))
        for limit, share in limits_used(policy, verdict, case):
            metrics.record(names.LIMIT_USED, share, {names.LIMIT: limit, names.EFFECT: verdict.effect})
        return verdict

    def _case(self, about: About, pipeline: str, tags: Mapping[str, str], earlier: Sequence[Action]) -> Case:
        plan, now = about.plan, self.now()
        recent = [each for each in earlier if each.created_at > now - HOUR]
        of_incident = sum(each.incident_id == about.incident_id for each in earlier) if about.incident_id else 0
        return Case(
            action=plan.operation.kind,
            factory=plan.factory_name,
            factory_tags=tags,
            pipeline=pipeline,
            annotations=frozenset(plan.annotations),
            callers=about.requester.callers,
            at=now,
            this_hour=len(recent),
            of_pipeline_this_hour=sum(_concerns(each, plan.operation.factory, pipeline) for each in recent),
            of_incident=of_incident,
            confidence=plan.confidence,
            transience=plan.transience,
            category=plan.category,
            repeatable=plan.repeatable,
        )

    async def _earlier(self, about: About) -> Sequence[Action]:
        """What went through before it: all that was begun; and of what waits to be begun all that is on record, for one
        that is not yet on record itself, else what was proposed earlier: of two at once one is always the earlier."""
        known = await self.store.listed(self.now() - LOOKED_BACK, limit=None)
        others = [each for each in known if each.state in COUNTED and each.id != about.action_id]
        if about.created_at is None:
            return others
        own = (about.created_at, about.action_id)
        return [each for each in others if each.sent_at is not None or (each.created_at, each.id) < own]


def concerned(plan: Plan) -> Sequence[str]:
    """The pipelines for which it has to be allowed, each of them; one without a name where it is about none."""
    return plan.pipelines or (plan.pipeline,)


def _strictness(verdict: Verdict) -> tuple[int, int]:
    return ("allow", "ask", "deny").index(verdict.effect), verdict.terms.approvals if verdict.terms else 0


def _concerns(action: Action, factory: str, pipeline: str) -> bool:
    if not pipeline or action.operation.factory.casefold() != factory.casefold():
        return False
    return pipeline.casefold() in {name.casefold() for name in concerned(action.plan)}
