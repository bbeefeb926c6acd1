"""Events as the Functions host hands them over, told as Event Grid sent them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import azure.functions as func


def body(event: func.EventGridEvent | func.CloudEvent) -> dict[str, Any]:
    when: datetime | None = event.time if isinstance(event, func.CloudEvent) else event.event_time
    told = {"id": event.id, "subject": event.subject, "time": when.isoformat() if when else None}
    if isinstance(event, func.CloudEvent):
        return {
            **told,
            "specversion": event.specversion,
            "source": event.source,
            "type": event.type,
            "data": event.get_json(),
        }
    return {**told, "topic": event.topic, "eventType": event.event_type, "data": event.get_json()}
