"""At the door: tokens, versions, paths, bad bodies, and trouble to order."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, IncompleteReadError, ServiceRequestError, ServiceResponseError
from azure.mgmt.datafactory import DataFactoryManagementClient

from tests.localcloud.adf.asking import PROD, latest, runs, window
from tests.localcloud.adf.conftest import SUBSCRIPTION, AllowHttp, SomeToken

Sdk = DataFactoryManagementClient
FACTORIES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.DataFactory/factories"
QUERY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-data-prod/providers/Microsoft.DataFactory"
    "/factories/adf-prod/queryPipelineRuns"
)
VERSION = {"api-version": "2018-06-01"}
TOKEN = {"Authorization": "Bearer x"}


def trouble(steer: httpx.Client, **what: Any) -> None:
    steer.post("/_faults", json=what).raise_for_status()


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer"])
def test_without_a_bearer_token_nothing_is_told(door: httpx.Client, header: str) -> None:
    answer = door.get(FACTORIES, params=VERSION, headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationFailed")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("version", [None, "2015-10-01"])
def test_another_version_of_the_api_is_refused(door: httpx.Client, version: str | None) -> None:
    answer = door.get(FACTORIES, params={"api-version": version} if version else {}, headers=TOKEN)
    assert answer.status_code == 400


def test_an_unknown_path_is_not_found(door: httpx.Client) -> None:
    assert door.get(FACTORIES + "/x/y/z", params=VERSION, headers=TOKEN).status_code == 404


def test_a_wrong_method_is_not_allowed(door: httpx.Client) -> None:
    assert door.delete(FACTORIES, params=VERSION, headers=TOKEN).status_code == 405


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff\xfe"])
def test_a_body_that_is_no_json_object_is_refused(door: httpx.Client, body: bytes) -> None:
    answer = door.post(QUERY, params=VERSION, headers=TOKEN, content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")


def test_paths_are_read_without_regard_to_case(door: httpx.Client) -> None:
    answer = door.get(FACTORIES.lower(), params=VERSION, headers=TOKEN)
    assert answer.status_code == 200


@pytest.mark.parametrize("status", [429, 500, 503])
def test_errors_to_order_strike_as_often_as_asked(sdk: Sdk, door: httpx.Client, status: int) -> None:
    trouble(door, status=status, count=1, operation="pipeline_runs_query_by_factory")
    with pytest.raises(HttpResponseError) as caught:
        runs(sdk, window(1))
    assert caught.value.status_code == status
    assert runs(sdk, window(1))


def test_the_sdk_waits_as_long_as_it_is_told(stand_in: str, door: httpx.Client) -> None:
    trouble(door, status=429, retry_after="0", count=1)
    with DataFactoryManagementClient(
        SomeToken(), SUBSCRIPTION, base_url=stand_in, per_call_policies=[AllowHttp()]
    ) as client:
        assert runs(client, window(1))
    assert door.get("/_stats").json()["faults"] == {"status": 1}


def test_trouble_strikes_only_the_named_operation(sdk: Sdk, door: httpx.Client) -> None:
    trouble(door, status=500, operation="pipeline_runs_get")
    assert runs(sdk, window(1))


def test_a_connection_may_break_before_the_answer(sdk: Sdk, door: httpx.Client) -> None:
    trouble(door, kind="reset", count=1)
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        runs(sdk, window(1))


def test_a_body_may_be_cut_short(sdk: Sdk, door: httpx.Client) -> None:
    trouble(door, kind="partial", count=1)
    with pytest.raises((IncompleteReadError, ServiceResponseError, HttpResponseError)):
        runs(sdk, window(24))


def test_an_answer_may_be_late_and_is_right_all_the_same(sdk: Sdk, door: httpx.Client) -> None:
    trouble(door, kind="delay", seconds=0.05, count=1)
    assert runs(sdk, window(1))


def test_trouble_by_chance_follows_the_seed(steer: httpx.Client) -> None:
    def draw() -> list[int]:
        steer.post("/_reset")
        trouble(steer, status=503, probability=0.5)
        return [steer.get(FACTORIES, params=VERSION, headers=TOKEN).status_code for _ in range(20)]

    first = draw()
    assert first == draw()
    assert set(first) == {200, 503}


@pytest.mark.parametrize("body", [{"kind": "flood"}, {"speed": 1}])
def test_trouble_of_an_unknown_kind_is_refused(door: httpx.Client, body: dict[str, Any]) -> None:
    assert door.post("/_faults", json=body).status_code == 400


def test_requests_are_counted_by_operation(sdk: Sdk, steer: httpx.Client) -> None:
    steer.post("/_reset")
    sdk.pipeline_runs.get(*PROD, latest(sdk, "LoadSales").run_id)
    counted = steer.get("/_stats").json()["requests"]
    assert counted == {"pipeline_runs_get": 1, "pipeline_runs_query_by_factory": 1}


def test_the_clock_does_not_go_back(steer: httpx.Client) -> None:
    assert steer.post("/_clock", json={"advance_seconds": -1}).status_code == 400


def test_a_reset_brings_the_beginning_back(steer: httpx.Client) -> None:
    began = steer.get("/_clock").json()
    steer.post("/_clock", json={"advance_seconds": 500})
    steer.post("/_reset")
    assert steer.get("/_clock").json() == began
