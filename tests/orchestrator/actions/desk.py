"""An afternoon at the desk: actions over memory, a factory that counts what it is told, a clock that can be turned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from core.errors import NotFound, UpstreamUnavailable
from orchestrator.actions.deciding import Decider, Desk
from orchestrator.actions.executing import Executor
from orchestrator.actions.judging import Judge
from orchestrator.actions.proposing import Origin, Proposer
from orchestrator.actions.record import Action, Requester
from orchestrator.actions.telling import Telling
from orchestrator.audit.record import Entry as Audited
from orchestrator.notify.port import Message
from orchestrator.policy.reading import parse
from orchestrator.stores.actions import MemoryActionStore
from orchestrator.stores.incidents import MemoryIncidentStore
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.operations.model import Effect, Operation, Plan, Receipt
from tools_worker.datafactory.operations.sending import NotSent, OutcomeUnknown

FACTORY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DataFactory/factories/adf-prod"
OPERATION = Operation("rerun", FACTORY, {"run_id": "r-1", "mode": "from_failure"})
PAGE = "https://func-ops.azurewebsites.net/ui/approvals/"
ALLOW = """
rules:
  - {name: all, why: it is a test, effect: allow}
"""
ASK = """
rules:
  - name: second person
    why: production
    effect: ask
    ask: {roles: [approver], approvals: 1, four_eyes: true, expires_minutes: 60}
"""
ANA = Requester("person", "ana@contoso.com", "id-ana", ("reader", "operator"), "ui")
KEY = Requester("key", "a function key")
BEA = Decider("bea@contoso.com", "id-bea", frozenset({"reader", "approver"}))
CLEO = Decider("cleo@contoso.com", "id-cleo", frozenset({"reader", "approver"}))
ANA_DECIDES = Decider("ana@contoso.com", "id-ana", frozenset({"reader", "operator", "approver"}))
DAN_READS = Decider("dan@contoso.com", "id-dan", frozenset({"reader"}))


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Plant:
    """A data factory as the outside sees it: what it was told, and what came of it."""

    facts: dict[str, str] = field(default_factory=lambda: {"status of run r-1": "Failed"})
    refusal: str = ""
    gone: bool = False
    pipelines: tuple[str, ...] = ()
    told: list[str] = field(default_factory=list)  # each request that reached it
    trouble: str = ""  # "not_sent", "lost_before" or "lost_after" it was carried out
    ends: str = "Succeeded"

    async def plan(self, factory: object, operation: Operation, now: datetime) -> Plan:
        if self.gone:
            raise NotFound("There is no run 'r-1'.")
        return Plan(
            operation=operation,
            title=f"{operation.kind} of LoadSales",
            effects=("LoadSales runs again.",),
            facts=dict(self.facts),
            risk="low",
            refusal=self.refusal,
            factory_name="adf-prod",
            pipeline="LoadSales",
            pipelines=self.pipelines,
            run_id="r-1",
            repeatable="yes",
            transience="transient",
            confidence="high",
        )

    async def send(self, plan: Plan, now: datetime) -> Receipt:
        if self.trouble == "not_sent":
            raise NotSent("Data Factory said no.")
        if self.trouble != "lost_before":
            self.told.append(plan.operation.kind)
        if self.trouble.startswith("lost"):
            raise OutcomeUnknown("No answer came.")
        return Receipt(now, "new-1", tuple(plan.operation.arguments.get("triggers", ())))

    async def read_back(self, factory: object, plan: Plan, since: datetime, now: datetime) -> Effect:
        if plan.operation.kind in self.told:
            return Effect("done", "A new run is there.", False, "new-1", "InProgress")
        return Effect("not_done", "No new run is there.", now - since >= timedelta(minutes=2))

    async def follow(self, factory: object, plan: Plan, receipt: Receipt, now: datetime) -> Effect:
        if not self.ends:
            return Effect("done", "It is running.", False, "new-1", "InProgress")
        return Effect("done", f"Run new-1 ended {self.ends}.", True, "new-1", self.ends)


class Notes:
    """The audit trail, which may be in trouble."""

    def __init__(self) -> None:
        self.entries: list[Audited] = []
        self.down = False

    async def record(self, entry: Audited) -> bool:
        if self.down:
            raise UpstreamUnavailable("The audit trail does not answer.")
        self.entries.append(entry)
        return True

    def of(self, kind: str) -> list[str]:
        return [f"{entry.what} | {entry.outcome}" for entry in self.entries if entry.kind == kind]


class Channel:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.down = False

    async def send(self, message: Message) -> None:
        if self.down:
            raise UpstreamUnavailable("Teams does not answer.")
        self.messages.append(message)


class FragileStore(MemoryActionStore):
    """Where a process may be killed, right before or right after any write."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[str] = []
        self.kill_at: int | None = None

    def _point(self, name: str) -> None:
        self.points.append(name)
        if self.kill_at is not None and len(self.points) > self.kill_at:
            self.kill_at = None
            raise Killed(name)

    async def save(self, action: Action) -> Action:
        self._point(f"before {action.state}")
        saved = await super().save(action)
        self._point(f"after {action.state}")
        return saved


class Afternoon:
    def __init__(self, policy: str = ALLOW) -> None:
        self.now = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
        self.plant, self.trail, self.channel = Plant(), Notes(), Channel()
        self.store, self.incidents = FragileStore(), MemoryIncidentStore()
        self.messages: list[tuple[datetime, str]] = []
        self.policy, self.closed = parse(policy), ""
        self.telling = Telling(
            self.store,
            self.incidents,
            self.channel,
            self.trail.record,
            self.clock,
            lambda action_id: PAGE + action_id,
        )
        self.judge = Judge(self.store, lambda: self.policy, lambda: self.closed, self.clock)
        self.factories = cast(Factories, _Known())
        self.proposer = Proposer(
            self.store, self.factories, self.plant.plan, self.judge, self.telling, self.enqueue, self.clock
        )
        self.desk = Desk(self.store, self.telling, self.enqueue, self.clock)

    def clock(self) -> datetime:
        return self.now

    def executor(self, owner: str = "one", send: Callable[..., Any] | None = None) -> Executor:
        return Executor(
            self.store,
            self.factories,
            self.judge,
            self.plant.plan,
            send or self.plant.send,
            self.plant.read_back,
            self.plant.follow,
            self.telling,
            self.enqueue,
            lambda: self.closed,
            owner,
            self.clock,
        )

    async def enqueue(self, action_id: str, delay_seconds: int) -> None:
        self.messages.append((self.now + timedelta(seconds=delay_seconds), action_id))

    async def proposed(
        self, requester: Requester = ANA, key: str = "k", operation: Operation = OPERATION, why: str = ""
    ) -> Action:
        return await self.proposer.propose(operation, requester, Origin(key, why))

    async def worked(self, executor: Executor | None = None) -> None:
        """Until no message is left; the clock goes along."""
        one = executor or self.executor()
        while self.messages:
            self.messages.sort()
            due, action_id = self.messages.pop(0)
            self.now = max(self.now, due)
            await one.step(action_id)
            await asyncio.sleep(0)

    async def action(self, action: Action) -> Action:
        return await self.store.load(action.id)


class _Known:
    id = FactoryId.parse(FACTORY)

    async def get(self, name: str) -> _Known:
        return self

    def fresh(self) -> _Known:
        return self
