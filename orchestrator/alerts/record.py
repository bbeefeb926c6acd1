"""An alert in one shape, whoever sent it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

AlertKind = Literal[
    "metric", "log", "activity_log", "service_health", "resource_health", "budget", "event", "plain", "unknown"
]


@dataclass(frozen=True, slots=True)
class Alert:
    """Times are aware UTC. What is not told is empty. All text comes from outside: it is data, cut and masked.

    `instance` is the same for an alert that fired and for its end; `rule`, `target` and `dimensions` together say what
    an alert is about, so that many of the same can be told from many different ones.
    """

    source: Literal["azure-monitor", "event-grid", "plain"]
    kind: AlertKind
    instance: str
    fired: bool  # False: the sender says that it is over
    at: datetime  # when it fired or ended, as told; else when it was received
    received_at: datetime
    title: str
    rule: str = ""
    severity: int | None = None  # 0, the worst, to 4, as told
    target: str = ""  # a resource id
    factory: str = ""  # a data factory's resource id or name
    pipeline: str = ""
    run_ids: tuple[str, ...] = ()
    since: datetime | None = None  # the window that was looked at
    until: datetime | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    link: str = ""  # https, for people
    details: Mapping[str, Any] = field(default_factory=dict)  # what else was told, for people

    @property
    def key(self) -> str:
        """The same alert told again has the same key; its end has another."""
        return digest(self.source, self.instance, str(self.fired), self.at.isoformat())

    @property
    def scope(self) -> str:
        """What is investigated together: a factory, whose name is unique in Azure, else whatever the alert is about."""
        return (self.factory.rstrip("/").rsplit("/", 1)[-1] or self.target or self.rule or self.kind).casefold()

    @property
    def about(self) -> str:
        """The same rule about the same thing."""
        told = sorted(f"{name}={value}" for name, value in self.dimensions.items())
        return digest(self.source, self.rule, self.target.casefold(), self.factory.casefold(), self.pipeline, *told)


def digest(*parts: str) -> str:
    """32 hex digits, safe in any key."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
