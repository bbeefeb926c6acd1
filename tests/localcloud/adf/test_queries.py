"""Run queries as the service answers them, through the real SDK client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.datafactory import DataFactoryManagementClient
from azure.mgmt.datafactory.models import RunFilterParameters, RunQueryFilter

from tests.localcloud.adf.asking import PROD, all_runs, latest, runs, where, window
from tests.localcloud.adf.conftest import NOW

Sdk = DataFactoryManagementClient


def refusal(sdk: Sdk, body: dict[str, Any]) -> HttpResponseError:
    with pytest.raises(HttpResponseError) as caught:
        runs(sdk, body)
    assert caught.value.status_code == 400
    assert caught.value.error is not None
    return caught.value


@pytest.mark.parametrize("bound", ["lastUpdatedAfter", "lastUpdatedBefore"])
def test_both_bounds_of_the_window_are_mandatory(sdk: Sdk, bound: str) -> None:
    body = window()
    del body[bound]
    assert bound in refusal(sdk, body).message


def test_models_of_the_sdk_work_as_well_as_dictionaries(sdk: Sdk) -> None:
    by_name = RunQueryFilter(operand="PipelineName", operator="Equals", values_property=["LoadSales"])
    asked = RunFilterParameters(last_updated_after=NOW - timedelta(days=1), last_updated_before=NOW, filters=[by_name])
    assert [run.status for run in sdk.pipeline_runs.query_by_factory(*PROD, asked).value] == ["Failed"]


def test_the_window_bounds_the_last_update_and_not_the_start(sdk: Sdk) -> None:
    run = latest(sdk, "LoadCustomers")
    ended = run.run_end
    body = {
        "lastUpdatedAfter": (ended - timedelta(minutes=1)).isoformat(),
        "lastUpdatedBefore": (ended + timedelta(minutes=1)).isoformat(),
    }
    assert run.run_start < ended - timedelta(minutes=1)
    assert run.run_id in {found.run_id for found in runs(sdk, body)}


def test_a_run_that_ended_before_the_window_is_not_found(sdk: Sdk) -> None:
    run = latest(sdk, "LoadCustomers")
    body = window() | {"lastUpdatedAfter": (run.run_end + timedelta(seconds=1)).isoformat()}
    assert run.run_id not in {found.run_id for found in all_runs(sdk, body)}


def test_a_run_in_progress_is_found_by_its_latest_event(sdk: Sdk) -> None:
    running = runs(sdk, window(24, filters=[where("Status", "InProgress")]))
    assert [run.pipeline_name for run in running] == ["BackfillOrders"]
    assert running[0].run_end is None
    assert running[0].last_updated >= running[0].run_start


def test_without_an_order_the_oldest_come_first(sdk: Sdk) -> None:
    begun = [run.run_start for run in runs(sdk, window(48))]
    assert begun == sorted(begun)


def test_an_order_is_followed(sdk: Sdk) -> None:
    found = runs(sdk, window(48, orderBy=[{"orderBy": "RunStart", "order": "DESC"}]))
    begun = [run.run_start for run in found]
    assert begun == sorted(begun, reverse=True)


def test_a_page_holds_a_hundred_runs_and_a_token_leads_on(sdk: Sdk) -> None:
    first = sdk.pipeline_runs.query_by_factory(*PROD, window(48))
    second = sdk.pipeline_runs.query_by_factory(*PROD, window(48, continuationToken=first.continuation_token))
    assert len(first.value) == 100
    assert not {run.run_id for run in first.value} & {run.run_id for run in second.value}


def test_the_last_page_has_no_token(sdk: Sdk) -> None:
    found = list(all_runs(sdk, window(48)))
    assert len(found) > 200
    assert len({run.run_id for run in found}) == len(found)


def test_a_token_without_the_window_is_answered_with_nothing(sdk: Sdk) -> None:
    token = sdk.pipeline_runs.query_by_factory(*PROD, window(48)).continuation_token
    alone: Any = {"continuationToken": token}
    assert runs(sdk, alone) == []


def test_a_broken_token_is_refused(sdk: Sdk) -> None:
    refusal(sdk, window(continuationToken="nonsense"))


def test_names_compare_with_their_case(sdk: Sdk) -> None:
    assert runs(sdk, window(filters=[where("PipelineName", "loadsales")])) == []


def test_filters_are_all_to_be_met(sdk: Sdk) -> None:
    both = [where("PipelineName", "LoadSales", "LoadCustomers"), where("Status", "Failed")]
    assert [run.pipeline_name for run in runs(sdk, window(filters=both))] == ["LoadSales"]


@pytest.mark.parametrize(("operator", "values"), [("NotEquals", ["Succeeded"]), ("NotIn", ["Succeeded", "Queued"])])
def test_negative_operators_leave_out(sdk: Sdk, operator: str, values: list[str]) -> None:
    found = runs(sdk, window(filters=[where("Status", *values, operator=operator)]))
    assert found
    assert not {run.status for run in found} & set(values)


def test_trigger_name_is_refused_for_pipeline_runs(sdk: Sdk) -> None:
    assert "TriggerName" in refusal(sdk, window(filters=[where("TriggerName", "EveryHour")])).message


def test_triggered_by_name_works(sdk: Sdk) -> None:
    found = runs(sdk, window(filters=[where("TriggeredByName", "NightlyLoads")]))
    assert sorted(run.pipeline_name for run in found) == ["LoadCustomers", "LoadSales"]


@pytest.mark.parametrize(
    "broken",
    [
        where("RunId", "x"),
        where("PipelineName", "x", operator="Contains"),
        {"operand": "Status", "operator": "Equals", "values": []},
        where("RunGroupId", "a", "b"),
        where("RunStart", "yesterday"),
    ],
)
def test_filters_that_the_service_does_not_know_are_refused(sdk: Sdk, broken: dict[str, Any]) -> None:
    refusal(sdk, window(filters=[broken]))


def test_orders_that_the_service_does_not_know_are_refused(sdk: Sdk) -> None:
    refusal(sdk, window(orderBy=[{"orderBy": "Duration", "order": "DESC"}]))


def test_a_window_that_ends_before_it_begins_is_refused(sdk: Sdk) -> None:
    body = window()
    refusal(sdk, {"lastUpdatedAfter": body["lastUpdatedBefore"], "lastUpdatedBefore": body["lastUpdatedAfter"]})


def test_a_time_that_is_none_is_refused(sdk: Sdk) -> None:
    refusal(sdk, window() | {"lastUpdatedAfter": "last night"})


def test_a_group_of_reruns_is_found_by_its_id(sdk: Sdk) -> None:
    group = latest(sdk, "PostLedger").run_group_id
    found = runs(sdk, window(24 * 14, filters=[where("RunGroupId", group)]))
    assert [run.status for run in found] == ["Failed", "Succeeded"]
    assert [run.is_latest for run in found] == [False, True]


def test_latest_only_takes_the_boolean(sdk: Sdk) -> None:
    found = runs(sdk, window(filters=[where("PipelineName", "PostLedger"), where("LatestOnly", True)]))
    assert [run.is_latest for run in found] == [True]


def test_latest_only_as_text_is_ignored(sdk: Sdk) -> None:
    found = runs(sdk, window(filters=[where("PipelineName", "PostLedger"), where("LatestOnly", "True")]))
    assert sorted(run.is_latest for run in found) == [False, True]


def test_a_cancelled_run_may_have_no_end(sdk: Sdk) -> None:
    run = runs(sdk, window(filters=[where("Status", "Cancelled")]))[0]
    assert (run.pipeline_name, run.run_end, run.duration_in_ms, run.message) == ("ExportFinance", None, None, "")


def test_fields_beyond_the_model_are_there(sdk: Sdk) -> None:
    run = latest(sdk, "LoadSales")
    assert run["annotations"] == ["nightly", "sales"]
    assert run["debugRunId"] is None


def test_trigger_runs_are_found_by_their_trigger(sdk: Sdk) -> None:
    page = sdk.trigger_runs.query_by_factory(*PROD, window(filters=[where("TriggerName", "NightlyLoads")]))
    assert [run.status for run in page.value] == ["Succeeded"]
    assert sorted(page.value[0].triggered_pipelines or {}) == ["LoadCustomers", "LoadSales"]


def test_trigger_runs_refuse_the_operands_of_pipeline_runs(sdk: Sdk) -> None:
    with pytest.raises(HttpResponseError):
        sdk.trigger_runs.query_by_factory(*PROD, window(filters=[where("PipelineName", "LoadSales")]))
