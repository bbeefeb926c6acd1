"""The project behind the agents: its deployments and connections, and what the basic setup refuses."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from localcloud.estate import PROJECT
from localcloud.foundry.project import PLANNER
from localcloud.foundry.settings import ModelEndpoint
from tests.localcloud.foundry.conftest import StandIn, StartStandIn, function_tool, queue_tool

ENDPOINT = "https://a.queue.core.windows.net"


async def listed(one: StandIn, what: str, **query: str) -> list[dict[str, Any]]:
    answer = await one.http.get(f"/api/projects/local/{what}", params={"api-version": "v1", **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


async def test_the_model_that_thinks_is_the_one_that_is_deployed(stand_in: StartStandIn) -> None:
    [planner] = await listed(await stand_in(), "deployments")
    assert (planner["name"], planner["type"]) == (PLANNER, "ModelDeployment")
    model = ModelEndpoint("http://127.0.0.1:1/v1", "small-model", "")
    [own] = await listed(await stand_in(model=model), "deployments")
    assert own["name"] == "small-model"


async def test_connections_are_those_of_the_standard_setup(stand_in: StartStandIn) -> None:
    one = await stand_in()
    found = await listed(one, "connections")
    assert {each["type"] for each in found} == {"AzureStorageAccount", "CosmosDB", "CognitiveSearch"}
    assert all(each["id"] == f"{PROJECT}/connections/{each['name']}" for each in found)
    assert {each["credentials"]["type"] for each in found} == {"AAD"}
    assert [each["name"] for each in await listed(one, "connections", connectionType="CosmosDB")] == ["own-cosmos"]


async def test_the_basic_setup_refuses_queue_tools_and_nothing_else(stand_in: StartStandIn) -> None:
    one = await stand_in()
    agent = await one.client.create_agent(model="m", tools=[queue_tool("foo", ENDPOINT)])
    (await one.http.post("/_project", json={"setup": "basic", "connections": []})).raise_for_status()
    assert await listed(one, "connections") == []
    assert (await one.client.create_agent(model="m", tools=[function_tool()])).id
    with pytest.raises(HttpResponseError, match=r"Invalid tool value\(s\): azure_function") as refused:
        await one.client.create_agent(model="m", tools=[queue_tool("foo", ENDPOINT)])
    assert refused.value.status_code == 400
    with pytest.raises(HttpResponseError, match="azure_function"):
        await one.client.update_agent(agent.id, tools=[queue_tool("bar", ENDPOINT)])
    (await one.http.post("/_reset")).raise_for_status()
    assert (await one.client.create_agent(model="m", tools=[queue_tool("foo", ENDPOINT)])).id


async def test_there_are_two_setups(stand_in: StartStandIn) -> None:
    one = await stand_in()
    assert (await one.http.post("/_project", json={"setup": "gold"})).status_code == 400
    assert len(await listed(one, "connections")) == 3


async def test_an_identity_without_its_role_is_refused(stand_in: StartStandIn) -> None:
    one = await stand_in()
    await one.arm(http_403={"match": "GET /assistants"})
    with pytest.raises(HttpResponseError) as refused:
        [agent async for agent in one.client.list_agents()]
    assert refused.value.status_code == 403
    assert len(await listed(one, "deployments")) == 1
