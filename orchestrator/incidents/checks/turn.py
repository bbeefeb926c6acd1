"""What a check is asked with: what it told before, what matters to people, since when to look and for how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.incidents.record import Incident
from orchestrator.policy.model import Policy

MATTERS = 2  # the severity from which a pipeline comes before others
UNNAMED = 3  # of a pipeline that the policy does not name


@dataclass(frozen=True, slots=True)
class Turn:
    """`active` are the incidents of the check's kinds. `since` is where its last turn ended; `queries` is what one turn
    may cost, children of runs and the diagnosis of what is told beside it."""

    active: Sequence[Incident]
    policy: Policy
    since: datetime
    now: datetime
    queries: int

    def severity(self, factory: str, pipeline: str) -> int:
        entry = self.policy.importance_of(factory, pipeline)
        return entry.severity if entry else UNNAMED

    def matters(self, factory: str, pipeline: str) -> bool:
        return self.severity(factory, pipeline) <= MATTERS
