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
