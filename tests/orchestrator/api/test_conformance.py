"""Every operation, asked for what the contract allows and for what it does not: it answers as the contract says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
import schemathesis
from fastapi import Request
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi import checks
from starlette.types import ASGIApp

from orchestrator import services
from orchestrator.actions import services as action_services
from orchestrator.actions.proposing import Origin
from orchestrator.actions.services import ActionServices
from orchestrator.alerts import services as alert_services
from orchestrator.alerts.intake import AlertIntake
from orchestrator.api import app as api
from orchestrator.api import callers, deeds
from orchestrator.api.actions import ACTION_ID
from orchestrator.api.examples import INCIDENT_ID, RUN_ID
from orchestrator.audit import services as audit_services
from orchestrator.audit.lines import new_chain
from orchestrator.digest import services as digest_services
from orchestrator.digest.editor import Editor
from orchestrator.incidents import services as incident_services
from orchestrator.incidents.record import Incident
from orchestrator.notify import channel
from orchestrator.policy.model import Policy
from orchestrator.runs.intake import Intake
from orchestrator.runs.record import Event, Run, Session
from orchestrator.runs.signals import Signals
from orchestrator.stores.alerts import MemoryAlertStore
from orchestrator.stores.audit import MemoryAuditStore, Row
from orchestrator.stores.runs import MemoryRunStore
from orchestrator.stores.scopes import MemoryScopeStore
from tests.orchestrator.actions.desk import ANA, ASK, OPERATION, Afternoon
from tests.orchestrator.api.doors import by_path
from tests.orchestrator.audit.build import make_chain
from tests.tools_worker.datafactory.build import NOW, make_run
from tests.tools_worker.runtime.sample import make_worker
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.runtime import worker
from tools_worker.runtime.worker import utc_now

EXAMPLES = 8  # made up for each operation
SETTINGS = {"LINK_SIGNING_KEY": "k" * 44, "CALLBACK_SIGNING_KEY": "c" * 44}


def told(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]) -> None:
    """The contract names each status that comes, beside its `default`: but for a wrong method, and no 500 at all."""
    named = {int(status) for status in case.operation.definition.raw["responses"] if status.isdigit()}
    assert response.status_code in named | {405}
    assert 500 not in named


HELD = [
    told,
    checks.unsupported_method,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class Impatient(Signals):
    """Nobody waits here."""

    async def until(self, run_id: str, look: Callable[[], Awaitable[Any]], *rest: Any, **more: Any) -> Any:
        return await look()


class Nowhere:
    """A queue that loses what it is given: nothing is served here."""

    async def send(self, message: str, delay_seconds: int = 0) -> None:
        pass


class Parts:
    """The parts of the app in memory, with the run and the incident that the examples of the contract name."""

    def __init__(self) -> None:
        desk = Afternoon(ASK)
        self.runs, self.incidents, signals = MemoryRunStore(), desk.incidents, Impatient()
        intake = Intake(self.runs, Nowhere(), signals, utc_now, deadline_seconds=30)
        self.services = services.Services(self.runs, signals, intake, cast("Any", None), cast("Any", None))
        self.alerts = AlertIntake(MemoryAlertStore(), MemoryScopeStore(), Nowhere(), utc_now)
        factory = MemoryDataFactory("adf-prod", runs=[make_run(1)], pipelines=["LoadSales"])
        self.editor = Editor(Factories([factory]), self.incidents, Policy, lambda: NOW)
        self.trail = MemoryAuditStore()
        self.notes, self.channel = desk.trail, desk.channel
        self.actions = ActionServices(desk.store, desk.proposer, desk.desk, cast("Any", None))
        self.hands = replace(make_worker(), factories=Factories([factory]), now=lambda: NOW)

    async def fill(self) -> None:
        now = utc_now()
        await self.runs.open_session(Session("session-1", now))
        run = Run(
            RUN_ID, "What failed?", "session-1", now, now + timedelta(minutes=9), status="done", answer="Nothing."
        )
        await self.runs.create(replace(run, ended_at=now), Event(now, "done", "It is answered."))
        waiting = await self.actions.proposer.propose(OPERATION, ANA, Origin("example"))
        await self.actions.store.create(replace(waiting, id=ACTION_ID))
        await self.trail.insert([Row.of(line) for line in make_chain(3, new_chain(now), at=now)])
        await self.incidents.create(Incident(INCIDENT_ID, "failure", "LoadSales failed", "cause", now, now))


async def let_in(request: Request) -> None:
    request.state.caller = callers.Caller("person", "ana@contoso.com", frozenset({"reader", "operator"}))


def served() -> ASGIApp:
    app, parts = api.build(), Parts()
    asyncio.run(parts.fill())

    app.dependency_overrides |= {
        services.provided: lambda: parts.services,
        action_services.provided: lambda: parts.actions,
        alert_services.provided: lambda: parts.alerts,
        audit_services.provided: lambda: parts.trail,
        channel.provided: lambda: parts.channel,
        incident_services.provided: lambda: parts,
        digest_services.provided: lambda: parts,
        worker.provided: lambda: parts.hands,
        deeds.provided: lambda: parts.notes.record,
    }
    for guard, _ in api.GUARDED:  # who may call is tested route by route elsewhere
        app.dependency_overrides[guard] = let_in
    return by_path(app)


@pytest.fixture(autouse=True, scope="module")
def configured() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        yield


schema = schemathesis.openapi.from_asgi("/api/openapi.json", served())


@schema.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_operation_answers_as_the_contract_says(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(checks=HELD)
