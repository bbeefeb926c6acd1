"""Definitions: listed, read, changed, and protected from changes that would break something."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError
from azure.mgmt.datafactory import DataFactoryManagementClient

from tests.localcloud.adf.asking import DEV, PROD

Sdk = DataFactoryManagementClient
WAIT: Any = {
    "properties": {"activities": [{"name": "Wait", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 1}}]}
}


def test_the_factories_of_a_subscription(sdk: Sdk) -> None:
    assert [factory.name for factory in sdk.factories.list()] == ["adf-prod", "adf-dev"]


def test_the_factories_of_a_group(sdk: Sdk) -> None:
    assert [factory.name for factory in sdk.factories.list_by_resource_group("rg-data-dev")] == ["adf-dev"]


def test_factories_are_found_without_regard_to_case(sdk: Sdk) -> None:
    found: Any = sdk.factories.get("RG-DATA-PROD", "ADF-Prod")
    assert found.name == "adf-prod"


@pytest.mark.parametrize(
    ("group", "factory", "code"),
    [("rg-data-prod", "none", "ResourceNotFound"), ("none", "adf-prod", "ResourceGroupNotFound")],
)
def test_a_factory_that_is_not_there(sdk: Sdk, group: str, factory: str, code: str) -> None:
    with pytest.raises(ResourceNotFoundError, match=code):
        sdk.factories.get(group, factory)


def test_a_subscription_that_is_not_there(sdk: Sdk, door: httpx.Client) -> None:
    path = "/subscriptions/11111111-0000-0000-0000-000000000000/providers/Microsoft.DataFactory/factories"
    answer = door.get(path, params={"api-version": "2018-06-01"}, headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "SubscriptionNotFound")


def test_pipelines_are_listed_with_their_activities(sdk: Sdk) -> None:
    found = {item.name: item for item in sdk.pipelines.list_by_factory(*PROD)}
    assert len(found) == 23
    assert [a["name"] for a in found["LoadSales"].properties["activities"]][:2] == [
        "LookupWatermark",
        "CopySalesToStaging",
    ]


def test_long_lists_come_in_pages(sdk: Sdk, steer: httpx.Client) -> None:
    for number in range(60):
        sdk.pipelines.create_or_update(*DEV, f"Many{number}", WAIT)
    names = [item.name for item in sdk.pipelines.list_by_factory(*DEV)]
    assert len(names) == len(set(names)) == 65


@pytest.mark.parametrize("kind", ["datasets", "linked_services", "triggers", "integration_runtimes", "data_flows"])
def test_every_kind_of_resource_is_listed_and_read(sdk: Sdk, kind: str) -> None:
    operations: Any = getattr(sdk, kind)
    first = next(iter(operations.list_by_factory(*PROD)))
    assert operations.get(*PROD, first.name).etag == first.etag


def test_a_definition_can_be_written_and_run(sdk: Sdk, steer: httpx.Client) -> None:
    sdk.pipelines.create_or_update(*PROD, "Fresh", WAIT)
    run_id = sdk.pipelines.create_run(*PROD, "Fresh").run_id
    assert sdk.pipeline_runs.get(*PROD, run_id).pipeline_name == "Fresh"


def test_each_change_gives_another_etag(sdk: Sdk, steer: httpx.Client) -> None:
    first = sdk.pipelines.create_or_update(*PROD, "Fresh", WAIT)
    assert sdk.pipelines.create_or_update(*PROD, "Fresh", WAIT).etag != first.etag


def test_a_change_of_an_older_version_is_refused(sdk: Sdk, steer: httpx.Client) -> None:
    old = sdk.pipelines.create_or_update(*PROD, "Fresh", WAIT).etag
    sdk.pipelines.create_or_update(*PROD, "Fresh", WAIT)
    with pytest.raises((ResourceModifiedError, HttpResponseError), match="PreconditionFailed"):
        sdk.pipelines.create_or_update(*PROD, "Fresh", WAIT, etag=old, match_condition=MatchConditions.IfNotModified)


def test_reading_what_one_has_already_says_so(sdk: Sdk, door: httpx.Client) -> None:
    pipeline: Any = sdk.pipelines.get(*PROD, "LoadSales")
    url = f"{pipeline.id}?api-version=2018-06-01"
    answer = door.get(url, headers={"Authorization": "Bearer x", "If-None-Match": f'"{pipeline.etag}"'})
    assert answer.status_code == 304


def test_a_reference_to_nothing_is_refused(sdk: Sdk, door: httpx.Client) -> None:
    call = {"name": "Call", "type": "ExecutePipeline"}
    call["typeProperties"] = {"pipeline": {"referenceName": "Nowhere", "type": "PipelineReference"}}  # type: ignore[assignment]
    body: Any = {"properties": {"activities": [call]}}
    with pytest.raises(HttpResponseError, match="invalid reference 'Nowhere'"):
        sdk.pipelines.create_or_update(*PROD, "Fresh", body)


def test_a_definition_that_could_not_run_is_refused(sdk: Sdk, door: httpx.Client) -> None:
    body: Any = {"properties": {"activities": [{"type": "Wait"}]}}
    with pytest.raises(HttpResponseError, match="lacks 'name' or 'type'"):
        sdk.pipelines.create_or_update(*PROD, "Fresh", body)


def test_what_others_use_is_not_deleted(sdk: Sdk, door: httpx.Client) -> None:
    with pytest.raises(HttpResponseError, match="referenced by"):
        sdk.pipelines.delete(*PROD, "LoadFactSales")


def test_what_nobody_uses_is_deleted(sdk: Sdk, steer: httpx.Client) -> None:
    sdk.pipelines.delete(*PROD, "BackfillOrders")
    with pytest.raises(ResourceNotFoundError):
        sdk.pipelines.get(*PROD, "BackfillOrders")


def test_deleting_twice_does_no_harm(sdk: Sdk, steer: httpx.Client) -> None:
    sdk.pipelines.delete(*PROD, "BackfillOrders")
    sdk.pipelines.delete(*PROD, "BackfillOrders")


def test_a_started_trigger_is_not_changed(sdk: Sdk, door: httpx.Client) -> None:
    trigger: Any = sdk.triggers.get(*PROD, "EveryHour")
    with pytest.raises(HttpResponseError, match="TriggerEnabledCannotUpdate"):
        sdk.triggers.create_or_update(*PROD, "EveryHour", trigger)


def test_a_self_hosted_runtime_that_is_offline_says_so(sdk: Sdk) -> None:
    status = sdk.integration_runtimes.get_status(*PROD, "SHIR-OnPrem").properties
    assert status["state"] == "Offline"
    assert {node["status"] for node in status["typeProperties"]["nodes"]} == {"Offline"}


def test_a_managed_runtime_is_online(sdk: Sdk) -> None:
    assert sdk.integration_runtimes.get_status(*PROD, "AutoResolveIntegrationRuntime").properties["state"] == "Online"


def test_nodes_that_are_offline_report_no_load(sdk: Sdk) -> None:
    assert sdk.integration_runtimes.get_monitoring_data(*PROD, "SHIR-OnPrem").nodes == []
