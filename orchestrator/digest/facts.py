"""What a digest is made of, as it was found: plain records, and nothing said about them yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from orchestrator.digest.editions import Span
from orchestrator.incidents.record import Incident
from orchestrator.policy.model import Policy
from tools_worker.datafactory.failure_groups import FailureGroup


@dataclass(frozen=True, slots=True)
class Counted:
    """Runs that ended in a period. Not `complete`: there were more than are read."""

    runs: int = 0
    failed: int = 0
    cancelled: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Slower:
    """Median seconds. `since`: a lasting change began then, or a growth day by day (`steady`); else only the runs of
    this period took longer."""

    factory: str
    pipeline: str
    runs: int
    usual: float
    took: float
    since: datetime | None = None
    steady: bool = False

    @property
    def lost(self) -> float:
        return (self.took - self.usual) * self.runs


@dataclass(frozen=True, slots=True)
class Slowness:
    found: tuple[Slower, ...] = ()
    uncompared: int = 0  # pipelines that ran, beyond those whose history is read


@dataclass(frozen=True, slots=True)
class Cost:
    """At list price. `usd` is reckoned from `billed` of the `runs`; not `whole`: of some pipelines none was billed."""

    usd: Decimal
    billed: int
    runs: int
    whole: bool
    priced: bool  # some run told billing figures: without any, only activity runs are counted


@dataclass(frozen=True, slots=True)
class Failures:
    """`of_incident`: how many of the failed runs each incident holds; `others`: runs that none holds.

    `good`: when the newest run that went well began, by pipeline."""

    of_incident: Mapping[str, int] = field(default_factory=dict)
    others: tuple[FailureGroup, ...] = ()
    good: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FactoryFacts:
    """`before` and `cost_before` are of the period before, where that is compared. `gaps`: what could not be read."""

    name: str
    counted: Counted
    failures: Failures = field(default_factory=Failures)
    slowness: Slowness = field(default_factory=Slowness)
    cost: Cost | None = None
    before: Counted | None = None
    cost_before: Cost | None = None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """`incidents`: those that lived in the period, and those that are not over now. `silent`: factories that gave no
    answer, each with the reason."""

    span: Span
    since: datetime
    until: datetime
    now: datetime
    factories: tuple[FactoryFacts, ...] = ()
    silent: tuple[tuple[str, str], ...] = ()
    incidents: tuple[Incident, ...] = ()
    policy: Policy = field(default_factory=Policy)
