"""The deterministic planner: which tools it calls, with what, in which order, and what it says in the end."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localcloud.foundry.thinking.planner import Planner
from localcloud.foundry.thinking.replies import SIGNATURE
from localcloud.foundry.thinking.turns import Call, Offer, Outcome, Prompt, Said, Turn

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
BUILD = "6f1c2d3e-4b5a-4c6d-8e9f-0a1b2c3d4e5f"
TEXT: dict[str, Any] = {"type": "string"}
HOURS = {"type": "integer", "minimum": 1, "maximum": 720, "default": 24, "description": "How far back, in hours."}
STATES = {"type": "string", "enum": ["Succeeded", "Failed", "Running"]}


def optional(description: str) -> dict[str, Any]:
    return {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "description": description}


def offer(name: str, description: str, required: tuple[str, ...] = (), **properties: Any) -> Offer:
    return Offer(name, description, {"type": "object", "properties": properties, "required": list(required)})


SERVER, PROJECT = optional("Name of a build server."), optional("Name of a project.")
FAILURES = offer("ci_failures", "What is failing, grouped by cause, worst first.", hours=HOURS, server=SERVER)
BUILDS = offer(
    "ci_builds", "Lists builds, newest first, with state and duration.", project=PROJECT, status=STATES, hours=HOURS
)
EXPLAIN = offer(
    "ci_explain_build", "Explains why a build failed: its root cause.", build_id=TEXT, project=PROJECT, server=SERVER
)
STEPS = offer("ci_build_steps", "The steps inside one build.", required=("build_id",), build_id=TEXT)
TOOLS = (FAILURES, BUILDS, EXPLAIN, STEPS)

INVESTIGATOR = offer("investigator", "Explains why a build failed: the root cause.", ("query",), query=TEXT)
STATUS = offer(
    "build_status", "What is failing or running, and the history of builds.", required=("query",), query=TEXT
)
AGENTS = (INVESTIGATOR, STATUS)


async def think(*messages: str, offers: tuple[Offer, ...] = TOOLS, **prompt: Any) -> Turn:
    said = tuple(Said("assistant" if n % 2 else "user", text) for n, text in enumerate(messages))
    return await Planner(lambda: NOW).think(Prompt("m", "Help.", said, offers, **prompt))


async def calls(*messages: str, offers: tuple[Offer, ...] = TOOLS, **prompt: Any) -> list[tuple[str, dict[str, Any]]]:
    turn = await think(*messages, offers=offers, **prompt)
    return [(call.name, call.arguments) for call in turn.calls]


def reply(name: str, body: Any, **arguments: Any) -> Outcome:
    return Outcome(Call(name, arguments), body if isinstance(body, str) else json.dumps(body))


@pytest.mark.parametrize(
    ("question", "tool", "arguments"),
    [
        ("What failed in the last 3 days?", "ci_failures", {"hours": 72}),
        ("anything broken since yesterday?", "ci_failures", {"hours": 48}),
        ("Why did PaymentApi fail last night?", "ci_explain_build", {"project": "PaymentApi"}),
        ("Why did PaymentApi break in build-eu?", "ci_explain_build", {"project": "PaymentApi", "server": "build-eu"}),
        ("PaymentApi is red again", "ci_explain_build", {"project": "PaymentApi"}),
        ("why did paymentapi fail?", "ci_explain_build", {"project": "paymentapi"}),
        (f"explain {BUILD}", "ci_explain_build", {"build_id": BUILD}),
        (f"the steps of {BUILD} please", "ci_build_steps", {"build_id": BUILD}),
        (
            "failed builds of PaymentApi this week",
            "ci_builds",
            {"project": "PaymentApi", "status": "Failed", "hours": 168},
        ),
        ("how long did 'Nightly Tests' take?", "ci_builds", {"project": "Nightly Tests"}),
    ],
)
async def test_the_tool_and_its_arguments_follow_from_the_question(
    question: str, tool: str, arguments: dict[str, Any]
) -> None:
    assert await calls(question) == [(tool, arguments)]


async def test_a_reason_asked_for_is_followed_up_by_the_suggested_calls() -> None:
    found = reply(
        "ci_failures", {"summary": "2 failed.", "next": ["ci_explain_build build_id=b1", "ci_builds hours=9"]}
    )
    question = "What failed today, and why?"
    assert [name for name, _ in await calls(question)] == ["ci_failures"]
    assert await calls(question, rounds=((found,),)) == [("ci_explain_build", {"build_id": "b1"})]


async def test_no_reason_asked_for_means_no_follow_up() -> None:
    found = reply("ci_failures", {"summary": "2 failed.", "next": ["ci_explain_build build_id=b1"]})
    assert await calls("What failed today?", rounds=((found,),)) == []


@pytest.mark.parametrize(
    "hint", ["ci_explain_build build_id=…", "ci_explain_build build_id=<id>", "other_tool a=b", "'"]
)
async def test_hints_that_are_no_calls_are_passed_over(hint: str) -> None:
    found = reply("ci_failures", {"summary": "Nothing to name.", "next": [hint]})
    assert await calls("What failed today, and why?", rounds=((found,),)) == []


async def test_two_parts_for_two_agents_are_asked_one_after_the_other() -> None:
    question = "What failed in the last 24 hours, and why?"
    assert await calls(question, offers=AGENTS) == [("build_status", {"query": "What failed in the last 24 hours"})]
    answer = reply("build_status", f"1 failed: PaymentApi.\n\nSuggested next: ci_explain_build build_id={BUILD}")
    ((name, arguments),) = await calls(question, offers=AGENTS, rounds=((answer,),))
    assert name == "investigator"
    assert "PaymentApi" in arguments["query"]
    assert BUILD in arguments["query"]


async def test_an_agent_works_the_calls_it_was_handed() -> None:
    query = f"why?\nContext: 1 failed: PaymentApi.\nSuggested next: ci_explain_build build_id={BUILD}"
    assert await calls(query, top_level=False) == [("ci_explain_build", {"build_id": BUILD})]


async def test_independent_parts_are_asked_together() -> None:
    both = await calls("Why did PaymentApi fail, and which builds did MobileApp have this week?")
    assert [name for name, _ in both] == ["ci_explain_build", "ci_builds"]


@pytest.mark.parametrize(
    ("follow_up", "tool", "project"),
    [
        ("and why did it fail?", "ci_explain_build", "PaymentApi"),
        ("What about MobileApp?", "ci_builds", "MobileApp"),
        ("Which builds did it have this week?", "ci_builds", "PaymentApi"),
    ],
)
async def test_a_follow_up_is_about_what_was_named_before(follow_up: str, tool: str, project: str) -> None:
    ((name, arguments),) = await calls("Which builds of PaymentApi failed?", "Two of them.", follow_up)
    assert (name, arguments["project"]) == (tool, project)


async def test_a_why_about_several_things_asks_for_each() -> None:
    found = await calls("What failed today?", "2 failed: PaymentApi and MobileApp.", "why?")
    assert [arguments["project"] for _, arguments in found] == ["PaymentApi", "MobileApp"]


async def test_an_agent_is_asked_in_words_that_stand_by_themselves() -> None:
    found = await calls("Did PaymentApi fail?", "Yes.", "and why did it fail?", offers=AGENTS)
    assert found == [("investigator", {"query": "why did PaymentApi fail?"})]


async def test_the_answer_is_the_tools_summaries_and_says_who_composed_it() -> None:
    rounds = ((reply("ci_failures", {"ok": True, "summary": f"1 failed: PaymentApi ({BUILD})."}),),)
    assert (await think("What failed today?", rounds=rounds)).text == f"1 failed: PaymentApi ({BUILD}).\n\n{SIGNATURE}"


async def test_a_connected_agents_answer_is_not_signed_but_hands_on_what_could_be_called() -> None:
    body = {"summary": "1 failed.", "next": [f"ci_explain_build build_id={BUILD}"]}
    turn = await think("What failed today?", rounds=((reply("ci_failures", body),),), top_level=False)
    assert turn.text == f"1 failed.\n\nSuggested next: ci_explain_build build_id={BUILD}"


async def test_what_agents_suggest_to_each_other_is_not_told_to_people() -> None:
    rounds = ((reply("build_status", "1 failed.\n\nSuggested next: ci_explain_build build_id=b1"),),)
    assert "Suggested" not in (await think("What failed today?", offers=(STATUS,), rounds=rounds)).text


async def test_errors_are_told_as_they_are() -> None:
    body = {
        "ok": False,
        "code": "not_found",
        "error": "No project 'PaymentAp'. Closest: 'PaymentApi'.",
        "retryable": False,
    }
    turn = await think("Why did PaymentAp fail?", rounds=((reply("ci_explain_build", body),),))
    assert "could not answer: No project 'PaymentAp'. Closest: 'PaymentApi'." in turn.text


async def test_the_same_answer_is_not_told_twice() -> None:
    same = reply("ci_failures", {"summary": "1 failed."})
    assert (await think("What failed today?", rounds=((same, same),))).text.count("1 failed.") == 1


async def test_records_without_a_summary_are_listed() -> None:
    pages = [{"title": f"Page {n}", "content": "Text.", "contentUrl": f"https://x/{n}"} for n in range(7)]
    text = (await think("How does it work?", rounds=((reply("docs_search", {"results": pages}),),))).text
    assert "- Page 0: Text. (https://x/0)" in text
    assert "- and 2 more" in text


async def test_when_no_tool_fits_it_says_so_and_what_it_can_do() -> None:
    turn = await think("Tell me a joke about penguins")
    assert turn.calls == ()
    assert turn.text.startswith("None of my tools fits this question.")
    assert "- ci_failures: What is failing, grouped by cause, worst first." in turn.text
    assert turn.text.endswith(SIGNATURE)


async def test_what_is_missing_is_asked_for() -> None:
    turn = await think("Show me the steps inside the build", offers=(STEPS,))
    assert "I need to know the build id" in turn.text


async def test_a_demanded_tool_is_the_only_choice() -> None:
    options = {"tool_choice": {"type": "function", "function": {"name": "ci_builds"}}}
    assert [name for name, _ in await calls("What failed today?", options=options)] == ["ci_builds"]


async def test_usage_counts_words() -> None:
    usage = (await think("Hello there", offers=())).usage
    assert usage.prompt == len(["Help.", "Hello", "there"])
    assert usage.completion > 0


async def test_the_same_prompt_gives_the_same_turn() -> None:
    assert await think("Why did PaymentApi fail?") == await think("Why did PaymentApi fail?")


def test_the_planner_knows_no_trade() -> None:
    trade = re.compile(r"\badf\b|data.?factory|pipeline|linked.?service|data.?set|integration.?runtime|trigger", re.I)
    sources = (Path(__file__).resolve().parents[3] / "localcloud" / "foundry" / "thinking").glob("*.py")
    assert [path.name for path in sources if trade.search(path.read_text(encoding="utf-8"))] == []


async def test_a_name_alone_means_what_the_instructions_say() -> None:
    rooms = offer("room_states", "Lists rooms and their state.", room=SERVER, building=PROJECT)
    said = (Said("user", "What is the state of NorthWing?"),)
    turn = await Planner(lambda: NOW).think(Prompt("m", "A name alone is a building.", said, (rooms,)))
    assert [call.arguments for call in turn.calls] == [{"building": "NorthWing"}]


async def test_an_order_that_no_tool_can_carry_out_is_declined() -> None:
    turn = await think("Please cancel the build of PaymentApi")
    assert turn.calls == ()
    assert turn.text.startswith("I can only look things up: no tool of mine can cancel anything.")


async def test_an_order_is_carried_out_by_the_tool_that_can() -> None:
    cancel = offer("ci_cancel", "Cancels a build.", project=PROJECT)
    assert await calls("cancel PaymentApi", offers=(*TOOLS, cancel)) == [("ci_cancel", {"project": "PaymentApi"})]


async def test_an_order_goes_past_the_tools_that_only_tell_of_such_deeds() -> None:
    told = "Tells which build of a project failed at which step, who cancelled it and when."
    history = offer("ci_cancel_history", told, project=PROJECT, step={"type": "string"})
    propose = offer("ci_propose", "Proposes to restart a build.", project=PROJECT)
    asked = "restart PaymentApi from the failed step of the build"
    assert await calls(asked, offers=(history, propose)) == [("ci_propose", {"project": "PaymentApi"})]


async def test_an_afterthought_stays_with_what_it_is_about() -> None:
    found = await calls("Why did PaymentApi fail, and is it ours or theirs?")
    assert found == [("ci_explain_build", {"project": "PaymentApi"})]


async def test_a_moment_in_time_is_no_name() -> None:
    ((_, arguments),) = await calls("What failed between 2026-03-09T05:00:00Z and 2026-03-09T06:00:00Z?")
    assert not {"build_id", "project", "server"} & set(arguments)
