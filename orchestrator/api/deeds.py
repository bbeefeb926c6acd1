"""What callers do beside questions and actions, in the audit trail: with incidents, and diagnoses without a model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import Depends

from core.errors import NotConfigured
from orchestrator.api.callers import Caller
from orchestrator.audit.record import Actor, Entry
from orchestrator.audit.services import ready
from orchestrator.incidents.record import Incident
from tools_worker.runtime.worker import utc_now

Record = Callable[[Entry], Awaitable[bool]]


async def provided() -> Record | None:
    """None without storage, where nothing is kept."""
    try:
        return (await ready()).audit.record
    except NotConfigured:
        return None


Trail = Annotated[Record | None, Depends(provided)]


async def on_incident(
    record: Record | None, caller: Caller, what: str, incident: Incident, **given: str | None
) -> Incident:
    """The incident as it is after this was done with it. Whoever has a key may give any name: it is an argument."""
    entry = Entry(
        at=utc_now(),
        kind="incident",
        actor=actor(caller),
        what=f"{what}: {incident.title}",
        subject=incident.id,
        factory=incident.factory,
        channel=channel(caller),
        arguments={name: value for name, value in given.items() if value},
        outcome=incident.status,
    )
    if record is not None:
        await record(entry)
    return incident


async def diagnosed(record: Record | None, caller: Caller, arguments: Mapping[str, Any], outcome: str) -> None:
    about = arguments.get("run_id") or arguments.get("pipeline") or "what failed in a window"
    entry = Entry(
        at=utc_now(),
        kind="question",
        actor=actor(caller),
        what=f"Diagnose {about}",
        subject=str(arguments.get("run_id") or ""),
        factory=str(arguments.get("factory") or ""),
        channel=channel(caller),
        arguments=arguments,
        outcome=outcome,
    )
    if record is not None:
        await record(entry)


def actor(caller: Caller) -> Actor:
    return Actor("person", caller.name, caller.id) if caller.kind == "person" else Actor("key", caller.name)


def channel(caller: Caller) -> str:
    return "ui" if caller.kind == "person" else "api"
