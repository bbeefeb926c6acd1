"""Write tools propose, in a form that is taken as it is, and change nothing."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import InvalidArguments, NotFound
from tests.tools_worker.datafactory.build import NOW, ago, guid, make_run
from tests.tools_worker.datafactory.operations.worlds import LOAD, TWO_STEPS, memory_factory
from tests.tools_worker.tools.asking import ask
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import Pipeline, Trigger
from tools_worker.datafactory.operations.model import Operation
from tools_worker.datafactory.operations.planning import plan
from tools_worker.runtime.answers import MemoryAnswerSlots
from tools_worker.runtime.catalogue import BY_NAME, TOOLS
from tools_worker.runtime.handler import Delivery, answer
from tools_worker.runtime.worker import Worker

CALLS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "adf_rerun": (
        "rerun",
        {"pipeline": LOAD.lower()},
        {"run_id": guid(1), "pipeline": LOAD, "mode": "from_failure"},
    ),
    "adf_cancel_run": (
        "cancel",
        {"pipeline": TWO_STEPS.lower()},
        {"run_id": guid(2), "pipeline": TWO_STEPS, "recursive": True},
    ),
    "adf_start_trigger": ("start_trigger", {"trigger": "stopped"}, {"trigger": "Stopped"}),
    "adf_stop_trigger": ("stop_trigger", {"trigger": "everyhour"}, {"trigger": "EveryHour"}),
    "adf_rerun_window": (
        "rerun_window",
        {"trigger": "stockwindows"},
        {"trigger": "StockWindows", "trigger_run_id": "0858-window"},
    ),
    "adf_run_pipeline": (
        "run_pipeline",
        {"pipeline": TWO_STEPS, "parameters": {"since": "2026-03-01T00:00:00Z"}},
        {"pipeline": TWO_STEPS, "parameters": {"since": "2026-03-01T00:00:00Z"}},
    ),
    "adf_pause_schedule": (
        "pause_schedule",
        {"pipeline": TWO_STEPS},
        {"pipeline": TWO_STEPS, "minutes": 60, "triggers": ["EveryHour"]},
    ),
    "adf_resume_schedule": (
        "resume_schedule",
        {"pipeline": "LoadCustomers"},
        {"pipeline": "LoadCustomers", "triggers": ["Stopped"]},
    ),
}


def factory() -> MemoryDataFactory:
    made = memory_factory()
    shared = next(each for each in made.trigger_list if each.name == "NightlyLoads")
    made.trigger_list.append(Trigger("Stopped", "ScheduleTrigger", "Stopped", shared.definition))
    return made


async def replied(made: MemoryDataFactory, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Through the runtime, as it leaves the worker."""
    worker = Worker(Factories([made]), MemoryAnswerSlots(), None, 60, lambda: NOW)
    body = json.dumps({"CorrelationId": "c-1", **arguments}).encode()
    reply = await answer(BY_NAME[tool], Delivery("m-1", body, NOW), worker)
    assert reply is not None
    value: dict[str, Any] = json.loads(json.loads(reply)["Value"])
    return value


def test_every_write_tool_is_called_here() -> None:
    assert set(CALLS) == {tool.name for tool in TOOLS if tool.writes}


@pytest.mark.parametrize("tool", CALLS)
async def test_the_proposal_is_the_operation_that_was_planned(tool: str) -> None:
    kind, arguments, planned = CALLS[tool]
    made = factory()
    value = await replied(made, tool, arguments)
    assert value["ok"], value
    assert value["data"]["proposal"] == {"kind": kind, "factory": made.id.path, "arguments": planned}
    again = await plan(made, Operation(**value["data"]["proposal"]), NOW)
    assert again.refusal == ""
    assert value["data"]["effects"] == list(again.effects)
    assert value["data"]["risk"] == again.risk


@pytest.mark.parametrize("tool", CALLS)
async def test_the_summary_says_what_would_happen_and_that_nothing_has(tool: str) -> None:
    value = await replied(factory(), tool, CALLS[tool][1])
    assert value["summary"].startswith("Proposed: ")
    assert all(effect in value["summary"] for effect in value["data"]["effects"])
    assert "It is proposed; nothing has been done." in value["summary"]


