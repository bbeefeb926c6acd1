"""The spans of a question: who called whom, for how long, and how it ended, as far as it was seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import UpstreamUnavailable
from core.telemetry import names
from core.telemetry.setup import using
from orchestrator.foundry.port import AgentRef, Call, Turn, TurnRef, Usage
from orchestrator.runs.tracing import Following, following
from tests.orchestrator.runs.test_conductor import NOWHERE, WORKING, World, scripted
from tests.orchestrator.scripted_service import answered
from tests.recorded import Recorded, recording

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AGENT = AgentRef("asst_1", "ops_supervisor", "f")
REF = TurnRef("thread_1", "run_1")
WORK = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def tool(name: str = "adf_failures", **changes: Any) -> Call:
    return replace(Call("call_1", "queue", name, {"hours": 24}), **changes)


def specialist(*calls: Call, **changes: Any) -> Call:
    return replace(Call("call_9", "agent", "run_investigator", {}, calls=calls), **changes)


def turn(*calls: Call, **changes: Any) -> Turn:
    return replace(Turn(REF, "waiting_tool", calls=calls), **changes)


def seconds(recorded: Recorded, name: str) -> tuple[float, float]:
    """From noon: when it began and when it ended."""
    span = recorded.span(name)
    return (span.start_time or 0) / 1e9 - NOON.timestamp(), (span.end_time or 0) / 1e9 - NOON.timestamp()


def test_a_call_lasts_from_being_seen_to_being_seen_ended() -> None:
    with recording() as recorded:
        clock = Clock()
        spans = Following(AGENT, "gpt-test", "thread_1", clock)
        for call in (tool(name=""), tool(), tool(), tool(output="{}", ended=True), tool(output="{}", ended=True)):
            clock.pass_(1)
            spans.seen(turn(call))
        clock.pass_(1)
        spans.seen(turn(tool(output="{}", ended=True), status="done", usage=Usage(100, 20)))
        spans.end()
    assert recorded.tree("invoke_agent ops_supervisor") == (
        "invoke_agent ops_supervisor",
        [("execute_tool adf_failures", [])],
    )
    assert seconds(recorded, "execute_tool adf_failures") == pytest.approx((2, 4))
    agent = recorded.span("invoke_agent ops_supervisor")
    assert agent.kind.name == "CLIENT"
    assert dict(agent.attributes or {}) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.system": "azure.ai.openai",
        "gen_ai.agent.name": "ops_supervisor",
        "gen_ai.agent.id": "asst_1",
        "gen_ai.conversation.id": "thread_1",
        "gen_ai.request.model": "gpt-test",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
    }
    assert agent.status.is_ok


def test_what_a_specialist_did_is_known_at_its_end_and_has_the_services_times() -> None:
    done = tool(output='{"ok":true,"seconds":1.5}', ended=True, began_at=at(2), ended_at=at(3), trace=WORK)
    with recording() as recorded:
        clock = Clock()
        spans = Following(AGENT, "gpt-test", "thread_1", clock)
        clock.pass_(1)
        spans.seen(turn(specialist()))
        clock.pass_(9)
        spans.seen(turn(specialist(done, ended=True, output="It failed."), status="done"))
        spans.end()
    below: Any = [("invoke_agent run_investigator", [("execute_tool adf_failures", [])])]
    assert recorded.tree("invoke_agent ops_supervisor") == ("invoke_agent ops_supervisor", below)
    assert seconds(recorded, "invoke_agent run_investigator") == pytest.approx((1, 10))
    assert seconds(recorded, "execute_tool adf_failures") == pytest.approx((2, 3.5))
    (link,) = recorded.span("execute_tool adf_failures").links
    assert f"{link.context.trace_id:032x}-{link.context.span_id:016x}" == WORK[3:52]


@pytest.mark.parametrize(
    ("began", "ended", "told"),
    [(-100, -90, (1, 1)), (500, 900, (10, 10)), (3, -5, (3, 3)), (None, None, (1, 1)), (-5, 900, (1, 10))],
    ids=["a clock behind", "a clock ahead", "an end before the beginning", "no times", "wider than the caller"],
)
def test_times_of_another_clock_stay_within_the_callers(
    began: float | None, ended: float | None, told: tuple[float, float]
) -> None:
    done = tool(
        output="{}",
        ended=True,
        began_at=None if began is None else at(began),
        ended_at=None if ended is None else at(ended),
    )
    with recording() as recorded:
        clock = Clock()
        spans = Following(AGENT, "gpt-test", "thread_1", clock)
        clock.pass_(1)
        spans.seen(turn(specialist()))
        clock.pass_(9)
        spans.seen(turn(specialist(done, ended=True), status="done"))
        spans.end()
    assert seconds(recorded, "execute_tool adf_failures") == pytest.approx(told)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (tool(output='{"ok":false,"code":"not_found","error":"x"}', ended=True), "not_found"),
        (tool(output='{"ok":false,"code":"No such pipeline"}', ended=True), "other"),
        (tool(output='{"ok":false}', ended=True), "tool_failed"),
        (tool(error="it broke", ended=True), "call_failed"),
        (tool(), "left_open"),
        (tool(output='{"ok":true,"code":"not_found"}', ended=True), None),
        (tool("learn", kind="mcp", output='{"ok":false,"code":"not_found"}', ended=True), None),
    ],
)
def test_a_call_that_failed_says_by_which_code(call: Call, error: str | None) -> None:
    with recording() as recorded:
        spans = Following(AGENT, "gpt-test", "thread_1")
        spans.seen(turn(call, status="done"))
        spans.end()
    assert dict(recorded.span(f"execute_tool {call.name}").attributes or {}).get("error.type") == error


def test_calls_without_ids_are_told_apart() -> None:
    with recording() as recorded:
        spans = Following(AGENT, "gpt-test", "thread_1")
        spans.seen(turn(tool("a", id=""), tool("b", id="", ended=True), status="done"))
        spans.end()
    assert sorted(span.name for span in recorded.spans) == [
        "execute_tool a",
        "execute_tool b",
        "invoke_agent ops_supervisor",
    ]


def test_a_turn_that_is_not_followed_to_its_end_fails_with_why() -> None:
    def follow() -> None:
        with following(AGENT, "m", "t") as seen:
            seen(turn(tool()))
            raise UpstreamUnavailable("The agent service does not answer.")

    with recording() as recorded, pytest.raises(UpstreamUnavailable):
        follow()
    told = {span.name: dict(span.attributes or {}).get("error.type") for span in recorded.spans}
    assert told == {"execute_tool adf_failures": "left_open", "invoke_agent ops_supervisor": "upstream_unavailable"}


def test_tokens_and_durations_are_counted_without_an_id() -> None:
    with recording() as recorded:
        with following(AGENT, "gpt-test", "thread_1") as seen:
            seen(turn(specialist(ended=True), status="done", usage=Usage(100, 20)))
        tokens = {each["gen_ai.token.type"]: total for each, total in recorded.metric(names.TOKENS)}
        durations = [each for each, _ in recorded.metric(names.AGENT_SECONDS)]
    assert tokens == {"input": 100, "output": 20}
    assert sorted(each["gen_ai.agent.name"] for each in durations) == ["ops_supervisor", "run_investigator"]
    assert not any("thread_1" in each.values() or "asst_1" in each.values() for each in durations)


def test_nothing_is_kept_while_telemetry_is_off() -> None:
    with using(None), following(AGENT, "m", "t") as seen:
        seen(turn(specialist(tool())))


# Of a whole run


async def test_a_question_is_a_workflow_with_its_agents_and_their_tools_below() -> None:
    call = tool(output=json.dumps({"ok": True, "summary": "2 failed."}), ended=True)
    with recording() as recorded:
        world = World(scripted(WORKING, answered(NOWHERE, "Two failed.", call)))
        await world.conductor.agents.supervisor()
        run = await world.served()
        durations = recorded.metric(names.QUESTION_SECONDS)
        used = recorded.metric(names.DEADLINE_USED)
    assert recorded.tree("invoke_workflow question") == (
        "invoke_workflow question",
        [("invoke_agent ops_supervisor", [("execute_tool adf_failures", [])])],
    )
    told = dict(recorded.span("invoke_workflow question").attributes or {})
    assert (told["adf_ops.run.id"], told["adf_ops.attempt"], told["adf_ops.outcome"]) == (run.id, 1, "done")
    ((outcome, took),) = durations
    assert outcome == {"adf_ops.outcome": "done"}
    assert took == pytest.approx(run.seconds)
    assert [share for _, share in used] == pytest.approx([took / world.deadline_seconds])
    assert len([span for span in recorded.spans if span.name.startswith("create_agent")]) > 1


@pytest.mark.parametrize(
    ("code", "told"), [("server_error", "server_error"), ("Run 0f9c is broken", "other"), ("", "agent_failed")]
)
async def test_a_question_that_failed_says_by_which_code(code: str, told: str) -> None:
    with recording() as recorded:
        await World(scripted(Turn(NOWHERE, "failed", error_code=code, error="words"))).served()
        ((about, _),) = recorded.metric(names.QUESTION_SECONDS)
    assert about == {"adf_ops.outcome": "failed", "error.type": told}
    for name in ("invoke_workflow question", "invoke_agent ops_supervisor"):
        assert dict(recorded.span(name).attributes or {})["error.type"] == told
    assert "words" not in str([dict(span.attributes or {}) for span in recorded.spans])


async def test_a_question_that_runs_out_of_time_ends_its_spans() -> None:
    with recording() as recorded:
        await World(scripted(turn(tool()), 30.0), deadline_seconds=0.2).served()
    told = {span.name: dict(span.attributes or {}).get("error.type") for span in recorded.spans}
    assert told["execute_tool adf_failures"] == "left_open"
    assert told["invoke_agent ops_supervisor"] == "CancelledError"
    assert told["invoke_workflow question"] == "expired"


def test_what_cannot_be_read_of_a_turn_is_not_told_and_breaks_nothing() -> None:
    naive = datetime(2026, 11, 21, 12, 0)  # noqa: DTZ001 - such a time compares with no other of ours
    odd = specialist(tool(ended=True, output="{}", began_at=naive), ended=True, output="{}")
    with recording() as recorded:
        spans = Following(AGENT, "gpt-test", "thread_1", Clock())
        spans.seen(turn(odd))
        spans.end()
    assert recorded.span("invoke_agent ops_supervisor").end_time is not None
