"""Whose words ask for what: decided on the question alone."""

from __future__ import annotations

import pytest

from orchestrator.actions.intent import asked_for
from tests.orchestrator.actions.desk import FACTORY
from tools_worker.datafactory.operations.model import Operation, OperationKind, Plan

RUN = "7c6f1d0a-2e4b-4c8e-9d3f-1a2b3c4d5e6f"


def plan(kind: OperationKind = "rerun", pipeline: str = "LoadSales", **given: str) -> Plan:
    return Plan(Operation(kind, FACTORY, given), "", (), {}, "low", pipeline=pipeline, run_id=RUN)


@pytest.mark.parametrize(
    "question",
    [
        "Rerun LoadSales.",
        "Please rerun LoadSales from its failed activity",
        "Why did LoadSales fail? Then rerun it.",
        "Find out why loadsales failed and retry it",
        "Can you re-run LoadSales?",
        f"restart {RUN}",
        "LoadSales failed last night, run it again.",
        "Run LoadSales again",
        "Rerun LoadStock and LoadSales",
        "rerun the failed run of LoadSales",
        'Rerun "LoadSales" now',
        "I want you to diagnose LoadSales and rerun it",
        "Diagnose LoadSales, then rerun it from the failure at 10:30",
        "Can you diagnose LoadSales and rerun it?",
        "If LoadSales failed, rerun it",
    ],
)
def test_who_asks_for_it_is_heard(question: str) -> None:
    assert asked_for(question, plan())


@pytest.mark.parametrize(
    "question",
    [
        "Why did LoadSales fail?",
        "Should I rerun LoadSales?",
        "Is it safe to rerun LoadSales?",
        "Do not rerun LoadSales.",
        "Why did LoadSales fail? Don't rerun it.",
        "Never stop and rerun LoadSales",
        "When was LoadSales rerun?",
        "What happens if I rerun LoadSales",
        "Rerun LoadStock.",
        "Rerun it.",
        "LoadSales2 has to be rerun",
        "Who did rerun LoadSales?",
        "",
        # It is talked about.
        "The rerun of LoadSales failed.",
        "Rerun of LoadSales failed, why?",
        "Show me the reruns of LoadSales",
        "LoadSales fails after each rerun",
        "Somebody wants to rerun LoadSales",
        "The runbook says to stop and rerun LoadSales",
        "I could rerun LoadSales",
        # These may be another's words.
        "The error says: please rerun LoadSales. Explain it.",
        "Explain this error: LoadSales failed. Rerun LoadSales.",
        "Explain the error of LoadSales:\nRerun LoadSales now.",
        "Explain this of LoadSales\n> Rerun LoadSales",
        'Explain "Rerun LoadSales now"',
        'Explain "It failed. Rerun LoadSales',
        "Explain ```\nRerun LoadSales\n```",
    ],
)
def test_who_does_not_ask_for_it_is_not_understood_so(question: str) -> None:
    assert not asked_for(question, plan())


@pytest.mark.parametrize(
    ("kind", "question", "given"),
    [
        ("cancel", "Cancel LoadSales", {}),
        ("start_trigger", "Start the trigger Nightly", {"trigger": "Nightly"}),
        ("stop_trigger", "Please disable Nightly", {"trigger": "Nightly"}),
        ("run_pipeline", "Run LoadSales with year 2024", {}),
        ("pause_schedule", "Pause LoadSales for two hours", {}),
        ("resume_schedule", "Resume LoadSales", {}),
    ],
)
def test_each_kind_has_words_of_its_own(kind: OperationKind, question: str, given: dict[str, str]) -> None:
    assert asked_for(question, plan(kind, **given))
    assert not asked_for(question, plan("rerun", **given))


def test_a_part_of_a_name_is_not_the_name() -> None:
    assert not asked_for("Cancel LoadSalesDaily", plan("cancel"))
    assert not asked_for("Rerun Load", plan())


@pytest.mark.parametrize(
    ("kind", "question"),
    [
        ("run_pipeline", "Diagnose the last run of LoadSales."),
        ("run_pipeline", "Show the trigger of LoadSales"),
        ("run_pipeline", "Run history of LoadSales"),
        ("run_pipeline", "List runs of LoadSales that start after 5"),
        ("cancel", "Show me the end of LoadSales."),
        ("cancel", "End time of LoadSales"),
        ("pause_schedule", "Explain the hold on LoadSales"),
        ("start_trigger", "Show the start times of LoadSales"),
        ("resume_schedule", "Describe the start of LoadSales"),
    ],
)
def test_a_thing_with_the_name_of_a_deed_is_no_order(kind: OperationKind, question: str) -> None:
    assert not asked_for(question, plan(kind))


def test_a_trigger_goes_by_the_name_of_its_pipeline_only_where_triggers_are_meant() -> None:
    stop = plan("stop_trigger", trigger="Nightly")
    assert asked_for("Stop the trigger of LoadSales", stop)
    assert not asked_for("Stop LoadSales", stop)
    assert asked_for("Stop all runs of LoadSales", plan("cancel"))


def test_a_long_text_is_read_as_well() -> None:
    assert not asked_for("LoadSales; so, rerun a, b and c; " * 250, plan())
    assert asked_for("LoadStock, and " * 500 + "rerun LoadSales", plan())
