"""Agents, threads and messages through the SDK's client; shapes as the real service answers them."""

from __future__ import annotations

import pytest
from azure.ai.agents.models import MessageInputTextBlock, ThreadMessageOptions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.localcloud.foundry.conftest import (
    StartStandIn,
    agent_tool,
    function_tool,
    queue_tool,
    recorded,
    recorded_answer,
    shape,
)


async def test_an_agent_has_the_shape_of_the_real_service(stand_in: StartStandIn) -> None:
    one = await stand_in()
    request = recorded("classic_azure_function.json")["entries"][0]["request_body"]
    answer = (await one.http.post("/api/projects/local/assistants", json=request)).json()
    expected = recorded_answer("classic_azure_function.json", "POST /assistants")
    assert shape(answer) == shape(expected)
    assert {**answer, "id": "", "created_at": 0} == {**expected, "id": "", "created_at": 0}


async def test_an_agent_is_read_updated_and_gone_after_deletion(stand_in: StartStandIn) -> None:
    client = (await stand_in()).client
    agent = await client.create_agent(model="m", name="a", metadata={"hash": "1"})
    await client.update_agent(agent.id, instructions="Be kind.", metadata={"hash": "2"})
    again = await client.get_agent(agent.id)
    assert (again.name, again.instructions, again.metadata) == ("a", "Be kind.", {"hash": "2"})
    await client.delete_agent(agent.id)
    with pytest.raises(ResourceNotFoundError, match="No assistant found with id"):
        await client.get_agent(agent.id)


async def test_agents_are_listed_newest_first(stand_in: StartStandIn) -> None:
    client = (await stand_in()).client
    made = [(await client.create_agent(model="m", name=str(n))).name for n in range(3)]
    assert [agent.name async for agent in client.list_agents()] == made[::-1]


async def test_tool_definitions_are_echoed_with_the_defaults_of_the_service(stand_in: StartStandIn) -> None:
    client = (await stand_in()).client
    tools = [function_tool(), {"type": "mcp", "server_label": "docs", "server_url": "http://127.0.0.1:1/mcp"}]
    agent = await client.create_agent(model="m", tools=tools)
    assert agent.tools[0]["function"]["strict"] is False
    assert agent.tools[1]["allowed_tools"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"name": "no model"},
        {"model": "m", "description": "x" * 513},
        {"model": "m", "metadata": {"k": "v" * 513}},
        {"model": "m", "metadata": {str(n): "v" for n in range(17)}},
        {"model": "m", "tools": [function_tool("bad name")]},
        {"model": "m", "tools": [agent_tool("asst_1", name="has-hyphen")]},
        {"model": "m", "tools": [queue_tool("Upper_Case", "http://127.0.0.1:1/acct")]},
        {"model": "m", "tools": [{"type": "azure_function"}]},
        {"model": "m", "tools": [{"type": "code_interpreter"}] * 129},
        {"model": "m", "tools": "none"},
    ],
)
async def test_what_the_service_would_not_take_is_refused(stand_in: StartStandIn, body: dict[str, object]) -> None:
    one = await stand_in()
    answer = await one.http.post("/api/projects/local/assistants", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_thread_has_the_shape_of_the_real_service(stand_in: StartStandIn) -> None:
    answer = (await (await stand_in()).http.post("/api/projects/local/threads", json={})).json()
    assert shape(answer) == shape(recorded_answer("classic_azure_function.json", "POST /threads"))


async def test_a_message_has_the_shape_of_the_real_service(stand_in: StartStandIn) -> None:
    one = await stand_in()
    thread = await one.client.threads.create()
    body = {"role": "user", "content": "What would foo say?"}
    answer = (await one.http.post(f"/api/projects/local/threads/{thread.id}/messages", json=body)).json()
    assert shape(answer) == shape(recorded_answer("classic_azure_function.json", "POST /threads/{id}/messages"))


async def test_a_thread_is_made_with_messages_updated_and_deleted(stand_in: StartStandIn) -> None:
    client = (await stand_in()).client
    thread = await client.threads.create(
        messages=[ThreadMessageOptions(role="user", content="hello")], metadata={"a": "1"}
    )
    await client.threads.update(thread.id, metadata={"a": "2"})
    assert (await client.threads.get(thread.id)).metadata == {"a": "2"}
    assert [m.text_messages[0].text.value async for m in client.messages.list(thread.id)] == ["hello"]
    await client.threads.delete(thread.id)
    with pytest.raises(ResourceNotFoundError):
        await client.threads.get(thread.id)


async def test_messages_can_be_tagged(stand_in: StartStandIn) -> None:
    client = (await stand_in()).client
    thread = await client.threads.create()
    message = await client.messages.create(thread.id, role="user", content=[MessageInputTextBlock(text="hi")])
    await client.messages.update(thread.id, message.id, metadata={"k": "v"})
    assert (await client.messages.get(thread.id, message.id)).metadata == {"k": "v"}


@pytest.mark.parametrize("content", ["", [], [{"type": "text", "text": ""}], 7])
async def test_a_message_without_text_is_refused(stand_in: StartStandIn, content: object) -> None:
    one = await stand_in()
    thread = await one.client.threads.create()
    body = {"role": "user", "content": content}
    answer = await one.http.post(f"/api/projects/local/threads/{thread.id}/messages", json=body)
    assert answer.status_code == 400


async def test_requests_without_authorization_are_refused(stand_in: StartStandIn) -> None:
    one = await stand_in()
    del one.http.headers["authorization"]
    answer = await one.http.get("/api/projects/local/assistants")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "401")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/threads", 405)])
async def test_unknown_paths_and_methods_are_answered_in_json(
    stand_in: StartStandIn, method: str, path: str, status: int
) -> None:
    answer = await (await stand_in()).http.request(method, f"/api/projects/local{path}")
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


async def test_a_body_that_is_no_json_is_refused(stand_in: StartStandIn) -> None:
    answer = await (await stand_in()).http.post("/api/projects/local/threads", content=b"{nope")
    assert answer.status_code == 400


async def test_errors_reach_the_sdk_as_its_exceptions(stand_in: StartStandIn) -> None:
    client = (await stand_in()).client
    with pytest.raises(HttpResponseError) as caught:
        await client.create_agent(model="m", description="x" * 513)
    assert caught.value.status_code == 400
