"""Activity runs: what each says of itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.datafactory import DataFactoryManagementClient

from tests.localcloud.adf.asking import PROD, activities, latest, runs, where, window

Sdk = DataFactoryManagementClient


def named(found: list[Any], name: str) -> list[Any]:
    return [activity for activity in found if activity.activity_name == name]


def test_the_window_is_mandatory_here_too(sdk: Sdk) -> None:
    nothing: Any = {"filters": []}
    with pytest.raises(HttpResponseError, match="lastUpdatedAfter"):
        sdk.activity_runs.query_by_pipeline_run(*PROD, latest(sdk, "LoadSales").run_id, nothing)


def test_activities_that_ended_outside_the_window_are_left_out(sdk: Sdk) -> None:
    run = latest(sdk, "LoadCustomers")
    body = window() | {"lastUpdatedBefore": (run.run_start + timedelta(seconds=1)).isoformat()}
    assert sdk.activity_runs.query_by_pipeline_run(*PROD, run.run_id, body).value == []


def test_a_succeeded_activity_has_an_error_of_empty_strings(sdk: Sdk) -> None:
    copy = named(activities(sdk, latest(sdk, "LoadCustomers")), "CopyCustomers")[0]
    assert {key: copy.error[key] for key in ("errorCode", "message", "failureType")} == {
        "errorCode": "",
        "message": "",
        "failureType": "",
    }


def test_each_attempt_of_a_retried_activity_is_a_run_of_its_own(sdk: Sdk) -> None:
    copies = named(activities(sdk, latest(sdk, "LoadSales")), "CopySalesToStaging")
    assert [copy.status for copy in copies] == ["Failed", "Failed"]
    assert [copy["retryAttempt"] for copy in copies] == [None, 1]


def test_skipped_activities_do_not_appear(sdk: Sdk) -> None:
    assert not named(activities(sdk, latest(sdk, "LoadSales")), "MergeSales")


def test_a_loop_of_sixty_gives_sixty_runs_of_which_one_failed(sdk: Sdk) -> None:
    copies = named(activities(sdk, latest(sdk, "IngestTables")), "CopyTable")
    assert len({copy["iterationHash"] for copy in copies}) == 60
    assert [copy.status for copy in copies].count("Failed") == 1


def test_a_parent_points_to_its_child_and_the_child_back(sdk: Sdk) -> None:
    parent = latest(sdk, "NightlyMaster")
    call = named(activities(sdk, parent), "RunLoadWarehouse")[0]
    child = sdk.pipeline_runs.get(*PROD, call.output["pipelineRunId"])
    assert child.pipeline_name == call.output["pipelineName"] == "LoadWarehouse"
    assert child.invoked_by is not None
    assert (child.invoked_by.invoked_by_type, child.invoked_by.pipeline_run_id) == ("PipelineActivity", parent.run_id)


def test_a_copy_counts_rows_and_bills_data_integration_units(sdk: Sdk) -> None:
    output = named(activities(sdk, latest(sdk, "LoadCustomers")), "CopyCustomers")[0].output
    meter = output["billingReference"]["billableDuration"][0]
    assert output["rowsRead"] == output["rowsCopied"] > 0
    assert (meter["meterType"], meter["unit"]) == ("AzureIR", "DIUHours")


def test_a_copy_through_a_self_hosted_runtime_bills_hours(sdk: Sdk) -> None:
    copy = named(activities(sdk, latest(sdk, "CopyErpOrders")), "CopyOrders")[0]
    meter = copy.output["billingReference"]["billableDuration"][0]
    assert (meter["meterType"], meter["unit"]) == ("SelfhostedIR", "Hours")
    assert copy["integrationRuntimeNames"] == ["shir-onprem"]


def test_a_failed_copy_bills_too(sdk: Sdk) -> None:
    output = named(activities(sdk, latest(sdk, "LoadSales")), "CopySalesToStaging")[0].output
    assert output["rowsCopied"] == 0
    assert output["errors"]
    assert output["billingReference"]["billableDuration"][0]["duration"] > 0


def test_a_copy_can_succeed_with_no_rows(sdk: Sdk) -> None:
    empty = [
        run
        for run in runs(sdk, window(2, filters=[where("PipelineName", "StreamEvents")]))
        if named(activities(sdk, run), "CopyEvents")[0].output.get("rowsCopied") == 0
    ]
    assert [run.status for run in empty] == ["Succeeded"]


def test_a_data_flow_bills_core_hours(sdk: Sdk) -> None:
    flow = activities(sdk, latest(sdk, "TransformOrders"))[0]
    assert flow.output["billingReference"]["billableDuration"][0]["unit"] == "coreHour"


def test_activity_runs_are_filtered_and_ordered(sdk: Sdk) -> None:
    body = window(
        filters=[where("ActivityType", "Copy"), where("Status", "Failed")],
        orderBy=[{"orderBy": "ActivityRunStart", "order": "DESC"}],
    )
    found = sdk.activity_runs.query_by_pipeline_run(*PROD, latest(sdk, "LoadSales").run_id, body).value
    assert [activity["retryAttempt"] for activity in found] == [1, None]


def test_an_activity_under_way_has_neither_end_nor_output(sdk: Sdk) -> None:
    run = runs(sdk, window(filters=[where("Status", "InProgress")]))[0]
    copy = activities(sdk, run)[0]
    assert (copy.status, copy.activity_run_end, copy.output) == ("InProgress", None, {})
