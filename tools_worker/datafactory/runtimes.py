"""Integration runtimes at this moment: what is wrong with one, and whether its nodes have room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.models import IntegrationRuntime

HEALTHY = frozenset({"Online", "Started"})
IDLE = frozenset({"Initial", "Stopped", "Starting", "Stopping"})  # usual for Azure-SSIS and for what was never used
BUSY_CPU = 85  # percent; at a sustained 85 a node's jobs slow each other down
FULL_JOBS = 0.9  # of the limit: the next jobs will queue
LOW_MEMORY_MB = 1024
_CHECKS = {
    "serviceBusConnected": "not connected to Azure Relay (service bus)",
    "httpsPortEnabled": "its HTTPS port is not enabled",
    "credentialInSync": "credentials are not in sync",
    "connectedToResourceManager": "not connected to the resource manager",
    "nodeEnabled": "not enabled",
}


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    status: str = ""
    version: str = ""
    version_status: str = ""
    last_seen: datetime | None = None
    cpu_percent: int | None = None
    memory_mb: int | None = None
    jobs: int | None = None
    jobs_limit: int | None = None
    broken: tuple[str, ...] = ()

    @property
    def full(self) -> list[str]:
        """Why it has no room, in words; empty when it has, or when nothing is known."""
        reasons = []
        if self.cpu_percent is not None and self.cpu_percent >= BUSY_CPU:
            reasons.append(f"CPU {self.cpu_percent}%")
        if self.jobs is not None and self.jobs_limit and self.jobs >= FULL_JOBS * self.jobs_limit:
            reasons.append(f"{self.jobs} of {self.jobs_limit} jobs")
        if self.memory_mb is not None and self.memory_mb < LOW_MEMORY_MB:
            reasons.append(f"only {self.memory_mb} MB of memory left")
        return reasons


@dataclass(frozen=True, slots=True)
class RuntimeHealth:
    name: str
    type: str
    state: str
    nodes: tuple[Node, ...] = ()
    version: str = ""
    latest_version: str = ""
    auto_update: str = ""
    auto_update_at: datetime | None = None
    measured: bool = False

    @property
    def self_hosted(self) -> bool:
        return self.type == "SelfHosted"

    @property
    def well(self) -> bool:
        return self.state in HEALTHY and not self.problems

    @property
    def outdated(self) -> bool:
        return bool(self.version and self.latest_version) and _order(self.version) < _order(self.latest_version)

    @property
    def ahead(self) -> bool:
        """Its version is newer than the one that its status calls the latest: seen where a status is old."""
        return bool(self.version and self.latest_version) and _order(self.version) > _order(self.latest_version)

    @property
    def problems(self) -> list[str]:
        found = [f"{self.state}"] if self.state and self.state not in HEALTHY | IDLE else []
        found += ["its state is unknown"] if not self.state else []
        for node in self.nodes:
            if node.status and node.status not in {"Online", "Available"}:
                found.append(f"node {node.name} is {node.status}")
            found += [f"node {node.name}: {what}" for what in node.broken if node.status == "Online"]
        return found

    @property
    def capacity(self) -> str:
        """`full`, `single point of failure`, `enough`, or `unknown`: it is a picture of one moment."""
        online = [node for node in self.nodes if node.status == "Online"]
        if not self.self_hosted or not self.measured or not online:
            return "unknown"
        if all(node.full for node in online):
            return "full"
        if any(node.full for node in online):
            return "partly full"
        return "enough" if len(self.nodes) > 1 else "enough, on one node only"


def _order(version: str) -> list[int]:
    """5.10 comes after 5.9; what is no number counts as 0."""
    parts = version.split(".")[:6]
    return [int(part) if part.isascii() and part.isdigit() and len(part) < 10 else 0 for part in parts]


def health(runtime: IntegrationRuntime, kind: str = "", monitoring: Sequence[Mapping[str, Any]] = ()) -> RuntimeHealth:
    """From its status and, for a self-hosted one, what its nodes do now. `kind` where the status does not tell it."""
    measured = {fields.name(node, "nodeName"): node for node in monitoring}
    return RuntimeHealth(
        name=runtime.name,
        type=runtime.type or kind,
        state=runtime.state,
        nodes=tuple(_node(raw, measured.get(fields.name(raw, "nodeName"), fields.NOTHING)) for raw in runtime.nodes),
        version=fields.name(runtime.detail, "version"),
        latest_version=fields.name(runtime.detail, "latestVersion"),
        auto_update=fields.name(runtime.detail, "autoUpdate"),
        auto_update_at=fields.moment(runtime.detail, "autoUpdateETA"),
        measured=bool(measured),
    )


def _node(raw: Mapping[str, Any], load: Mapping[str, Any]) -> Node:
    able = fields.mapping(raw, "capabilities")
    return Node(
        name=fields.name(raw, "nodeName") or fields.text(raw, "nodeId") or "without a name",
        status=fields.name(raw, "status"),
        version=fields.name(raw, "version"),
        version_status=fields.name(raw, "versionStatus"),
        last_seen=fields.moment(raw, "lastConnectTime"),
        cpu_percent=_figure(load, "cpuUtilization"),
        memory_mb=_figure(load, "availableMemoryInMB"),
        jobs=_figure(load, "concurrentJobsRunning"),
        jobs_limit=_limit(load, raw),
        # Text "True" and "False", not booleans.
        broken=tuple(what for key, what in _CHECKS.items() if fields.name(able, key).casefold() == "false"),
    )


def _limit(load: Mapping[str, Any], raw: Mapping[str, Any]) -> int | None:
    found = _figure(load, "concurrentJobsLimit")
    return _figure(raw, "concurrentJobsLimit") if found is None else found


def _figure(raw: Mapping[str, Any], key: str) -> int | None:
    """Nothing is used less than not at all: below zero a figure is broken."""
    found = fields.whole(raw, key)
    return found if found is not None and found >= 0 else None
