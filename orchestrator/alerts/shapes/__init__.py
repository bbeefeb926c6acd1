"""Every shape in which alerts arrive, each read into the same record. Reading is pure and never fails."""

from __future__ import annotations

from datetime import datetime

from orchestrator.alerts.record import Alert
from orchestrator.alerts.shapes import events, monitor, plain, unknown
from orchestrator.alerts.shapes.told import Source

MAX_ALERTS = 1000  # of one body; the rest is kept as one of an unknown shape


def read(body: object, received_at: datetime, source: Source = "azure-monitor") -> list[Alert]:
    """The alerts of a JSON value, several where it is a list. The shape decides how it is read, whatever the `source`,
    which is that of bodies in no known shape."""
    if not isinstance(body, list):
        return [_read(body, received_at, source)]
    alerts = [_read(each, received_at, source) for each in body[:MAX_ALERTS] if isinstance(each, dict)]
    rest = [each for each in body[:MAX_ALERTS] if not isinstance(each, dict)] + body[MAX_ALERTS:]
    return [*alerts, unknown.read(rest, received_at, source)] if rest or not alerts else alerts


def _read(body: object, received_at: datetime, source: Source) -> Alert:
    if monitor.is_common(body):
        return monitor.read_common(body, received_at)
    if monitor.is_older(body):
        return monitor.read_older(body, received_at)
    if events.is_event(body):
        return events.read(body, received_at)
    if plain.is_plain(body):
        return plain.read(body, received_at)
    return unknown.read(body, received_at, source)
