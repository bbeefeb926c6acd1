"""Looks at a factory, or at what an alert is about: failed runs become one incident for each cause, alerts join them.

Alerts and the watcher's timer take the same way: an alert only means "look at this factory, at this time". Whoever
looks holds the scope's lease, so that two instances never look at the same factory; what comes meanwhile makes it look
once more. A look that dies is taken up by the next wake-up: everything it did before is found and not done again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import AppError, NotFound, UpstreamError
from core.telemetry import names
from core.telemetry.spans import span
from orchestrator.alerts.record import Alert, digest
from orchestrator.incidents import matching, opening, recovery, sight
from orchestrator.incidents.causes import Cause, causes_of
from orchestrator.incidents.changes import change
from orchestrator.incidents.checks.rota import Check
from orchestrator.incidents.explaining import Explainer
from orchestrator.incidents.record import Incident
from orchestrator.incidents.register import Register
from orchestrator.incidents.rounds import Rounds
from orchestrator.policy.model import Policy
from orchestrator.stores.alerts import AlertStore
from orchestrator.stores.incidents import IncidentStore
from orchestrator.stores.scopes import Scope, ScopeStore
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.failure_groups import by_cause, by_message
from tools_worker.datafactory.models import PipelineRun

log = logging.getLogger("incidents")
LEASE = timedelta(minutes=4)
LOOK_SECONDS = 180.0  # ends before the lease does
LOOKING = timedelta(minutes=5)  # with one look more it ends before the host would end it (functionTimeout)
PATIENCE = timedelta(minutes=5)  # an alert may come before Data Factory shows the run
AGAIN_SECONDS = 10  # until Data Factory may show what an alert means
CHECKS = " checks"  # behind a factory's name: the scope of its checks
NOWHERE = "-"  # belongs to no incident, and never will


@dataclass(frozen=True)
class Investigator:
    factories: Factories
    incidents: IncidentStore
    alerts: AlertStore
    scopes: ScopeStore
    explainer: Explainer
    owner: str
    now: Callable[[], datetime]
    checks: Sequence[Check] = ()
    policy: Callable[[], Policy] = Policy
    again: Callable[[str, int], Awaitable[None]] | None = None  # has somebody look at a scope in so many seconds

    @property
    def _register(self) -> Register:
        return Register(self.incidents, self.now)

    @property
    def _rounds(self) -> Rounds:
        return Rounds(self._register, self.explainer, self.checks, self.policy, self.now)

    async def look(self, name: str) -> None:
        """Until nobody wants another look. Nothing where somebody else is looking: he will look once more. In a storm
        that does not end it stops after some looks: the wish stays, and the timer wakes the next one."""
        owner = f"{self.owner}-{secrets.token_hex(4)}"  # two looks of one process are two
        last = self.now() + LOOKING
        while self.now() <= last:
            scope = await self.scopes.lease(name, owner, self.now(), self.now() + LEASE)
            if scope is None:
                return
            try:
                with span(names.LOOK, attributes={names.FACTORY: name}):
                    async with asyncio.timeout(LOOK_SECONDS):
                        done = await self._look(scope)
            except BaseException as exc:
                # Nobody else need wait for the lease to end; the wish stays, so that the timer wakes somebody.
                await self.scopes.release(replace(scope, wanted=scope.served))
                if not isinstance(exc, AppError | TimeoutError):
                    raise
                log.warning("scope=%s outcome=not_looked_at error=%s", name, exc or "took too long")
                return
            if await self.scopes.release(done):
                await self._make_checks(name, owner)
                return

    async def _make_checks(self, name: str, owner: str) -> None:
        """Under a lease of their own: an alert that comes meanwhile does not wait for them."""
        factory = await self._factory(name) if self.checks else None
        if factory is None:
            return
        scope = await self.scopes.lease(f"{name}{CHECKS}", owner, self.now(), self.now() + LEASE)
        if scope is None:
            return
        checked = scope.checked
        try:
            with span(names.CHECKS, attributes={names.FACTORY: name}):
                checked = await self._rounds.make(factory, scope)
        except AppError as exc:
            log.warning("scope=%s outcome=not_checked error=%s", name, exc)
        finally:
            await self.scopes.release(replace(scope, checked=checked))

    async def _look(self, scope: Scope) -> Scope:
        pending = await self.alerts.pending(scope.name)
        factory = await self._factory(scope.name)
        if factory is None:
            await self._alone(scope.name, pending, "it names no data factory that this app looks after")
            return scope
        try:
            read_until = await self._at_factory(factory, scope, pending)
        except UpstreamError as exc:
            known = await self._register.known(factory)
            await self._with_alerts(scope.name, pending, known, f"Data Factory could not be asked: {exc}")
            raise
        return replace(scope, read_until=read_until)

    async def _factory(self, name: str) -> DataFactory | None:
        try:
            return await self.factories.get(name)
        except NotFound:
            return None

    # At a factory

    async def _at_factory(self, factory: DataFactory, scope: Scope, pending: Sequence[Alert]) -> datetime:
        known = await self._register.known(factory)
        active = [incident for incident in known if incident.kind == "failure" and not incident.ended]
        oldest = min((incident.last_seen_at for incident in active), default=None)
        seen = await sight.look(factory, scope.read_until, pending, self.now(), open_since=oldest)
        known = await self._with_failures(factory, seen.failed, known)
        known = await self._with_good_runs(known, seen.good)
        await self._with_alerts(scope.name, pending, known, "no failed run was found that it could mean")
        await self.explainer.explain(factory, self._rounds.others(await self._register.known(factory)))
        return seen.until

    async def _with_failures(
        self, factory: DataFactory, failed: Sequence[PipelineRun], known: Sequence[Incident]
    ) -> list[Incident]:
        by_id = {incident.id: incident for incident in known}
        failures = [each for each in known if each.kind == "failure"]  # a run that was stuck may fail in the end
        holding = {ref.run_id: each.id for each in failures for ref in (*each.runs, *each.parents)}
        groups = by_message(factory.name, failed)
        for group in groups:  # a parent that failed after its child was seen
            if group.runs[0].run_id in holding and any(run.run_id not in holding for run in group.parents):
                home = by_id[holding[group.runs[0].run_id]]
                by_id[home.id] = await self._added(home.id, (), group.parents)
        fresh = [
            replace(group, runs=runs)
            for group in groups
            if (runs := tuple(run for run in group.runs if run.run_id not in holding))
        ]
        for cause in await causes_of(factory, await by_cause(factory, fresh)):
            incident = await self._of_cause(cause)
            by_id[incident.id] = incident
        return list(by_id.values())

    async def _of_cause(self, cause: Cause) -> Incident:
        """The incident that holds the cause, with these runs; a new one where none does, or where that is over."""

        def new(incident_id: str) -> Incident:
            return opening.of_cause(cause, incident_id, self.now())

        incident, opened = await self._register.held(cause.key, new)
        return incident if opened else await self._added(incident.id, cause.group.runs, cause.group.parents)

    async def _added(self, incident_id: str, runs: Sequence[PipelineRun], parents: Sequence[PipelineRun]) -> Incident:
        return await change(
            self.incidents, incident_id, lambda known: opening.with_runs(known, runs, parents, self.now())
        )

    async def _with_good_runs(self, known: Sequence[Incident], good: Sequence[PipelineRun]) -> list[Incident]:
        changed = []
        for incident in known:
            if not incident.ended and incident.kind == "failure":
                incident = await change(
                    self.incidents, incident.id, lambda each: recovery.with_good_runs(each, good, self.now())
                )
            changed.append(incident)
        return changed

    # Alerts

    async def _with_alerts(self, scope: str, pending: Sequence[Alert], known: Sequence[Incident], why: str) -> None:
        """`why`: what is told of an alert that belongs to no incident after some patience."""
        homes: defaultdict[str, list[Alert]] = defaultdict(list)
        alone = []
        for alert in pending:
            home = matching.incident_of(alert, _failures(known))
            if home is not None:
                homes[home.id].append(alert)
            elif self.now() - alert.received_at >= PATIENCE:
                alone.append(alert)
        if self.again and len(alone) + sum(map(len, homes.values())) < len(pending):
            await self.again(scope, AGAIN_SECONDS)
        for incident_id, alerts in homes.items():
            await self._joined(scope, incident_id, alerts)
        await self._alone(scope, alone, why)

    async def _joined(self, scope: str, incident_id: str, alerts: Sequence[Alert]) -> Incident:
        joined = await change(self.incidents, incident_id, lambda known: opening.with_alerts(known, alerts, self.now()))
        await self.alerts.assign(scope, alerts, incident_id)
        return joined

    async def _alone(self, scope: str, alerts: Sequence[Alert], why: str) -> None:
        """An incident for each thing that alerts without a run are about."""
        by_subject: defaultdict[str, list[Alert]] = defaultdict(list)
        for alert in alerts:
            by_subject[digest("alert", scope, alert.about)].append(alert)
        found = [await self._of_alerts(scope, cause, same, why) for cause, same in by_subject.items()]
        await self.explainer.explain(None, [incident for incident in found if incident is not None])

    async def _of_alerts(self, scope: str, cause: str, alerts: Sequence[Alert], why: str) -> Incident | None:
        fired = [alert for alert in alerts if alert.fired]
        if fired:

            def new(incident_id: str) -> Incident:
                return opening.of_alert(fired[0], cause, incident_id, self.now(), why)

            incident, _ = await self._register.held(cause, new)
            return await self._joined(scope, incident.id, alerts)
        if home := (await self.incidents.holder(cause)).incident_id:
            return await self._joined(scope, home, alerts)
        if all(self.now() - alert.received_at >= PATIENCE for alert in alerts):
            await self.alerts.assign(scope, alerts, NOWHERE)  # over, and nobody ever told that it began
        return None


def _failures(known: Sequence[Incident]) -> list[Incident]:
    """A run that was stuck may still fail: that is another incident, and what its alerts mean."""
    return [incident for incident in known if incident.kind == "failure"]
