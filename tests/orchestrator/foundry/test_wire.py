"""Wire JSON to the port's types: on recorded answers of the real service, and on what is missing in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.foundry import wire
from orchestrator.foundry.port import TurnRef, Usage

RECORDED = Path(__file__).resolve().parents[3].parent / "shared" / "foundry" / "recorded"


def recorded(name: str) -> list[dict[str, Any]]:
    path = RECORDED / name
    if not path.exists():
        pytest.skip("the recorded answers of the real service are not beside this checkout")
    entries: list[dict[str, Any]] = json.loads(path.read_text())["entries"]
    return entries


def find_steps(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every run step in the recording, wherever it stands in an answer."""
    found: list[dict[str, Any]] = []

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("object") == "thread.run.step":
                found.append(node)
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    look(entries)
    return found


def test_reads_a_recorded_queue_tool_call() -> None:
    (call, *_) = wire.calls(find_steps(recorded("classic_azure_function.json")))
    assert (call.kind, call.name, call.ended) == ("queue", "foo", True)
    assert "query" in call.arguments
    assert call.output


def test_reads_a_recorded_connected_agent_call_with_its_child_run() -> None:
    (call, *_) = wire.calls(find_steps(recorded("classic_connected_agent.json")))
    assert (call.kind, call.name) == ("agent", "stock_bot")
    assert call.turn
    assert call.turn.id.startswith("run_")
    assert call.turn.conversation.startswith("thread_")


def test_merges_recorded_stream_deltas_to_the_completed_step() -> None:
    path = RECORDED / "classic_azure_function_stream.sse"
    if not path.exists():
        pytest.skip("the recorded answers of the real service are not beside this checkout")
    merged: dict[str, Any] = {}
    completed: dict[str, Any] = {}
    for frame in path.read_text().split("\n\n"):
        name, _, rest = frame.partition("\n")
        data = rest.removeprefix("data: ")
        if name == "event: thread.run.step.delta":
            wire.merge_step_delta(merged, json.loads(data))
        if name == "event: thread.run.step.completed" and not completed:
            completed = json.loads(data)
    (mine,), (theirs,) = wire.step_calls(merged), wire.step_calls(completed)
    assert (mine.id, mine.kind, mine.name, mine.arguments) == (theirs.id, theirs.kind, theirs.name, theirs.arguments)


@pytest.mark.parametrize(
    ("run", "status"),
    [
        ({"status": "queued"}, "working"),
        ({"status": "cancelling"}, "working"),
        ({"status": "a status of next year"}, "working"),
        ({}, "working"),
        ({"status": "requires_action", "required_action": {"type": "submit_tool_outputs"}}, "waiting_tool"),
        ({"status": "requires_action", "required_action": {"type": "submit_tool_approval"}}, "needs_approval"),
        ({"status": "completed"}, "done"),
        ({"status": "incomplete"}, "failed"),
    ],
)
def test_a_run_status_becomes_a_turn_status(run: dict[str, Any], status: str) -> None:
    assert wire.status(run) == status


def test_an_incomplete_run_says_why() -> None:
    run = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    assert wire.error(run) == ("incomplete", "content_filter")


def test_arguments_of_the_second_generation_are_unwrapped() -> None:
    assert wire.arguments('{"function_name": "f", "function_args": {"hours": 1}}') == {"hours": 1}
    assert wire.arguments("{broken") == {"text": "{broken"}
    assert wire.arguments(None) == {}


def test_an_mcp_call_carries_its_fields_on_top() -> None:
    item = {"id": "call_1", "type": "mcp", "name": "search", "arguments": '{"query": "x"}', "output": "found"}
    step = {"status": "completed", "step_details": {"type": "tool_calls", "tool_calls": [item]}}
    (call,) = wire.step_calls(step)
    assert (call.kind, call.name, call.arguments, call.output) == ("mcp", "search", {"query": "x"}, "found")


def test_missing_and_null_fields_never_raise() -> None:
    assert wire.step_calls({}) == []
    assert wire.step_calls({"step_details": {"type": "tool_calls", "tool_calls": None}}) == []
    (call,) = wire.step_calls({"step_details": {"type": "tool_calls", "tool_calls": [{"type": "connected_agent"}]}})
    assert call.turn is None
    assert wire.usage({"usage": None}) == Usage()
    assert wire.usage({"usage": {"prompt_tokens": "many"}}) == Usage()


def test_reads_the_agents_words_oldest_first() -> None:
    def message(role: str, text: str) -> dict[str, Any]:
        return {"role": role, "content": [{"type": "text", "text": {"value": text}}, {"type": "image_file"}]}

    assert wire.message_text([message("user", "q"), message("assistant", "a"), message("agent", "b")]) == "a\n\nb"


def test_the_child_of_a_call_is_a_turn_reference() -> None:
    inner = {"name": "a", "arguments": "{}", "run_id": "run_1", "thread_id": "thread_1"}
    step = {
        "step_details": {"type": "tool_calls", "tool_calls": [{"type": "connected_agent", "connected_agent": inner}]}
    }
    assert wire.step_calls(step)[0].turn == TurnRef("thread_1", "run_1")


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def step(kind: str, inner: dict[str, Any], **told: Any) -> dict[str, Any]:
    item = {"id": "call_1", "type": kind, **({kind: inner} if kind != "mcp" else inner)}
    return {"status": "completed", "step_details": {"type": "tool_calls", "tool_calls": [item]}, **told}


def test_the_trace_of_a_tools_work_is_kept_apart_from_its_output() -> None:
    reply = f'{{"ok":true,"summary":"s","trace":"{TRACE}"}}'
    (call,) = wire.calls([step("azure_function", {"name": "adf_failures", "output": reply})])
    assert (call.output, call.trace) == ('{"ok":true,"summary":"s"}', TRACE)


@pytest.mark.parametrize("kind", ["connected_agent", "mcp", "function"])
def test_what_others_than_our_tools_say_in_that_form_is_text_like_any_other(kind: str) -> None:
    reply = f'{{"ok":true,"summary":"s","trace":"{TRACE}"}}'
    (call,) = wire.calls([step(kind, {"name": "x", "output": reply})])
    assert (call.output, call.trace) == (reply, "")


@pytest.mark.parametrize(
    ("told", "times"),
    [
        ({"created_at": 1763694000, "completed_at": 1763694002}, (1763694000, 1763694002)),
        ({"created_at": 1763694000, "completed_at": None, "failed_at": 1763694001}, (1763694000, 1763694001)),
        ({"created_at": "soon", "completed_at": -1}, (None, None)),
        ({"created_at": 10**20, "completed_at": True}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_a_call_has_the_services_times_where_it_tells_them(told: dict[str, Any], times: tuple[Any, Any]) -> None:
    (call,) = wire.calls([step("azure_function", {"name": "x"}, **told)])
    found = tuple(at and round(at.timestamp()) for at in (call.began_at, call.ended_at))
    assert found == times
