"""A stretch of time as the Activity Log can tell of it: the log reaches further back than Data Factory's runs do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from tools_worker.datafactory.activity_log import KEPT
from tools_worker.datafactory.period import RETENTION_DAYS, Period
from tools_worker.datafactory.wording import at

KEPT_DAYS = 90
LIMITS = (
    f"The Activity Log is kept for {KEPT_DAYS} days and does not hold what was in a change: Git does, and a deployment "
    "shows the identity that deployed."
)


@dataclass(frozen=True, slots=True)
class LogPeriod:
    """`until` is None for 'up to now'. `words` fit behind a noun."""

    since: datetime
    until: datetime | None
    words: str
    now: datetime

    @classmethod
    def of(cls, period: Period, now: datetime) -> Self:
        return cls(period.asked_since or period.since, period.until, period.words, now)

    @property
    def kept_since(self) -> datetime:
        return self.now - KEPT

    @property
    def gone(self) -> bool:
        return self.until is not None and self.until <= self.kept_since

    @property
    def whole(self) -> bool:
        return self.since >= self.kept_since

    @property
    def runs_since(self) -> datetime:
        return max(self.since, self.now - timedelta(days=RETENTION_DAYS))

    @property
    def caveat(self) -> str:
        """A sentence about what the log no longer has; empty when it has all."""
        if self.gone:
            return f"Nothing {self.words} can be read any more."
        return "" if self.whole else f"The log no longer has what was before {at(self.kept_since)}."