@pytest.mark.parametrize("tool", CALLS)
async def test_nothing_is_changed(tool: str) -> None:
    made = factory()
    before = (list(made.runs), list(made.trigger_list), list(made.trigger_run_list))
    await replied(made, tool, CALLS[tool][1])
    assert (made.runs, made.trigger_list, made.trigger_run_list) == before


async def test_what_must_not_be_done_is_no_proposal_and_says_why() -> None:
    value = await replied(factory(), "adf_start_trigger", {"trigger": "EveryHour"})
    assert value["ok"]
    assert value["data"]["refusal"] == "Trigger EveryHour is started already."
    assert value["summary"].startswith(
        "Not proposed: Start trigger EveryHour in adf-prod. Trigger EveryHour is started"
    )
    assert "proposal" not in value["data"]


async def test_a_value_that_masking_would_change_is_not_proposed() -> None:
    given = {"pipeline": TWO_STEPS, "parameters": {"since": "Password=hunter22;x"}}
    value = await replied(factory(), "adf_run_pipeline", given)
    assert (value["ok"], value["code"]) == (False, "invalid_arguments")
    assert "hunter22" not in json.dumps(value)


async def test_of_several_runs_at_work_it_asks_which() -> None:
    made = factory()
    made.runs.append(make_run(8, pipeline=TWO_STEPS, status="Queued", start=ago(minutes=1)))
    with pytest.raises(InvalidArguments, match=guid(8)):
        await ask(BY_NAME["adf_cancel_run"], made, pipeline=TWO_STEPS)


async def test_without_a_run_at_work_there_is_none_to_cancel() -> None:
    with pytest.raises(NotFound, match="is going on"):
        await ask(BY_NAME["adf_cancel_run"], factory(), pipeline=LOAD)


@pytest.mark.parametrize("tool", ["adf_rerun", "adf_cancel_run"])
async def test_something_has_to_be_named(tool: str) -> None:
    with pytest.raises(InvalidArguments, match="Name the run"):
        await ask(BY_NAME[tool], factory())


@pytest.mark.parametrize(
    ("tool", "arguments"), [("adf_pause_schedule", {"pipeline": LOAD}), ("adf_stop_trigger", {"trigger": "EveryHour"})]
)
async def test_of_two_factories_it_asks_which(tool: str, arguments: dict[str, str]) -> None:
    other = MemoryDataFactory(
        "adf-dev", pipelines=[Pipeline(LOAD)], triggers=[Trigger("everyhour", "ScheduleTrigger", "Started")]
    )
    with pytest.raises(InvalidArguments, match="adf-dev and adf-prod"):
        await ask(BY_NAME[tool], factory(), other, **arguments)


async def test_a_trigger_is_found_in_whichever_factory_has_it() -> None:
    reply = await ask(BY_NAME["adf_stop_trigger"], factory(), MemoryDataFactory("adf-dev"), trigger="EveryHour")
    assert reply.data["proposal"]["factory"].endswith("/adf-prod")


async def test_a_trigger_that_nobody_has_gets_the_closest() -> None:
    with pytest.raises(NotFound, match="'EveryHour'"):
        await ask(BY_NAME["adf_stop_trigger"], factory(), trigger="EveryHours")


async def test_a_run_of_another_pipeline_than_the_one_named_is_not_proposed() -> None:
    reply = await ask(BY_NAME["adf_rerun"], factory(), run_id=guid(1), pipeline="LoadCustomers")
    assert "belongs to LoadInventory, not to LoadCustomers" in reply.summary


async def test_of_several_failed_windows_it_asks_which() -> None:
    made = factory()
    first = made.trigger_run_list[0]
    earlier = {"windowStartTime": "2026-03-10T04:00:00Z"}
    at: datetime = NOW - timedelta(hours=3)
    made.trigger_run_list.append(type(first)("t2", first.trigger, first.type, "Failed", at, "", earlier))
    with pytest.raises(InvalidArguments, match="2 windows of 'StockWindows' failed"):
        await ask(BY_NAME["adf_rerun_window"], made, trigger="StockWindows")
