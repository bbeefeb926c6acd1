from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.tools_worker.datafactory.build import calls, guid, make_activity, make_run
from tests.tools_worker.tools.asking import ask, prod
from tools_worker.tools.adf_diagnose_run import TOOL

LOGIN = "Login failed for user 'etl'."
NESTED = {
    "runs": [make_run(1, pipeline="Master"), make_run(2, parent=guid(1))],
    "activities": {guid(1): [calls(1, 2, error=LOGIN)], guid(2): [make_activity(2, error=LOGIN)]},
}


async def test_explains_a_run_by_its_id() -> None:
    reply = await ask(TOOL, prod(**NESTED), run_id=guid(1))
    assert "at Master → RunChild → LoadSales → CopySales: authentication" in reply.summary
    assert reply.data["root_cause_category"] == "authentication"


async def test_explains_the_latest_failed_run_of_a_pipeline() -> None:
    assert (await ask(TOOL, prod(**NESTED), pipeline="master")).data["run"]["run_id"] == guid(1)


async def test_rests_on_ids_of_the_factory() -> None:
    reply = await ask(TOOL, prod(**NESTED), run_id=guid(1))
    expected = {guid(1), guid(10_001), guid(2), guid(10_002)}
    assert {evidence.id for evidence in reply.evidence} == expected
    assert {evidence.factory for evidence in reply.evidence} == {"adf-prod"}


async def test_points_to_the_activities_of_the_run_where_it_happened() -> None:
    reply = await ask(TOOL, prod(**NESTED), run_id=guid(1))
    assert list(reply.next) == [f"adf_activity_runs run_id={guid(2)} factory=adf-prod"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"run_id": guid(1), "pipeline": "X"},
        {"run_id": guid(1), "since": "2026-03-10"},
        {"run_id": "x" * 200},
        {"timezone": "Europe/Berlin"},
    ],
)
def test_refuses_wrong_arguments(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TOOL.arguments.model_validate(wrong)


def test_every_argument_is_described_for_the_model() -> None:
    properties = TOOL.arguments.model_json_schema()["properties"]
    assert all(entry.get("description") for entry in properties.values())


async def test_the_window_of_an_alert_does_for_a_run_id() -> None:
    reply = await ask(TOOL, prod(**NESTED), since="2026-03-10T01:55:00Z", until="2026-03-10T02:20:00Z")
    assert reply.data["run"]["run_id"] == guid(1)


async def test_a_local_day_means_its_hours() -> None:
    reply = await ask(TOOL, prod(**NESTED), pipeline="LoadSales", since="2026-03-10", until="2026-03-10",
                      timezone="Europe/Amsterdam")  # fmt: skip
    assert reply.data["run"]["run_id"] == guid(2)
