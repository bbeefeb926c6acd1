"""adf_integration_runtimes: are the runtimes up, on which version, and have they room: now, not last night."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from core.errors import NotFound, UpstreamError, not_found
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import IntegrationRuntime
from tools_worker.datafactory.runtimes import Node, RuntimeHealth, health
from tools_worker.datafactory.survey import survey
from tools_worker.datafactory.wording import at, count, listed, sentences, stamp
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

AT_ONCE = 8
MAX_RUNTIMES = 40  # of one factory; two calls each
MAX_SHOWN = 40
NAMELESS = "A runtime without a name"


class IntegrationRuntimesArguments(Arguments):
    runtime: str | None = Field(
        default=None, max_length=260, description="Name of one integration runtime, in any case. Omit for all."
    )
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")


Row = tuple[str, RuntimeHealth]


async def adf_integration_runtimes(context: ToolContext, args: IntegrationRuntimesArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    defined = await survey(factories, lambda factory: factory.integration_runtimes())
    wanted = {factory.name: _wanted(list(known), args.runtime) for factory, known in defined.answers}
    if args.runtime and not any(wanted.values()) and not defined.silent:
        known = [runtime.name for _, found in defined.answers for runtime in found]
        raise not_found("integration runtime", args.runtime, known, args.factory or "")

    async def ask(factory: DataFactory) -> list[RuntimeHealth]:
        gate = asyncio.Semaphore(AT_ONCE)
        return list(await asyncio.gather(*(_health(factory, r, gate) for r in wanted[factory.name][:MAX_RUNTIMES])))

    found = await survey([factory for factory, _ in defined.answers], ask)
    rows = sorted(((f.name, h) for f, healths in found.answers for h in healths), key=lambda row: row[1].well)
    left = sum(max(0, len(names) - MAX_RUNTIMES) for names in wanted.values()) + max(0, len(rows) - MAX_SHOWN)
    return Reply(
        summary=_summary(rows, left, sentences(defined.caveat, found.caveat)),
        data={
            "as_of": stamp(context.now),
            "runtimes": [_row(*row) for row in rows[:MAX_SHOWN]],
            "left_out": left,
        },
        evidence=[Evidence("integration_runtime", h.name, name) for name, h in rows[:MAX_SHOWN] if h.name],
        truncated=left > 0,
        next=[f"adf_failures factory={name}" for name, h in rows[:1] if h.problems],
    )


def _wanted(known: list[IntegrationRuntime], name: str | None) -> list[IntegrationRuntime]:
    return [r for r in known if name is None or r.name.casefold() == name.strip().casefold()]


async def _health(factory: DataFactory, defined: IntegrationRuntime, gate: asyncio.Semaphore) -> RuntimeHealth:
    """One whose state cannot be asked is shown as unknown; the others are not held back by it."""
    async with gate:
        try:
            runtime = await factory.integration_runtime(defined.name)
        except (NotFound, UpstreamError):
            return RuntimeHealth(defined.name, defined.type, "")
        if (runtime.type or defined.type) != "SelfHosted":
            return health(runtime, defined.type)
        try:
            return health(runtime, defined.type, await factory.runtime_monitoring(defined.name))
        except (NotFound, UpstreamError):
            return health(runtime, defined.type)


def _summary(rows: Sequence[Row], left: int, caveat: str) -> str:
    ill = [row for row in rows if row[1].problems]
    head = f"{count(len(rows), 'integration runtime')}, {len(ill)} with a problem."
    return sentences(
        head if rows else "There is no integration runtime to be seen.",
        *(_told(*row) for row in rows if row in ill or row[1].self_hosted or len(rows) <= 3),
        f"{left} more not shown." if left else "",
        "This is a moment's picture, as of now: it does not tell how a runtime was when an earlier run failed.",
        caveat,
    )


def _told(factory: str, runtime: RuntimeHealth) -> str:
    kind = runtime.type or "of an unknown type"
    head = f"{runtime.name or NAMELESS} in {factory} ({kind}) is {runtime.state or 'in an unknown state'}"
    wrong = [problem for problem in runtime.problems if problem != runtime.state]
    return sentences(
        f"{head}: {listed(wrong)}." if wrong else f"{head}.",
        *(_seen(node) for node in runtime.nodes if node.status and node.status != "Online"),
        _version(runtime),
        _capacity(runtime) if runtime.self_hosted else "",
    )


def _seen(node: Node) -> str:
    return f"{node.name} was last connected {at(node.last_seen)}."


def _version(runtime: RuntimeHealth) -> str:
    if not runtime.version:
        return ""
    newer = f", the latest is {runtime.latest_version}" if runtime.outdated else ", the latest"
    newer = f", ahead of {runtime.latest_version}, which it calls the latest" if runtime.ahead else newer
    newer = newer if runtime.latest_version else ""
    update = f"; auto-update {runtime.auto_update}" if runtime.auto_update else ""
    when = f" (next {at(runtime.auto_update_at)})" if runtime.auto_update_at else ""
    return f"Version {runtime.version}{newer}{update}{when}."


def _capacity(runtime: RuntimeHealth) -> str:
    if not runtime.measured:
        return "Its capacity cannot be told: there is no monitoring data of its nodes."
    nodes = [f"{n.name} CPU {_n(n.cpu_percent)}%, {_n(n.jobs)} of {_n(n.jobs_limit)} jobs" for n in runtime.nodes]
    return f"Capacity: {runtime.capacity} ({listed(nodes)})."


def _n(number: int | None) -> str:
    return "unknown" if number is None else str(number)


def _row(factory: str, runtime: RuntimeHealth) -> dict[str, Any]:
    return {
        "factory": factory,
        "runtime": runtime.name,
        "type": runtime.type,
        "state": runtime.state or "unknown",
        "version": runtime.version or None,
        "latest_version": runtime.latest_version or None,
        "auto_update": runtime.auto_update or None,
        "capacity": runtime.capacity if runtime.self_hosted else None,
        "problems": runtime.problems,
        "nodes": [
            {
                "node": node.name,
                "status": node.status,
                "version": node.version,
                "last_connected": stamp(node.last_seen),
                "cpu_percent": node.cpu_percent,
                "memory_free_mb": node.memory_mb,
                "jobs": node.jobs,
                "jobs_limit": node.jobs_limit,
            }
            for node in runtime.nodes[:8]
        ],
    }


TOOL = ToolSpec(
    name="adf_integration_runtimes",
    description=(
        "State of Azure Data Factory integration runtimes now: online or offline, nodes, versions and auto-update, "
        "CPU, memory and running jobs against their limits, and whether capacity is enough. Use it for self-hosted "
        "runtime health and capacity questions."
    ),
    arguments=IntegrationRuntimesArguments,
    run=adf_integration_runtimes,
)
