"""What surrounds a failure: the integration runtime it needed, and the runs that wait for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from core.errors import AppError
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis.causes import Cause
from tools_worker.datafactory.models import ActivityRun, IntegrationRuntime, PipelineRun

MAX_PARENTS = 4
_RUNTIME = re.compile(r"[Ii]ntegration [Rr]untime '(?P<name>[^'<>\n]{1,63})'")
_DOWN = frozenset({"Offline", "NeedRegistration", "Stopped", "AccessDenied"})
_TELLING = frozenset({"integration_runtime", "network", "timeout"})


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """The integration runtime a failed activity needed, as it is now; `gap` where it could not be asked."""

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
    name = _runtime_of(cause)
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


async def impact_of(factory: DataFactory, run: PipelineRun) -> tuple[str, ...]:
    """The parents that waited for this run, nearest first. A run that went well harms nobody."""
    found: list[str] = []
    seen = {run.run_id}
    climbed = run
    while run.status != "Succeeded" and climbed.invoked_by.run_id and len(found) < MAX_PARENTS:
        if climbed.invoked_by.run_id in seen:
            break
        seen.add(climbed.invoked_by.run_id)
        try:
            climbed = await factory.pipeline_run(climbed.invoked_by.run_id)
        except AppError:
            break
        found.append(f"Parent {climbed.pipeline} is {climbed.status} (run {climbed.run_id}).")
    return tuple(found)


def _runtime_of(cause: Cause) -> str:
    named = _RUNTIME.search(cause.failure.message)
    if named:
        return named["name"]
    return _effective_runtime(cause.activity) if cause.activity is not None else ""


def _effective_runtime(activity: ActivityRun) -> str:
    """`AutoResolveIntegrationRuntime (East US)` is Azure's own and says nothing."""
    name = fields.text(activity.output, "effectiveIntegrationRuntime").split(" (")[0]
    return "" if name in ("AutoResolveIntegrationRuntime", "DefaultIntegrationRuntime") else name


def _told(runtime: IntegrationRuntime) -> tuple[str, ...]:
    state = runtime.state or "in an unknown state"
    nodes = ", ".join(
        f"{fields.text(node, 'nodeName') or 'node'} {fields.text(node, 'status') or 'unknown'}"
        for node in runtime.nodes[:4]
    )
    return (f"Integration runtime {runtime.name} is {state} now" + (f" ({nodes})." if nodes else "."),)
