"""Answers against the official description of the API, and the official examples replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from localcloud.adf.app import OPERATIONS, App
from localcloud.adf.resource_operations import references
from localcloud.adf.scenario import FactorySeed, Scenario, load_scenario
from localcloud.adf.world import World
from tests.localcloud.adf import published
from tests.localcloud.adf.asking import window
from tests.localcloud.adf.conftest import NOW
from tests.localcloud.adf.published import Published

pytestmark = pytest.mark.skipif(not published.DESCRIPTION.is_file(), reason="the official description is not beside us")

TOKEN = {"Authorization": "Bearer x"}
EXAMPLE_SUBSCRIPTION = "12345678-1234-1234-1234-12345678abc"
CREATED = {
    "pipelines": ("Pipelines_Create", "pipeline", "examplePipeline"),
    "datasets": ("Datasets_Create", "dataset", "exampleDataset"),
    "linkedservices": ("LinkedServices_Create", "linkedService", "exampleLinkedService"),
    "integrationruntimes": ("IntegrationRuntimes_Create", "integrationRuntime", "exampleIntegrationRuntime"),
    "triggers": ("Triggers_Create", "trigger", "exampleTrigger"),
    "dataflows": ("DataFlows_Create", "dataFlow", "exampleDataFlow"),
}
WINDOWS = {
    "type": "TumblingWindowTrigger",
    "runtimeState": "Started",
    "pipeline": {"pipelineReference": {"referenceName": "examplePipeline", "type": "PipelineReference"}},
    "typeProperties": {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z"},
}
EVENTS = {**WINDOWS, "type": "BlobEventsTrigger", "runtimeState": "Stopped"}


def served() -> Iterator[Published]:
    known = published.operations()
    for operation in OPERATIONS:
        if published.plain(operation.name) in known:
            yield known[published.plain(operation.name)]


def client(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(App(world)), base_url="http://stand-in", headers=TOKEN)


def example_world(operation: Published) -> World:
    """The factory that the examples speak of, made of the bodies with which they create things."""
    resources: dict[str, Any] = {}
    for kind, (file, parameter, name) in CREATED.items():
        example = json.loads((published.EXAMPLES / f"{file}.json").read_text(encoding="utf-8"))
        resources[kind] = {name: example["parameters"][parameter]["properties"]}
    for name in references(resources["dataflows"], "DatasetReference"):
        resources["datasets"].setdefault(name, resources["datasets"]["exampleDataset"])
    if operation.id.startswith("TriggerRuns"):
        resources["triggers"]["exampleTrigger"] = WINDOWS
    if operation.id.startswith("Triggers_GetEvent"):
        resources["triggers"]["exampleTrigger"] = EVENTS
    if operation.id.endswith("_Delete"):
        keep = operation.id.split("_")[0].lower()
        resources = {kind: items if kind == keep else {} for kind, items in resources.items()}
    seed = FactorySeed("exampleFactoryName", "exampleResourceGroup", resources=resources)
    return World(Scenario("examples", (seed,), EXAMPLE_SUBSCRIPTION, days=2), fixed=NOW)


async def request_of(operation: Published, asking: httpx.AsyncClient, world: World) -> httpx.Request:
    """The request of the example; ids of runs are those of this world, windows are those of its clock."""
    given = json.loads(operation.example.read_text(encoding="utf-8"))["parameters"]
    given["subscriptionId"], path = EXAMPLE_SUBSCRIPTION, operation.path
    if "runId" in given:
        given["runId"] = await run_for(operation, asking, world)
    query = {p["name"]: given.get(p["name"]) for p in operation.parameters if p.get("in") == "query"}
    bodies = [given.get(p["name"]) for p in operation.parameters if p.get("in") == "body"]
    for name, value in given.items():
        path = path.replace(f"{{{name}}}", str(value))
    body = bodies[0] if bodies else None
    if isinstance(body, dict) and "lastUpdatedAfter" in body:
        body = {**body, **window(48)}
    asked = {"api-version": "2018-06-01", **{key: value for key, value in query.items() if value is not None}}
    return asking.build_request(operation.method, path, params=asked, json=body)


async def run_for(operation: Published, asking: httpx.AsyncClient, world: World) -> str:
    living = world.factories[0]
    if operation.id == "TriggerRuns_Rerun":
        return next(iter(living.ledger.trigger_runs))
    if operation.id == "TriggerRuns_Cancel":
        old, trigger = next(iter(living.ledger.trigger_runs.values())), living.factory.get("triggers", "exampleTrigger")
        assert trigger is not None
        return living.rerun_window(old, trigger, NOW).id
    path = f"{living.factory.path}/pipelines/examplePipeline/createRun"
    answer = await asking.post(path, params={"api-version": "2018-06-01"}, json={})
    return str(answer.json()["runId"])


@pytest.mark.parametrize("operation", list(served()), ids=lambda operation: operation.id)
async def test_the_official_example_is_answered_as_it_says(operation: Published) -> None:
    world = example_world(operation)
    async with client(world) as asking:
        answer = await asking.send(await request_of(operation, asking, world))
    expected = json.loads(operation.example.read_text(encoding="utf-8"))["responses"]
    assert str(answer.status_code) in expected
    if answer.content:
        told = expected[str(answer.status_code)].get("body", {})
        assert not set(told) - set(answer.json()) - {"tags"}
        assert not published.faults(operation, answer.status_code, answer.json())


def of_id(name: str) -> Published:
    return published.operations()[published.plain(name)]


async def ask(name: str, path: str, method: str = "GET", body: Any = None) -> tuple[Published, httpx.Response]:

    world = World(load_scenario("default"), fixed=NOW)
    async with client(world) as asking:
        root = world.factories[0].factory.path
        answer = await asking.request(method, root + path, params={"api-version": "2018-06-01"}, json=body)
    return of_id(name), answer


LISTS = [
    ("Factories_Get", "", "GET"),
    ("Pipelines_ListByFactory", "/pipelines", "GET"),
    ("Datasets_ListByFactory", "/datasets", "GET"),
    ("LinkedServices_ListByFactory", "/linkedservices", "GET"),
    ("Triggers_ListByFactory", "/triggers", "GET"),
    ("DataFlows_ListByFactory", "/dataflows", "GET"),
    ("IntegrationRuntimes_ListByFactory", "/integrationRuntimes", "GET"),
    ("IntegrationRuntimes_GetStatus", "/integrationRuntimes/SHIR-OnPrem/getStatus", "POST"),
    ("PipelineRuns_QueryByFactory", "/queryPipelineRuns", "POST"),
    ("TriggerRuns_QueryByFactory", "/queryTriggerRuns", "POST"),
]


@pytest.mark.parametrize(("name", "path", "method"), LISTS)
async def test_the_default_world_answers_in_the_published_shape(name: str, path: str, method: str) -> None:
    operation, answer = await ask(name, path, method, window(24) if method == "POST" else None)
    assert answer.status_code == 200
    assert not published.faults(operation, 200, answer.json())


@pytest.mark.parametrize(
    ("path", "status"), [("/pipelines/None", 404), ("/pipelineruns/None", 404), ("/pipelines/None/createRun", 404)]
)
async def test_errors_have_the_published_shape(path: str, status: int) -> None:
    method = "POST" if path.endswith("createRun") else "GET"
    operation, answer = await ask("PipelineRuns_Get", path, method)
    assert answer.status_code == status
    assert not published.faults(operation, status, answer.json())


def test_the_check_finds_what_is_not_in_the_published_shape() -> None:
    wrong = {"value": [{"runId": 7, "status": "Succeeded"}]}
    assert published.faults(of_id("PipelineRuns_QueryByFactory"), 200, wrong)


def test_every_operation_asked_for_is_served() -> None:
    wanted = {"PipelineRuns", "Pipelines", "Datasets", "LinkedServices", "Triggers", "TriggerRuns", "ActivityRuns"}
    ids = {operation.id for operation in served()}
    missing = {o.id for o in published.operations().values() if o.id.split("_")[0] in wanted} - ids
    assert missing == {"Triggers_SubscribeToEvents", "Triggers_UnsubscribeFromEvents"}
