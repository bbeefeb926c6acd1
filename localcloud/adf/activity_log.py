"""What people did to a factory: definitions changed, runs cancelled and started, triggers stopped and started.

Data Factory itself does not tell who did it; the Activity Log of the subscription does, for ninety days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from localcloud.adf import dice
from localcloud.adf.arm import PROVIDER
from localcloud.adf.clock import stamp
from localcloud.adf.factory import Factory
from localcloud.adf.scenario import SOMEBODY

KEPT = timedelta(days=90)
TOOK = timedelta(milliseconds=740)


@dataclass(frozen=True, slots=True)
class Deed:
    """`operation` as in "pipelines/write", `resource` as in "pipelines/LoadSales", both below the factory."""

    moment: datetime
    operation: str
    resource: str
    caller: str = SOMEBODY


def events(factory: Factory, deed: Deed) -> Iterator[dict[str, Any]]:
    """Each deed is logged twice: when it begins and when it is done."""
    yield _event(factory, deed, "BeginRequest", "Started", deed.moment)
    yield _event(factory, deed, "EndRequest", "Succeeded", deed.moment + TOOK)


def _event(factory: Factory, deed: Deed, name: str, status: str, moment: datetime) -> dict[str, Any]:
    operation, resource = f"{PROVIDER}/factories/{deed.operation}", f"{factory.path}/{deed.resource}"
    correlation = dice.identifier("deed", factory.name, deed.operation, deed.resource, deed.moment.isoformat())
    identity = dice.identifier("event", correlation, name)
    return {
        "id": f"{resource}/events/{identity}/ticks/{round(moment.timestamp() * 1e7) + 621355968000000000}",
        "authorization": {"action": operation, "scope": resource},
        "caller": deed.caller,
        "category": _named("Administrative"),
        "channels": "Operation",
        "correlationId": correlation,
        "description": "",
        "eventDataId": identity,
        "eventName": _named(name),
        "eventTimestamp": stamp(moment),
        "level": "Informational",
        "operationId": correlation,
        "operationName": _named(operation),
        "properties": {"entity": resource, "eventCategory": "Administrative"},
        "resourceGroupName": factory.group,
        "resourceId": resource,
        "resourceProviderName": _named(PROVIDER),
        "resourceType": _named(f"{PROVIDER}/factories/{deed.resource.split('/')[0]}"),
        "status": _named(status),
        "subStatus": _named(""),
        "submissionTimestamp": stamp(moment + timedelta(seconds=95)),
        "subscriptionId": factory.subscription,
    }


def _named(value: str) -> dict[str, str]:
    return {"value": value, "localizedValue": value}
