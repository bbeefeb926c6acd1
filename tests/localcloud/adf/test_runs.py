"""Runs that are started, rerun, queued and cancelled while one looks on."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.datafactory import DataFactoryManagementClient

from tests.localcloud.adf.asking import DEV, PROD, activities, latest, runs, where, window

Sdk = DataFactoryManagementClient
HOUR = 3600


def advance(steer: httpx.Client, seconds: float) -> None:
    steer.post("/_clock", json={"advance_seconds": seconds}).raise_for_status()


def start(sdk: Sdk, pipeline: str, parameters: dict[str, Any] | None = None, **how: Any) -> str:
    return sdk.pipelines.create_run(*PROD, pipeline, parameters, **how).run_id


def status(sdk: Sdk, run_id: str) -> str | None:
    return sdk.pipeline_runs.get(*PROD, run_id).status


def test_a_started_run_progresses_and_ends(sdk: Sdk, steer: httpx.Client) -> None:
    run_id = start(sdk, "LoadCustomers")
    assert status(sdk, run_id) == "InProgress"
    advance(steer, HOUR)
    assert status(sdk, run_id) == "Succeeded"


def test_the_activities_of_a_run_appear_one_after_the_other(sdk: Sdk, steer: httpx.Client) -> None:
    run = {"runId": start(sdk, "LoadCustomers")}
    advance(steer, 60)
    assert [a.status for a in activities(sdk, run)] == ["InProgress"]
    advance(steer, HOUR)
    assert [a.status for a in activities(sdk, run)] == ["Succeeded", "Succeeded"]


def test_a_lasting_fault_fails_the_rerun_too(sdk: Sdk, steer: httpx.Client) -> None:
    run_id = start(sdk, "LoadSales", reference_pipeline_run_id=latest(sdk, "LoadSales").run_id, is_recovery=True)
    advance(steer, HOUR)
    assert status(sdk, run_id) == "Failed"


def test_a_passing_fault_lets_the_rerun_through(sdk: Sdk, steer: httpx.Client) -> None:
    run_id = start(sdk, "LoadInventory")
    advance(steer, HOUR)
    assert status(sdk, run_id) == "Succeeded"


def test_a_rerun_joins_the_group_and_becomes_its_latest(sdk: Sdk, steer: httpx.Client) -> None:
    old = latest(sdk, "LoadSales")
    new = sdk.pipeline_runs.get(*PROD, start(sdk, "LoadSales", reference_pipeline_run_id=old.run_id, is_recovery=True))
    assert (new.run_group_id, new.is_latest) == (old.run_id, True)
    assert sdk.pipeline_runs.get(*PROD, old.run_id).is_latest is False
    assert new.parameters == old.parameters


def test_a_rerun_with_other_parameters_starts_a_new_group(sdk: Sdk, steer: httpx.Client) -> None:
    old = latest(sdk, "LoadSales")
    other = {"windowEnd": "2020-01-01"}
    run_id = start(sdk, "LoadSales", other, reference_pipeline_run_id=old.run_id, is_recovery=True)
    assert sdk.pipeline_runs.get(*PROD, run_id).run_group_id == run_id


def test_a_reference_without_recovery_lends_its_parameters_only(sdk: Sdk, steer: httpx.Client) -> None:
    old = latest(sdk, "LoadSales")
    new = sdk.pipeline_runs.get(*PROD, start(sdk, "LoadSales", reference_pipeline_run_id=old.run_id))
    assert new.run_group_id == new.run_id
    assert new.parameters == old.parameters


def test_a_rerun_from_failure_leaves_out_what_had_succeeded(sdk: Sdk, steer: httpx.Client) -> None:
    old = latest(sdk, "LoadSales")
    how = {"reference_pipeline_run_id": old.run_id, "is_recovery": True, "start_from_failure": True}
    run = {"runId": start(sdk, "LoadSales", **how)}
    advance(steer, HOUR)
    assert {a.activity_name for a in activities(sdk, run)} == {"CopySalesToStaging"}


def test_a_start_activity_wins_over_start_from_failure(sdk: Sdk, steer: httpx.Client) -> None:
    old = latest(sdk, "LoadSales")
    how = {"reference_pipeline_run_id": old.run_id, "is_recovery": True, "start_from_failure": True}
    run = {"runId": start(sdk, "LoadSales", start_activity_name="MergeSales", **how)}
    advance(steer, HOUR)
    assert [a.activity_name for a in activities(sdk, run)] == ["MergeSales", "UpdateWatermark"]


def test_a_reference_to_another_pipeline_is_refused(sdk: Sdk) -> None:
    with pytest.raises(HttpResponseError, match="ReferencedPipelineRunNotValid"):
        start(sdk, "LoadCustomers", reference_pipeline_run_id=latest(sdk, "LoadSales").run_id)


def test_starting_a_pipeline_that_is_not_there_is_not_found(sdk: Sdk) -> None:
    with pytest.raises(ResourceNotFoundError):
        start(sdk, "LoadMoon")


def test_a_cancelled_run_stays_cancelled(sdk: Sdk, steer: httpx.Client) -> None:
    run_id = start(sdk, "LoadCustomers")
    advance(steer, 60)
    sdk.pipeline_runs.cancel(*PROD, run_id)
    advance(steer, HOUR)
    assert status(sdk, run_id) == "Cancelled"
    assert [a.status for a in activities(sdk, {"runId": run_id})] == ["Cancelled"]


def test_cancelling_recursively_stops_the_children(sdk: Sdk, steer: httpx.Client) -> None:
    run_id = start(sdk, "NightlyMaster")
    advance(steer, 60)
    child = next(a.output["pipelineRunId"] for a in activities(sdk, {"runId": run_id}) if "pipelineRunId" in a.output)
    sdk.pipeline_runs.cancel(*PROD, run_id, is_recursive=True)
    assert status(sdk, child) == "Cancelled"


def test_cancelling_a_child_fails_its_parent(sdk: Sdk, steer: httpx.Client) -> None:
    run_id = start(sdk, "NightlyMaster")
    advance(steer, 60)
    child = next(a.output["pipelineRunId"] for a in activities(sdk, {"runId": run_id}) if "pipelineRunId" in a.output)
    sdk.pipeline_runs.cancel(*PROD, child)
    advance(steer, 60)
    assert status(sdk, run_id) == "Failed"


def test_a_run_that_has_ended_cannot_be_cancelled(sdk: Sdk) -> None:
    with pytest.raises(HttpResponseError, match="PipelineRunNotRunning") as caught:
        sdk.pipeline_runs.cancel(*PROD, latest(sdk, "LoadCustomers").run_id)
    assert caught.value.status_code == 400


def test_cancelling_what_blocks_the_queue_lets_the_next_one_start(sdk: Sdk, steer: httpx.Client) -> None:
    found = runs(sdk, window(filters=[where("PipelineName", "BackfillOrders")]))
    assert [run.status for run in found] == ["Succeeded", "InProgress", "Queued"]
    sdk.pipeline_runs.cancel(*PROD, found[1].run_id)
    assert status(sdk, found[2].run_id) == "InProgress"
    advance(steer, 3 * HOUR)
    assert status(sdk, found[2].run_id) == "Succeeded"


def test_a_queued_run_can_be_cancelled(sdk: Sdk, steer: httpx.Client) -> None:
    queued = runs(sdk, window(filters=[where("Status", "Queued")]))[0]
    sdk.pipeline_runs.cancel(*PROD, queued.run_id)
    assert status(sdk, queued.run_id) == "Cancelled"


def test_no_more_than_a_hundred_runs_wait(sdk: Sdk, steer: httpx.Client) -> None:
    for _ in range(99):
        start(sdk, "BackfillOrders")
    with pytest.raises(HttpResponseError, match="throttled"):
        start(sdk, "BackfillOrders")


def test_schedules_go_on_as_the_clock_does(sdk: Sdk, steer: httpx.Client) -> None:
    body = window(filters=[where("PipelineName", "SyncCrm")])
    before = len(runs(sdk, body))
    advance(steer, 3 * HOUR)
    assert len(runs(sdk, body)) == before + 3


def test_a_run_is_forgotten_after_forty_five_days(sdk: Sdk, steer: httpx.Client) -> None:
    run_id = latest(sdk, "LoadCustomers").run_id
    advance(steer, 46 * 24 * HOUR)
    with pytest.raises(ResourceNotFoundError):
        sdk.pipeline_runs.get(*PROD, run_id)


@pytest.mark.parametrize("run_id", ["no-such-run", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_run_is_not_found(sdk: Sdk, run_id: str) -> None:
    with pytest.raises(ResourceNotFoundError, match="PipelineRunNotFound"):
        sdk.pipeline_runs.get(*PROD, run_id)


def test_a_run_belongs_to_one_factory(sdk: Sdk) -> None:
    with pytest.raises(ResourceNotFoundError):
        sdk.pipeline_runs.get(*DEV, latest(sdk, "LoadSales").run_id)


def test_an_activity_run_id_is_no_run_id(sdk: Sdk) -> None:
    activity = activities(sdk, latest(sdk, "LoadSales"))[0]
    with pytest.raises(ResourceNotFoundError):
        sdk.pipeline_runs.get(*PROD, activity.activity_run_id)
