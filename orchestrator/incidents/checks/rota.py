"""Which checks there are, and how often each is made.

What a factory costs where nothing is wrong: one query for each look (60 an hour), and few for each check.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.incidents.checks.missed import missed_times
from orchestrator.incidents.checks.stuck import stuck
from orchestrator.incidents.checks.trouble import Findings
from orchestrator.incidents.record import Incident, IncidentKind
from orchestrator.policy.model import Policy
from tools_worker.datafactory.client import DataFactory

FIRST = timedelta(hours=1)  # looked back at a factory that was never checked
FURTHEST = timedelta(days=1)
QUERIES_AN_HOUR = 150  # of one factory, where nothing runs and nothing is wrong; a test holds it

Find = Callable[[DataFactory, Sequence[Incident], Policy, datetime, datetime], Awaitable[Findings]]


@dataclass(frozen=True, slots=True)
class Check:
    kind: IncidentKind
    every: timedelta
    find: Find

    def since(self, checked: Mapping[str, datetime], now: datetime) -> datetime | None:
        """From when on it has to look; None where its time has not come."""
        last = checked.get(self.kind, now - max(FIRST, self.every))
        tried = checked.get(self.tried, last)
        return max(last, now - FURTHEST) if now - max(last, tried) >= self.every else None

    @property
    def tried(self) -> str:
        """Under which name a check is noted that failed: the next one has to look at the same time again."""
        return f"{self.kind} tried"


CHECKS = (
    Check("stuck", timedelta(minutes=20), stuck),
    Check("missed", timedelta(minutes=10), missed_times),
)
