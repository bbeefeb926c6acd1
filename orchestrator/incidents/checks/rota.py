"""Which checks there are, how often each is made, and what it may cost.

What a factory costs where nothing is wrong: one query for each look (60 an hour), and few for each check. Where much
runs each check keeps to its `queries`: it looks at what matters first, and says what it left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.incidents.checks.deadlines import deadlines
from orchestrator.incidents.checks.hidden import hidden
from orchestrator.incidents.checks.missed import missed_times
from orchestrator.incidents.checks.slow import slow
from orchestrator.incidents.checks.stuck import stuck
from orchestrator.incidents.checks.trouble import Findings
from orchestrator.incidents.checks.turn import Turn
from orchestrator.incidents.checks.waiting import waiting
from orchestrator.incidents.record import IncidentKind
from tools_worker.datafactory.client import DataFactory

FIRST = timedelta(hours=1)  # looked back at a factory that was never checked
FURTHEST = timedelta(days=1)
HOUR = timedelta(hours=1)
# Of one factory, held by tests. Idle: nothing runs and nothing is wrong. Busy: 200 runs an hour, ten going on, agreed
# times for some, a failure open; the diagnoses of what is found come beside it.
QUERIES_AN_HOUR = 150
QUERIES_AN_HOUR_BUSY = 600
LOOKS = 2 * 60  # queries an hour: failed runs, and good ones while a failure is open

Find = Callable[[DataFactory, Turn], Awaitable[Findings]]


@dataclass(frozen=True, slots=True)
class Check:
    """`queries` bounds one turn."""

    name: str
    kinds: tuple[IncidentKind, ...]
    every: timedelta
    queries: int
    find: Find

    def since(self, checked: Mapping[str, datetime], now: datetime) -> datetime | None:
        """From when on it has to look; None where its time has not come."""
        last = checked.get(self.name, now - max(FIRST, self.every))
        tried = checked.get(self.tried, last)
        return max(last, now - FURTHEST) if now - max(last, tried) >= self.every else None

    @property
    def tried(self) -> str:
        """Under which name a check is noted that failed: the next one has to look at the same time again."""
        return f"{self.name} tried"

    @property
    def queries_an_hour(self) -> float:
        return self.queries * (HOUR / self.every)


CHECKS = (
    Check("deadlines", ("sla_risk",), timedelta(minutes=10), 20, deadlines),
    Check("missed", ("missed",), timedelta(minutes=10), 2, missed_times),
    Check("stuck", ("stuck",), timedelta(minutes=20), 42, stuck),
    Check("waiting", ("late",), timedelta(minutes=30), 12, waiting),
    Check("slow", ("slow",), timedelta(minutes=30), 20, slow),
    Check("hidden", ("masked", "zero_rows"), timedelta(minutes=30), 60, hidden),
)
