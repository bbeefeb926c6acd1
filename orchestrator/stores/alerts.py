"""The store of alerts, as a port; and its in-memory twin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.alerts.record import Alert
from tools_worker.runtime.worker import utc_now

AWAITED = timedelta(days=7)  # how long nobody may have looked: then an alert is history


class AlertStore(Protocol):
    """Raises UpstreamUnavailable when storage does not answer."""

    async def add(self, alert: Alert) -> bool:
        """Keep it. False where it is there already."""

    async def pending(self, scope: str) -> list[Alert]:
        """Alerts of this scope that came in the last AWAITED and belong to no incident yet, oldest first."""

    async def assign(self, scope: str, alerts: Iterable[Alert], incident_id: str) -> None:
        """These belong to this incident. Given again, the last one counts."""

    async def of_incident(self, scope: str, incident_id: str) -> list[Alert]:
        """Oldest first."""

    async def purge(self, older_than: datetime) -> int:
        """Drop what was received before. How many."""


class MemoryAlertStore:
    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._alerts: dict[tuple[str, str], Alert] = {}
        self._incidents: dict[tuple[str, str], str] = {}

    async def add(self, alert: Alert) -> bool:
        new = (alert.scope, alert.key) not in self._alerts
        self._alerts.setdefault((alert.scope, alert.key), alert)
        return new

    async def pending(self, scope: str) -> list[Alert]:
        since = self._now() - AWAITED
        return [alert for alert in self._where(scope, "") if alert.received_at >= since]

    async def assign(self, scope: str, alerts: Iterable[Alert], incident_id: str) -> None:
        for alert in alerts:
            self._incidents[scope, alert.key] = incident_id

    async def of_incident(self, scope: str, incident_id: str) -> list[Alert]:
        return self._where(scope, incident_id)

    async def purge(self, older_than: datetime) -> int:
        old = [key for key, alert in self._alerts.items() if alert.received_at < older_than]
        for key in old:
            del self._alerts[key]
        return len(old)

    def _where(self, scope: str, incident_id: str) -> list[Alert]:
        found = [
            alert
            for key, alert in self._alerts.items()
            if key[0] == scope and self._incidents.get(key, "") == incident_id
        ]
        return sorted(found, key=lambda alert: alert.received_at)
