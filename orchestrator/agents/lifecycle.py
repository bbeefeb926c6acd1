"""Agents are made once and found again by a fingerprint of their definition, never per question.

Several instances may start at the same moment. Each makes what it does not find, looks again, and where two made the
same agent, both keep the older one and the maker of the younger deletes it. A changed definition makes a new agent;
the old one goes an hour later, when no instance of the old version should be left.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from core.errors import AppError
from core.telemetry import metrics, names
from core.telemetry.spans import Attributes, span
from orchestrator.foundry.port import AgentRecord, AgentRef, AgentService, AgentSpec, SubAgent

log = logging.getLogger("agents")
RETIRED_AFTER = timedelta(hours=1)


class Agents:
    """The agents of one process. `model` is the deployment they think with."""

    def __init__(self, service: AgentService, spec: AgentSpec) -> None:
        self._service, self._spec = service, spec
        self._supervisor: AgentRef | None = None
        self._making = asyncio.Lock()

    @property
    def model(self) -> str:
        return self._spec.model

    async def supervisor(self) -> AgentRef:
        async with self._making:
            if self._supervisor is None:
                known = await self._service.agents()
                self._supervisor = await self._ensure(self._spec, known)
            return self._supervisor

    def forget(self) -> None:
        """Look again at the next question: an agent was not there any more."""
        self._supervisor = None

    async def _ensure(self, spec: AgentSpec, known: Iterable[AgentRecord]) -> AgentRef:
        below = {
            tool.agent.name: await self._ensure(tool.agent, known) for tool in spec.tools if isinstance(tool, SubAgent)
        }
        fingerprint = spec.fingerprint(sub_agent_ids=[ref.id for ref in below.values()])
        if found := oldest(known, spec.name, fingerprint):
            return found
        made = await self._create(spec, below)
        kept = oldest(await self._service.agents(), spec.name, fingerprint) or made
        if kept.id != made.id:
            await self._service.delete_agent(made.id)
        log.info("agent=%s id=%s outcome=%s", spec.name, kept.id, "made" if kept.id == made.id else "adopted")
        return replace(kept, mcp_labels=made.mcp_labels)

    async def _create(self, spec: AgentSpec, below: Mapping[str, AgentRef]) -> AgentRef:
        about: Attributes = {
            names.OPERATION: names.CREATE_AGENT,
            names.PROVIDER: names.AGENT_SERVICE,
            names.AGENT_NAME: spec.name,
            names.REQUEST_MODEL: spec.model,
        }
        started, error = time.monotonic(), ""
        try:
            with span(names.creating(spec.name), "client", {**about, names.SYSTEM: names.AGENT_SERVICE}) as traced:
                made = await self._service.create_agent(spec, below)
                traced.set({names.AGENT_ID: made.id})
                return made
        except AppError as exc:
            error = exc.code
            raise
        finally:
            metrics.record(names.AGENT_SECONDS, time.monotonic() - started, {**about, names.ERROR: error})

    async def retire(self, now: datetime) -> int:
        """Delete the agents of earlier definitions. How many."""
        known = await self._service.agents()
        gone = 0
        for record in outdated(known, now, present(self._spec, known)):
            await self._service.delete_agent(record.ref.id)
            log.info("agent=%s id=%s outcome=retired", record.ref.name, record.ref.id)
            gone += 1
        return gone


def oldest(known: Iterable[AgentRecord], name: str, fingerprint: str) -> AgentRef | None:
    same = [record for record in known if record.ref.name == name and record.ref.fingerprint == fingerprint]
    return min(same, key=lambda record: (record.created_at, record.ref.id)).ref if same else None


def present(spec: AgentSpec, known: Iterable[AgentRecord]) -> list[AgentRef]:
    """The agents of this definition that exist: each sub-agent, last the one that has them."""
    subs = [ref for tool in spec.tools if isinstance(tool, SubAgent) for ref in present(tool.agent, known)]
    own = oldest(known, spec.name, spec.fingerprint(sub_agent_ids=[ref.id for ref in subs]))
    return [*subs, own] if own else subs


def outdated(known: Iterable[AgentRecord], now: datetime, ours: Iterable[AgentRef]) -> list[AgentRecord]:
    """Agents whose name has a newer agent of another definition, made more than RETIRED_AFTER ago.

    Never `ours`: after a roll-back the definition in use is the older one.
    """
    newest: dict[str, AgentRecord] = {}
    records, in_use = list(known), {ref.id for ref in ours}
    for record in sorted(records, key=lambda each: each.created_at):
        newest[record.ref.name] = record
    return [
        record
        for record in records
        if record.ref.id not in in_use
        and (latest := newest[record.ref.name]).ref.fingerprint != record.ref.fingerprint
        and now - latest.created_at > RETIRED_AFTER
    ]
