"""Triggers are started and stopped, and their runs rerun and cancelled."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.datafactory import DataFactoryManagementClient

from tests.localcloud.adf.asking import PROD, where, window

Sdk = DataFactoryManagementClient


def state(sdk: Sdk, trigger: str) -> Any:
    found: Any = sdk.triggers.get(*PROD, trigger)
    return found.properties["runtimeState"]


def windows(sdk: Sdk, *filters: dict[str, Any]) -> list[Any]:
    body = window(1, filters=[where("TriggerName", "EventWindows"), *filters])
    return list(sdk.trigger_runs.query_by_factory(*PROD, body).value)


def advance(steer: httpx.Client, seconds: float) -> None:
    steer.post("/_clock", json={"advance_seconds": seconds}).raise_for_status()


def test_stopping_waits_until_the_service_is_done(sdk: Sdk, steer: httpx.Client) -> None:
    poller = sdk.triggers.begin_stop(*PROD, "EveryHour")
    assert not poller.done()
    advance(steer, 2)
    poller.result(5)
    assert state(sdk, "EveryHour") == "Stopped"


def test_a_stopped_trigger_fires_no_more(sdk: Sdk, steer: httpx.Client) -> None:
    sdk.triggers.begin_stop(*PROD, "EveryHour", polling=False)
    advance(steer, 6 * 3600)
    body = window(1, filters=[where("TriggerName", "EveryHour")])
    fired = [run.trigger_run_timestamp for run in sdk.trigger_runs.query_by_factory(*PROD, body).value]
    assert len(fired) == 1


def test_a_trigger_can_be_started_again(sdk: Sdk, steer: httpx.Client) -> None:
    sdk.triggers.begin_stop(*PROD, "EveryHour", polling=False)
    advance(steer, 5)
    sdk.triggers.begin_start(*PROD, "EveryHour", polling=False)
    assert state(sdk, "EveryHour") == "Started"


def test_two_operations_at_once_on_a_trigger_are_refused(sdk: Sdk, steer: httpx.Client) -> None:
    sdk.triggers.begin_stop(*PROD, "EveryHour", polling=False)
    with pytest.raises(HttpResponseError, match="Concurrent operations"):
        sdk.triggers.begin_start(*PROD, "EveryHour", polling=False)


def test_an_event_trigger_tells_its_subscription(sdk: Sdk) -> None:
    assert sdk.triggers.get_event_subscription_status(*PROD, "PartnerFiles").status == "Enabled"


def test_a_schedule_has_no_subscription(sdk: Sdk) -> None:
    with pytest.raises(HttpResponseError):
        sdk.triggers.get_event_subscription_status(*PROD, "EveryHour")


def test_a_tumbling_run_knows_its_window(sdk: Sdk) -> None:
    run = windows(sdk)[0]
    assert run.run_dimension == {key: run.properties[key] for key in ("windowStartTime", "windowEndTime")}


def test_a_tumbling_run_goes_on_as_long_as_its_pipeline(sdk: Sdk, steer: httpx.Client) -> None:
    advance(steer, 16 * 60)
    going = windows(sdk, where("Status", "Inprogress"))
    advance(steer, 10 * 60)
    ended = {run.trigger_run_id: run.status for run in windows(sdk)}
    assert [ended[run.trigger_run_id] for run in going] == ["Succeeded"]


def test_a_tumbling_window_can_be_run_again(sdk: Sdk, steer: httpx.Client) -> None:
    old = windows(sdk)[0]
    sdk.trigger_runs.rerun(*PROD, "EventWindows", old.trigger_run_id)
    same = [run for run in windows(sdk) if run.run_dimension == old.run_dimension]
    assert [run.status for run in same] == ["Succeeded", "Inprogress"]


def test_a_schedule_cannot_be_run_again(sdk: Sdk) -> None:
    body = window(1, filters=[where("TriggerName", "EveryHour")])
    run = sdk.trigger_runs.query_by_factory(*PROD, body).value[0]
    with pytest.raises(HttpResponseError):
        sdk.trigger_runs.rerun(*PROD, "EveryHour", str(run.trigger_run_id))


def test_cancelling_a_window_cancels_its_run(sdk: Sdk, steer: httpx.Client) -> None:
    sdk.trigger_runs.rerun(*PROD, "EventWindows", windows(sdk)[0].trigger_run_id)
    going = windows(sdk, where("Status", "Inprogress"))[0]
    sdk.trigger_runs.cancel(*PROD, "EventWindows", going.trigger_run_id)
    run_id = going.triggered_pipelines["StreamEvents"]
    assert sdk.pipeline_runs.get(*PROD, run_id).status == "Cancelled"
    assert windows(sdk, where("Status", "Cancelled"))
