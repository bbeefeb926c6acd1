"""Run queries through the SDK, in a few words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from azure.mgmt.datafactory import DataFactoryManagementClient

from tests.localcloud.adf.conftest import NOW

PROD = ("rg-data-prod", "adf-prod")
DEV = ("rg-data-dev", "adf-dev")


def window(hours: float = 24, **more: Any) -> Any:
    """The last hours, as a body. Plain dictionaries also carry what the SDK's enumerations lack."""
    start, end = NOW - timedelta(hours=hours), NOW + timedelta(days=2)
    return {"lastUpdatedAfter": start.isoformat(), "lastUpdatedBefore": end.isoformat(), **more}


def where(operand: str, *values: Any, operator: str | None = None) -> dict[str, Any]:
    return {"operand": operand, "operator": operator or ("In" if len(values) > 1 else "Equals"), "values": list(values)}


def runs(sdk: DataFactoryManagementClient, body: Any, factory: tuple[str, str] = PROD) -> list[Any]:
    """One page."""
    return list(sdk.pipeline_runs.query_by_factory(*factory, body).value)


def all_runs(sdk: DataFactoryManagementClient, body: Any, factory: tuple[str, str] = PROD) -> Iterator[Any]:
    """All pages, with the window kept in each request."""
    while True:
        page = sdk.pipeline_runs.query_by_factory(*factory, body)
        yield from page.value
        if not page.continuation_token:
            return
        body = {**body, "continuationToken": page.continuation_token}


def latest(sdk: DataFactoryManagementClient, pipeline: str, factory: tuple[str, str] = PROD, hours: float = 24) -> Any:
    order = [{"orderBy": "RunStart", "order": "DESC"}]
    return runs(sdk, window(hours, filters=[where("PipelineName", pipeline)], orderBy=order), factory)[0]


def activities(sdk: DataFactoryManagementClient, run: Any, factory: tuple[str, str] = PROD) -> list[Any]:
    return list(sdk.activity_runs.query_by_pipeline_run(*factory, run["runId"], window(24 * 45)).value)
