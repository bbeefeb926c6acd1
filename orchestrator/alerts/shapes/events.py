"""Events of Event Grid, in its own schema or as CloudEvents 1.0; of whatever type, with what their data tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.alerts.record import Alert
from orchestrator.alerts.shapes.places import Names, factory_id
from orchestrator.alerts.shapes.plain import over
from orchestrator.alerts.shapes.times import first, when_told
from orchestrator.alerts.shapes.told import Told, alert
from tools_worker.datafactory.fields import mapping, text

VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
GOOD_NEWS = 4  # the severity of what is no trouble in itself: a blob that was made, a resource that was written
TROUBLE = ("fail", "error", "unavailable", "degraded", "deadletter", "dead-letter", "health", "alert")


def is_event(body: object) -> bool:
    return is_cloud_event(body) or bool(text(body, "eventType") and text(body, "id"))


def is_cloud_event(body: object) -> bool:
    return bool(text(body, "type") and text(body, "id") and (text(body, "specversion") or text(body, "source")))


def read(body: object, received_at: datetime) -> Alert:
    cloud = is_cloud_event(body)
    kind = text(body, "type") if cloud else text(body, "eventType")
    source = text(body, "source") if cloud else text(body, "topic")
    subject, data = text(body, "subject"), mapping(body, "data")
    properties = mapping(mapping(data, "resourceInfo"), "properties")  # of resource notifications
    names = Names(data, properties)
    health = text(properties, "availabilityState")
    told = Told(
        instance=f"{source} {text(body, 'id')}",
        title=_title(kind, subject, text(body, "deadLetterReason")),
        rule=kind,
        severity=None if _is_trouble(body, kind, health) else GOOD_NEWS,
        target=names.first(("targetresourceid", "resourceuri", "resourceid")) or source or subject,
        factory=factory_id(*names.every(("targetresourceid",)), source, subject) or names.factory,
        pipeline=names.pipeline,
        run_ids=names.run_ids(),
        ended=over(text(data, "status")) or health.lower() == "available",
        dimensions={"subject": subject} if subject else {},
        details={**_told(body, "deadLetterReason", "lastDeliveryOutcome"), "health": health, "data": data},
    )
    at = when_told(first(body, "time", "eventTime"), received_at)
    return alert("event-grid", "event", told, at, received_at)


def _title(kind: str, subject: str, dead: str) -> str:
    what = f"{kind}: {subject}" if subject else kind
    return f"{what} ({dead})" if dead else what


def _is_trouble(body: object, kind: str, health: str) -> bool:
    told = " ".join((kind, text(mapping(body, "data"), "status"), text(body, "deadLetterReason"), health)).lower()
    return bool(text(body, "deadLetterReason")) or any(word in told for word in TROUBLE)


def _told(body: object, *names: str) -> Mapping[str, Any]:
    return {name: value for name in names if (value := text(body, name))}
