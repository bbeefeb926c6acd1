"""What surrounds a failure: the integration runtime it needed, and the runs that wait for it."""

from __future__ import annotations

import re

from core.errors import AppError
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis.causes import Cause
from tools_worker.datafactory.models import ActivityRun, IntegrationRuntime, PipelineRun

MAX_PARENTS = 4
_RUNTIME = re.compile(r"[Ii]ntegration [Rr]untime '(?P<name>[^'<>\n]{1,63})'")
_TELLING = frozenset({"integration_runtime", "network", "timeout"})


async def contributing_to(factory: DataFactory, run: PipelineRun, cause: Cause | None) -> tuple[str, ...]:
    if cause is None or cause.failure.category not in _TELLING:
        return ()
    name = _runtime_of(cause)
    if not name:
        return ()
    try:
        return _told(await factory.integration_runtime(name))
    except AppError as exc:
        return (f"Integration runtime {name} could not be asked for its state: {exc}",)


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
