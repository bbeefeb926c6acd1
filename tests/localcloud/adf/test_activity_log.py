"""Who did what: the Activity Log as Azure Monitor serves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from localcloud.adf.app import App
from localcloud.adf.scenario import Change, Pause, Scenario, load_scenario
from localcloud.adf.world import World
from tests.localcloud.adf.conftest import NOW, SUBSCRIPTION

VALUES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
FACTORY = "/subscriptions/{}/resourceGroups/rg-data-prod/providers/Microsoft.DataFactory/factories/adf-prod"
HEADERS = {"Authorization": "Bearer x"}
ANNA, BEN = "anna.berg@contoso.example", "ben.cole@contoso.example"


def scenario() -> Scenario:
    changes = (
        Change("adf-prod", "pipelines/LoadInventory", fault="inventory-column-renamed", minutes_before=95, by=ANNA),
        Change("adf-prod", "datasets/InventoryCsv", hours_ago=300, by=BEN),
    )
    pauses = (
        Pause("adf-prod", "EveryHour", hours_ago=30, until_hours_ago=20, by=BEN),
        Pause("adf-prod", "EveryFourHours", hours_ago=9, by=ANNA),
    )
    return replace(load_scenario("default"), changes=changes, pauses=pauses)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(App(World(scenario(), fixed=NOW)), headers=HEADERS) as client:
        yield client


def ask(client: TestClient, terms: str = "", hours: float = 24 * 20, select: str | None = None) -> Any:
    window = f"eventTimestamp ge '{(NOW - timedelta(hours=hours)).isoformat()}'"
    filters = " and ".join(filter(None, [window, terms]))
    more = {"$select": select} if select else {}
    return client.get(VALUES, params={"api-version": "2015-04-01", "$filter": filters, **more})


def told(client: TestClient, operation: str, **more: Any) -> list[dict[str, Any]]:
    found = ask(client, **more).json()["value"]
    return [e for e in found if e["operationName"]["value"] == f"Microsoft.DataFactory/factories/{operation}"]


def test_a_change_is_told_with_who_and_when_and_what(client: TestClient) -> None:
    (done,) = [e for e in told(client, "pipelines/write") if e["status"]["value"] == "Succeeded"]
    path = FACTORY.format(SUBSCRIPTION)
    assert (done["caller"], done["resourceId"]) == (ANNA, f"{path}/pipelines/LoadInventory")
    assert done["eventTimestamp"].startswith("2026-03-18T03:25:00.7")


def test_each_deed_is_told_when_it_begins_and_when_it_is_done(client: TestClient) -> None:
    found = told(client, "datasets/write")
    assert [(e["status"]["value"], e["eventName"]["value"]) for e in found] == [
        ("Succeeded", "EndRequest"),
        ("Started", "BeginRequest"),
    ]
    assert len({e["correlationId"] for e in found}) == 1
    assert len({e["eventDataId"] for e in found}) == 2


def test_cancelling_names_the_run(client: TestClient) -> None:
    found = told(client, "pipelineruns/cancel/action")
    runs = {event["resourceId"].rpartition("/")[2] for event in found}
    statuses = [client.get(f"{FACTORY.format(SUBSCRIPTION)}/pipelineruns/{run}?api-version=2018-06-01") for run in runs]
    assert {answer.json()["status"] for answer in statuses} == {"Cancelled"}


def test_the_newest_come_first(client: TestClient) -> None:
    times = [event["eventTimestamp"] for event in ask(client).json()["value"]]
    assert times == sorted(times, reverse=True)


def test_a_trigger_that_was_stopped_fires_nothing_meanwhile(client: TestClient) -> None:
    body = {
        "lastUpdatedAfter": (NOW - timedelta(hours=31)).isoformat(),
        "lastUpdatedBefore": (NOW - timedelta(hours=19)).isoformat(),
        "filters": [{"operand": "TriggerName", "operator": "Equals", "values": ["EveryHour"]}],
    }
    path = f"{FACTORY.format(SUBSCRIPTION)}/queryTriggerRuns?api-version=2018-06-01"
    fired = [datetime.fromisoformat(r["triggerRunTimestamp"]) for r in client.post(path, json=body).json()["value"]]
    assert [f"{moment:%d %H:%M}" for moment in fired] == ["17 03:05", "17 14:05"]


@pytest.mark.parametrize(("name", "state"), [("EveryHour", "Started"), ("EveryFourHours", "Stopped")])
def test_a_trigger_that_nobody_started_again_is_stopped(client: TestClient, name: str, state: str) -> None:
    path = f"{FACTORY.format(SUBSCRIPTION)}/triggers/{name}?api-version=2018-06-01"
    assert client.get(path).json()["properties"]["runtimeState"] == state


def test_stopping_and_starting_again_are_told(client: TestClient) -> None:
    assert len(told(client, "triggers/stop/action")) == 4
    assert {event["caller"] for event in told(client, "triggers/start/action")} == {BEN}


@pytest.mark.parametrize(
    ("terms", "kept"),
    [
        ("resourceGroupName eq 'RG-data-prod'", True),
        ("resourceGroupName eq 'rg-data-dev'", False),
        ("resourceProvider eq 'Microsoft.DataFactory'", True),
        ("resourceProvider eq 'Microsoft.Storage'", False),
        (f"resourceUri eq '{FACTORY.format(SUBSCRIPTION)}/pipelines/LoadInventory'", True),
    ],
)
def test_filters_are_obeyed_without_regard_to_case(client: TestClient, terms: str, kept: bool) -> None:
    assert bool(told(client, "pipelines/write", terms=terms)) is kept


@pytest.mark.parametrize("terms", ["caller eq 'anna'", "eventTimestamp gt '2026-03-01'", "nonsense"])
def test_other_filters_are_refused(client: TestClient, terms: str) -> None:
    assert ask(client, terms).status_code == 400


def test_a_filter_needs_a_start(client: TestClient) -> None:
    assert client.get(VALUES, params={"api-version": "2015-04-01"}).status_code == 400


def test_ninety_days_are_kept(client: TestClient) -> None:
    assert ask(client, hours=24 * 91).status_code == 400


def test_only_chosen_fields_are_shown(client: TestClient) -> None:
    shown = ask(client, select="caller,eventTimestamp").json()["value"]
    assert {tuple(sorted(event)) for event in shown} == {("caller", "eventTimestamp")}


def test_the_api_has_a_version_of_its_own(client: TestClient) -> None:
    assert client.get(VALUES, params={"api-version": "2018-06-01"}).status_code == 400


def test_long_answers_come_in_pages() -> None:
    many = tuple(Change("adf-prod", f"pipelines/P{n}", hours_ago=n + 1) for n in range(60))
    with TestClient(App(World(replace(load_scenario("default"), changes=many), fixed=NOW)), headers=HEADERS) as client:
        page, found = ask(client).json(), []
        while True:
            found += page["value"]
            if "nextLink" not in page:
                break
            page = client.get(page["nextLink"]).json()
    assert len({event["eventDataId"] for event in found if "pipelines/P" in event["resourceId"]}) == 120


def test_what_is_done_through_the_api_is_told() -> None:
    path = FACTORY.format(SUBSCRIPTION)
    with TestClient(App(World(load_scenario("default"), fixed=NOW)), headers=HEADERS) as client:
        for verb in ("pipelines/SyncCrm/createRun", "triggers/EveryHour/stop"):
            client.post(f"{path}/{verb}?api-version=2018-06-01", json={}).raise_for_status()
        client.post("/_clock", json={"advance_seconds": 5})
        assert len(told(client, "pipelines/createrun/action", hours=0.1)) == 2
        assert len(told(client, "triggers/stop/action", hours=0.1)) == 2
