"""Azure Monitor's common alert schema, and the older schemas of rules that do not use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from orchestrator.alerts.record import Alert, AlertKind
from orchestrator.alerts.shapes import activity, logs, metrics
from orchestrator.alerts.shapes.places import Names, factory_id
from orchestrator.alerts.shapes.times import first, when_told
from orchestrator.alerts.shapes.told import Told, alert, severity
from tools_worker.datafactory.fields import as_mapping, items, mapping, text

COMMON = "azuremonitorcommonalertschema"
OLDER = (
    "azuremonitormetricalert",
    "microsoft.insights/activitylogs",
    "microsoft.insights/logalert",
    "aip budget notification",
)


def is_common(body: object) -> bool:
    data = mapping(body, "data")
    return text(body, "schemaId").lower() == COMMON or bool(mapping(data, "essentials"))


def is_older(body: object) -> bool:
    return text(body, "schemaId").lower() in OLDER


def read_common(body: object, received_at: datetime) -> Alert:
    data = mapping(body, "data")
    essentials, context = mapping(data, "essentials"), mapping(data, "alertContext")
    custom = mapping(data, "customProperties") or mapping(body, "customProperties")
    fired_at = first(essentials, "firedDateTime")
    kind, told = _context(essentials, context, when_told(fired_at, received_at))
    ended = told.ended or text(essentials, "monitorCondition").lower() in ("resolved", "deactivated")
    at = first(essentials, "resolvedDateTime") if ended and not told.ended else fired_at
    targets = _targets(essentials)
    told = _with_custom(told, Names(custom, mapping(context, "properties")))
    told = replace(
        told,
        instance=_instance(kind, essentials, told),
        title=told.title or text(essentials, "description"),
        rule=text(essentials, "alertRule") or told.rule,
        severity=severity(text(essentials, "severity")),
        target=next(iter(targets), told.target),
        factory=factory_id(*targets, told.factory) or told.factory,
        link=told.link or text(essentials, "investigationLink"),
        ended=ended,
        details={
            "description": text(essentials, "description"),
            "service": text(essentials, "monitoringService"),
            "custom": custom,
            **told.details,
        },
    )
    return alert("azure-monitor", kind, told, when_told(at, received_at), received_at)


def _context(essentials: object, context: object, fired: datetime) -> tuple[AlertKind, Told]:
    service, signal = text(essentials, "monitoringService").lower(), text(essentials, "signalType").lower()
    condition = text(context, "conditionType").lower()
    if service in ("servicehealth", "service health"):
        return "service_health", activity.service_health(context)
    if service in ("resource health", "resourcehealth"):
        return "resource_health", activity.resource_health(context)
    if service == "costalerts" or mapping(context, "AlertData"):
        return "budget", activity.budget(context)
    if signal == "log" or condition == "logquerycriteria" or service in ("log analytics", "log alerts v2"):
        return "log", logs.read(context, fired)
    if signal == "metric" or service == "platform" or condition.endswith("criteria"):
        return "metric", metrics.read(context, fired)
    if signal == "activity log" or service.startswith("activity log"):
        return "activity_log", activity.administrative(context)
    return "unknown", Told(details={"context": context})


def _instance(kind: AlertKind, essentials: object, told: Told) -> str:
    """Azure Monitor's own id; for the activity log, whose rules fire under one id, with the event's."""
    alert_id = text(essentials, "alertId") or text(essentials, "originAlertId")
    if kind == "service_health":
        return told.instance or alert_id
    if not alert_id:
        return told.instance or f"{text(essentials, 'alertRule')} {sorted(told.dimensions.items())}"
    return f"{alert_id} {told.instance}".strip() if kind in ("activity_log", "resource_health") else alert_id


def _with_custom(told: Told, custom: Names) -> Told:
    """A rule's custom properties tell what its kind of alert cannot: whoever made the rule wrote them."""
    return replace(
        told,
        factory=told.factory or custom.factory,
        pipeline=told.pipeline or custom.pipeline,
        run_ids=[*told.run_ids, *custom.run_ids()],
    )


def _targets(essentials: object) -> list[str]:
    return [each for each in items(essentials, "alertTargetIDs")[:20] if isinstance(each, str) and each]


def read_older(body: object, received_at: datetime) -> Alert:
    readers: dict[str, Callable[[Any, datetime], Alert]] = {
        "azuremonitormetricalert": _older_metric,
        "microsoft.insights/activitylogs": _older_activity,
        "microsoft.insights/logalert": _older_log,
        "aip budget notification": _older_budget,
    }
    return readers[text(body, "schemaId").lower()](mapping(body, "data"), received_at)


def _older_metric(data: Any, received_at: datetime) -> Alert:
    context = mapping(data, "context")
    at = when_told(first(context, "timestamp"), received_at)
    resource = text(context, "resourceId")
    told = _with_custom(metrics.read(context, at), Names(mapping(data, "properties")))
    told = replace(
        told,
        instance=f"{text(context, 'id')} {sorted(told.dimensions.items())}",  # tells the rule only
        rule=text(context, "name") or text(context, "id"),
        severity=severity(text(context, "severity")),
        target=resource,
        factory=factory_id(resource) or told.factory,
        link=text(context, "portalLink"),
        ended=_is_over(data),
        details={"description": text(context, "description"), "custom": mapping(data, "properties"), **told.details},
    )
    return alert("azure-monitor", "metric", told, at, received_at)


def _older_activity(data: Any, received_at: datetime) -> Alert:
    context = mapping(mapping(data, "context"), "activityLog")
    source = text(context, "eventSource").lower()
    kind: AlertKind = "activity_log"
    told = activity.administrative(context)
    if source == "servicehealth":
        kind, told = "service_health", activity.service_health(context)
    elif source == "resourcehealth":
        kind, told = "resource_health", activity.resource_health(context)
    resource = text(context, "resourceId") or text(context, "subscriptionId")
    told = replace(
        told,
        rule=text(context, "operationName"),
        target=resource,
        factory=factory_id(resource) or told.factory,
        ended=told.ended or _is_over(data),
    )
    at = when_told(first(context, "eventTimestamp", "submissionTimestamp"), received_at)
    return alert("azure-monitor", kind, told, at, received_at)


def _older_log(data: Any, received_at: datetime) -> Alert:
    at = when_told(first(data, *logs.ENDS), received_at)
    told = logs.read(data, at)
    rule = text(data, "AlertRuleName") or text(data, "alertRuleName")
    told = replace(
        told,
        instance=text(data, "AlertId") or f"{text(data, 'SubscriptionId')} {rule}",
        rule=rule,
        severity=severity(text(data, "Severity")),
        target=text(data, "ResourceId") or text(data, "WorkspaceId"),
        ended=_is_over(data),
        details={"description": text(data, "Description"), **told.details},
    )
    return alert("azure-monitor", "log", told, at, received_at)


def _older_budget(data: Any, received_at: datetime) -> Alert:
    return alert("azure-monitor", "budget", activity.budget(data), when_told(None, received_at), received_at)


def _is_over(data: object) -> bool:
    return text(as_mapping(data), "status").lower() in ("deactivated", "resolved")
