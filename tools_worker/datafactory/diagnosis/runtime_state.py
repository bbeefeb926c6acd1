"""The integration runtime that a failed activity needed, as it is now."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from core.errors import AppError
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis.causes import Cause
from tools_worker.datafactory.diagnosis.waiting import runtime_of
from tools_worker.datafactory.models import IntegrationRuntime

_RUNTIME = re.compile(r"[Ii]ntegration [Rr]untime '(?P<name>[^'<>\n]{1,63})'")
_DOWN = frozenset({"Offline", "NeedRegistration", "Stopped", "AccessDenied"})
_TELLING = frozenset({"integration_runtime", "network", "timeout"})


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """Nothing where no runtime is named; `gap` where it could not be asked."""

    runtime: IntegrationRuntime | None = None
    gap: str = ""

    @property
    def down(self) -> bool:
        return self.runtime is not None and self.runtime.state in _DOWN

    @property
    def told(self) -> tuple[str, ...]:
        return (self.gap,) if self.gap else _told(self.runtime) if self.runtime else ()


async def fetch_runtime_state(factory: DataFactory, cause: Cause | None) -> RuntimeState:
    if cause is None or cause.failure.category not in _TELLING:
        return RuntimeState()
    named = _RUNTIME.search(cause.failure.message)
    name = named["name"] if named else runtime_of(cause.activity) if cause.activity is not None else ""
    if not name:
        return RuntimeState()
    try:
        return RuntimeState(await factory.integration_runtime(name))
    except AppError as exc:
        return RuntimeState(gap=f"Integration runtime {name} could not be asked for its state: {exc}")


def settled(cause: Cause, runtime: RuntimeState) -> Cause:
    """While the runtime is down no rerun can help, whatever such failures usually do."""
    if not runtime.down:
        return cause
    return replace(cause, failure=replace(cause.failure, transience="permanent", retry_may_help=False))


def _told(runtime: IntegrationRuntime) -> tuple[str, ...]:
    state = runtime.state or "in an unknown state"
    nodes = ", ".join(
        f"{fields.text(node, 'nodeName') or 'node'} {fields.text(node, 'status') or 'unknown'}"
        for node in runtime.nodes[:4]
    )
    return (f"Integration runtime {runtime.name} is {state} now" + (f" ({nodes})." if nodes else "."),)
