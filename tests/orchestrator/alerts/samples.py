"""Alerts as their senders write them, small: a body for each shape there is. And the vendors' own, where they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FACTORY = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.DataFactory/factories/adf-1"
WORKSPACE = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/logs"
RUN = "11111111-2222-3333-4444-555555555555"
OTHER_RUN = "99999999-2222-3333-4444-555555555555"
ALERT = "/subscriptions/s-1/providers/Microsoft.AlertsManagement/alerts/a-1"
FIRED = "2026-11-20T23:58:24.3713213Z"
RESOLVED = "2026-11-21T00:13:16.2246313Z"
SHARED = Path(__file__).resolve().parents[3].parent / "shared"
PAYLOADS = ("callers/payloads/alert_*.json", "callers/payloads/cloudevent*.json", "adf/alerts/*.json")


def common(context: Any, service: str = "Platform", signal: str = "Metric", **essentials: Any) -> dict[str, Any]:
    told = {
        "alertId": ALERT,
        "alertRule": "adf-failed",
        "severity": "Sev2",
        "signalType": signal,
        "monitorCondition": "Fired",
        "monitoringService": service,
        "alertTargetIDs": [FACTORY],
        "firedDateTime": FIRED,
        "description": "A pipeline failed",
    }
    data = {"essentials": {**told, **essentials}, "alertContext": context, "customProperties": None}
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": data}


def criterion(metric: str = "PipelineFailedRuns", **dimensions: Any) -> dict[str, Any]:
    told = [{"name": name, "value": value} for name, value in dimensions.items()]
    return {"metricName": metric, "threshold": "0", "metricValue": 1.0, "dimensions": told}


def metric(*criteria: dict[str, Any], **changes: Any) -> dict[str, Any]:
    all_of = list(criteria) or [criterion(Name="LoadSales", FailureType="UserError")]
    condition = {"windowSize": "PT5M", "allOf": all_of, **changes}
    return {"properties": None, "conditionType": "SingleResourceMultipleMetricCriteria", "condition": condition}


def log_v2(**dimensions: Any) -> dict[str, Any]:
    found = {"searchQuery": "ADFPipelineRun", "linkToFilteredSearchResultsUI": "https://portal.azure.com/#logs"}
    window = {"windowStartTime": "2026-11-20T23:00:00Z", "windowEndTime": "2026-11-20T23:55:00Z"}
    condition = {"windowSize": "PT1H", "allOf": [{**criterion(**dimensions), **found}], **window}
    return {"conditionType": "LogQueryCriteria", "properties": {}, "condition": condition}


def log_v1(columns: list[str], *rows: list[Any]) -> dict[str, Any]:
    table = {"name": "PrimaryResult", "columns": [{"name": name} for name in columns], "rows": list(rows)}
    return {
        "SearchQuery": "ADFPipelineRun | where Status == 'Failed'",
        "SearchIntervalStartTimeUtc": "2026-11-20T23:00:00Z",
        "SearchIntervalEndtimeUtc": "2026-11-20T23:55:00Z",
        "ResultCount": len(rows),
        "LinkToSearchResults": "https://portal.azure.com/#logs",
        "SearchResults": {"tables": [table]},
    }


def health(**properties: Any) -> dict[str, Any]:
    return {"eventDataId": "event-1", "operationName": "an action", "properties": properties}


TROUBLE = health(
    title="Data Factory, West Europe",
    trackingId="ABC1-DEF",
    stage="Active",
    service="Azure Data Factory",
    impactedServices='[{"ServiceName": "Azure Data Factory", "ImpactedRegions": [{"RegionName": "West Europe"}]}]',
)
ACTIVITY = {
    "eventDataId": "event-1",
    "operationName": "Microsoft.DataFactory/factories/pipelines/delete",
    "status": "Succeeded",
    "claims": '{"name": "Somebody"}',
    "caller": "somebody@example.com",
}
BUDGET = {"BudgetName": "adf", "BudgetId": "/budgets/adf", "SpendingAmount": "110", "Budget": "100", "Unit": "EUR"}
OLDER_CONTEXT = {"id": "rule-1", "name": "adf-failed", "timestamp": FIRED, "severity": "3", "resourceId": FACTORY}


def older(schema: str, **data: Any) -> dict[str, Any]:
    return {"schemaId": schema, "data": data}


def event(**changes: Any) -> dict[str, Any]:
    told = {"id": "e-1", "eventType": "RunFailed", "topic": FACTORY, "subject": "LoadSales", "eventTime": FIRED}
    return {**told, "data": {"pipeline": "LoadSales", "run_id": RUN}, **changes}


def cloud_event(**changes: Any) -> dict[str, Any]:
    told = {"specversion": "1.0", "id": "e-1", "source": FACTORY, "type": "RunFailed", "time": FIRED}
    return {**told, "data": {"pipeline": "LoadSales"}, **changes}


PLAIN = {"pipeline": "LoadSales", "run_id": RUN, "factory": "adf-1", "message": "no rows", "status": "Failed"}

SAMPLES: dict[str, Any] = {
    "metric": common(metric()),
    "log v2": common(log_v2(RunId=RUN), "Log Alerts V2", "Log"),
    "log v1": common(log_v1(["RunId"], [RUN]), "Log Analytics", "Log"),
    "activity log": common(ACTIVITY, "Activity Log - Administrative", "Activity Log"),
    "service health": common(TROUBLE, "ServiceHealth", "Activity Log"),
    "resource health": common(health(currentHealthStatus="Unavailable"), "Resource Health", "Activity Log"),
    "budget": common({"AlertData": BUDGET}, "CostAlerts", ""),
    "older metric": older("AzureMonitorMetricAlert", status="Activated", context={**OLDER_CONTEXT, **metric()}),
    "older log": older("Microsoft.Insights/LogAlert", AlertRuleName="adf-failed", **log_v1(["RunId"], [RUN])),
    "older activity": older("Microsoft.Insights/activityLogs", context={"activityLog": ACTIVITY}),
    "older budget": older("AIP Budget Notification", **BUDGET),
    "event": [event()],
    "cloud event": cloud_event(),
    "plain": PLAIN,
    "unknown": {"what": "is this?"},
}


def official() -> Iterator[tuple[str, Any]]:
    for pattern in PAYLOADS:
        for path in sorted(SHARED.glob(pattern)):
            body = json.loads(path.read_text())
            yield path.stem, body.get("payload", body)
