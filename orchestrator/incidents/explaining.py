"""Open incidents are diagnosed (without any model), judged, and told of once; and that ended ones are over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from core.errors import AppError
from core.telemetry import names
from core.telemetry.spans import Attributes, span
from orchestrator.incidents import similar
from orchestrator.incidents.changes import category, change
from orchestrator.incidents.record import Entry, Incident
from orchestrator.incidents.severity import Judge
from orchestrator.notify.cards.incident import incident_card
from orchestrator.notify.port import Notifier
from orchestrator.stores.incidents import IncidentStore
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis import Diagnosis, diagnose
from tools_worker.datafactory.masking import mask, mask_value
from tools_worker.datafactory.models import PipelineRun

log = logging.getLogger("incidents")
AT_ONCE = 4
DIAGNOSIS_SECONDS = 60.0
LONGEST_WAIT = timedelta(minutes=30)  # a diagnosis that is not to be had is tried after 1, 2, 4 … minutes, then so
EARLY = timedelta(seconds=20)  # a look comes each minute, now and then some seconds sooner
UNTOLD = timedelta(minutes=2)  # people hear of an incident that cannot be diagnosed after so long


@dataclass(frozen=True)
class Explainer:
    """`link` gives the address of an incident's page, empty where there is none; `narrate` has a model put the finding
    in words, and gives the id of the run that does; `mend` has a playbook looked for."""

    incidents: IncidentStore
    notifier: Notifier
    judge: Judge
    now: Callable[[], datetime]
    link: Callable[[str], str] = lambda _: ""
    narrate: Callable[[Incident], Awaitable[str]] | None = None
    mend: Callable[[str], Awaitable[None]] | None = None

    async def explain(self, factory: DataFactory | None, incidents: Sequence[Incident]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        work = [incident for incident in incidents if needs_work(incident, self.now())]
        past = await similar.past(self.incidents, self.now()) if any(not each.diagnosis for each in work) else ()

        async def one(incident: Incident) -> None:
            async with gate:
                try:
                    with span(names.EXPLAIN, attributes=_about(incident)) as traced:
                        explained = await self._one(factory, incident, past)
                        traced.set({names.CATEGORY: category(explained)})
                except AppError as exc:  # of this one; the others are not kept waiting
                    log.warning("incident=%s outcome=not_explained error=%s", incident.id, exc)

        await asyncio.gather(*map(one, work))

    async def _one(self, factory: DataFactory | None, incident: Incident, past: Sequence[Incident]) -> Incident:
        if incident.ended:
            await self._tell(incident, "resolved")
            return incident
        if factory is not None and _may_diagnose(incident, self.now()):
            incident = await self._diagnosed(factory, incident, past)
        if not _undiagnosed(incident) or self.now() - incident.opened_at >= UNTOLD:
            await self._tell(await self.judged(incident), "opened")
            await self._narrated(incident)
            if self.mend and incident.diagnosis and incident.repair is None:
                await self.mend(incident.id)
        return incident

    async def _diagnosed(self, factory: DataFactory, incident: Incident, past: Sequence[Incident]) -> Incident:
        def begin(known: Incident) -> Incident:
            if known.status != "open":
                return known
            return known.told(Entry(self.now(), "investigating", "Being investigated."), status="investigating")

        incident = await change(self.incidents, incident, begin)
        try:
            async with asyncio.timeout(DIAGNOSIS_SECONDS):
                found = await diagnose(factory, await _run_to_diagnose(factory, incident), self.now())
        except (AppError, TimeoutError) as exc:
            why = _why(exc)
            return await change(self.incidents, incident, lambda known: _in_vain(known, why, self.now()))
        alike = similar.earlier(past, incident)
        return await change(self.incidents, incident, lambda known: _with(known, found, alike, self.now()))

    async def _narrated(self, incident: Incident) -> None:
        if self.narrate is None or not incident.diagnosis or incident.narrative_run:
            return
        run_id = await self.narrate(incident)
        await change(self.incidents, incident, lambda known: replace(known, narrative_run=run_id))

    async def judged(self, incident: Incident) -> Incident:
        """With the severity that it has as it stands now."""
        severity, reason = self.judge(incident)

        def judged(known: Incident) -> Incident:
            if (known.severity, known.severity_reason) == (severity, reason):
                return known
            return known.told(
                Entry(self.now(), "severity", f"Severity {severity}: {reason}."),
                severity=severity,
                severity_reason=reason,
            )

        return await change(self.incidents, incident, judged)

    async def _tell(self, incident: Incident, occasion: Literal["opened", "resolved"]) -> None:
        """Once; again only where a process died between sending and noting it."""
        if occasion in incident.notified:
            return
        await self.notifier.send(incident_card(incident, occasion, link=self.link(incident.id)))
        entry = Entry(self.now(), "notified", "People were told." if occasion == "opened" else "And of its end.")

        def told(known: Incident) -> Incident:
            if occasion in known.notified:
                return known
            return known.told(entry, notified=(*known.notified, occasion))

        await change(self.incidents, incident, told)


def _about(incident: Incident) -> Attributes:
    return {names.INCIDENT: incident.id, names.INCIDENT_KIND: incident.kind, names.CATEGORY: category(incident)}


def needs_work(incident: Incident, now: datetime) -> bool:
    if incident.ended:  # whoever never heard of it need not hear that it is over
        return "opened" in incident.notified and "resolved" not in incident.notified
    return "opened" not in incident.notified or _may_diagnose(incident, now)


def _undiagnosed(incident: Incident) -> bool:
    return incident.kind == "failure" and not incident.diagnosis


def _may_diagnose(incident: Incident, now: datetime) -> bool:
    return _undiagnosed(incident) and (incident.diagnose_after is None or now >= incident.diagnose_after)


async def _run_to_diagnose(factory: DataFactory, incident: Incident) -> PipelineRun:
    """The outermost run above the newest failure: the way down from it is part of the finding."""
    run = await factory.pipeline_run(incident.runs[0].run_id)
    known = {ref.run_id for ref in incident.parents}
    while run.invoked_by.run_id in known:
        known.discard(run.invoked_by.run_id)
        run = await factory.pipeline_run(run.invoked_by.run_id)
    return run


def _with(known: Incident, found: Diagnosis, alike: tuple[str, ...], now: datetime) -> Incident:
    summary = mask(found.summary())
    return known.told(
        Entry(now, "diagnosed", mask(found.headline)),
        status="diagnosed" if known.status in ("open", "investigating") else known.status,
        diagnosis=mask_value(found.as_data()),
        summary=summary,
        category=found.root_cause_category or known.category,
        transience=found.transience or known.transience,
        confidence=found.confidence,
        similar=alike,
    )


def _why(exc: Exception) -> str:
    return "The diagnosis took too long." if isinstance(exc, TimeoutError) else mask(f"No diagnosis yet: {exc}")


def _in_vain(known: Incident, why: str, now: datetime) -> Incident:
    wait = min(timedelta(minutes=2 ** min(known.diagnosis_tries, 10)), LONGEST_WAIT)
    tried = replace(known, diagnosis_tries=known.diagnosis_tries + 1, diagnose_after=now + wait - EARLY)
    if any(entry.text == why for entry in known.timeline):
        return tried
    return tried.told(Entry(now, "not_diagnosed", why))
