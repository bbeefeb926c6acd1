"""Alerts of the activity log: what somebody did, the health of the service, the health of a resource, a budget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.alerts.shapes.places import Names
from orchestrator.alerts.shapes.told import Told
from tools_worker.datafactory.fields import as_mapping, items, mapping, text

ENDED = ("resolved", "complete", "completed", "canceled", "cancelled", "rca", "deactivated")
SECRET_OR_BULK = ("claims", "httpRequest", "authorization", "defaultLanguageContent")


def administrative(context: object) -> Told:
    operation, status = text(context, "operationName"), text(context, "status")
    names = Names(context, mapping(context, "properties"))
    return Told(
        instance=_event(context),
        title=f"{operation} {status}".strip(),
        factory=names.factory,
        pipeline=names.pipeline,
        dimensions=_told(context, "operationName", "status"),
        details=_details(context),
    )


def service_health(context: object) -> Told:
    """Named by the communication's tracking id and stage: Azure tells the same trouble many times, to every rule."""
    properties = mapping(context, "properties")
    stage = text(properties, "stage") or text(context, "status")
    tracking = text(properties, "trackingId")
    return Told(
        instance=f"service-health {tracking} {stage}" if tracking else _event(context),
        title=text(properties, "title") or text(properties, "defaultLanguageTitle") or "Azure Service Health",
        ended=stage.lower() in ENDED,
        dimensions=_told(properties, "trackingId", "service", "region"),
        details={"stage": stage, "services": _impacted(properties), **_details(context)},
    )


def resource_health(context: object) -> Told:
    properties = mapping(context, "properties")
    now = text(properties, "currentHealthStatus")
    return Told(
        instance=_event(context),
        title=text(properties, "title") or f"The resource is {now or 'not well'}",
        ended=now.lower() == "available" or text(context, "status").lower() in ENDED,
        dimensions={"signal": "Resource Health"},
        details={"health": now, **_details(context)},
    )


def budget(context: object) -> Told:
    """Of the common schema (`AlertData`), or of a budget's own one."""
    data = mapping(context, "AlertData") or as_mapping(context)
    name, unit = text(data, "BudgetName"), text(data, "Unit")
    spent = text(data, "SpentAmount") or text(data, "SpendingAmount")
    limit = text(data, "NotificationThresholdAmount") or text(data, "BudgetThreshold") or text(data, "Budget")
    told = f": {spent} {unit} spent, of a threshold of {limit}" if spent and limit else ""
    return Told(
        instance=f"{text(data, 'BudgetId')} {name} {text(data, 'BudgetStartDate')} {limit}".strip(),
        title=f"Budget {name}{told}".strip(),
        rule=name,
        target=text(data, "BudgetId") or text(data, "Scope"),
        dimensions=_told(data, "ThresholdType", "BudgetType"),
        details={key: value for key, value in data.items() if key != "BudgetCreator"},
    )


def _event(context: object) -> str:
    return text(context, "eventDataId") or text(context, "correlationId")


def _told(raw: object, *names: str) -> dict[str, str]:
    return {name: value for name in names if (value := text(raw, name))}


def _details(context: object) -> Mapping[str, Any]:
    return {name: value for name, value in as_mapping(context).items() if name not in SECRET_OR_BULK}


def _impacted(properties: object) -> list[dict[str, Any]]:
    """JSON in a string, by the sender."""
    try:
        told = json.loads(text(properties, "impactedServices"))
    except (ValueError, RecursionError):
        return []
    services = told if isinstance(told, list) else []
    return [
        {
            "service": text(each, "ServiceName"),
            "regions": [text(region, "RegionName") for region in items(each, "ImpactedRegions")[:30]],
        }
        for each in services[:20]
    ]
