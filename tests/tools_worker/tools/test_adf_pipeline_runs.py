from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from core.errors import NotFound
from tests.tools_worker.datafactory.build import ago, guid, make_run
from tests.tools_worker.tools.asking import ask, prod, rows_of
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.tools.adf_pipeline_runs import TOOL

RUNS = [make_run(n, start=ago(hours=n), status="Failed" if n == 2 else "Succeeded") for n in range(1, 6)]


async def test_lists_the_newest_first() -> None:
    reply = await ask(TOOL, prod(runs=RUNS))
    assert [row["run_id"] for row in reply.data["runs"]] == [guid(n) for n in range(1, 6)]


async def test_many_runs_are_a_table_whose_fields_are_named_once() -> None:
    runs = [make_run(n, start=ago(hours=n), message="") for n in range(1, 8)]
    listed = (await ask(TOOL, prod(runs=runs))).data["runs"]
    assert listed["all"]["pipeline"] == "LoadSales"
    assert [row["run_id"] for row in rows_of(listed)] == [guid(n) for n in range(1, 8)]


async def test_gives_as_evidence_the_runs_that_the_summary_names() -> None:
    reply = await ask(TOOL, prod(runs=RUNS))
    assert [evidence.id for evidence in reply.evidence] == [guid(1), guid(2), guid(3)]


async def test_counts_all_runs_although_it_lists_some() -> None:
    reply = await ask(TOOL, prod(runs=RUNS), limit=2)
    assert (reply.data["total"], len(reply.data["runs"]), reply.data["left_out"]) == (5, 2, 3)
    assert "5 runs in 'adf-prod' in the last 24 hours: 4 Succeeded, 1 Failed." in reply.summary


async def test_tells_time_and_id_of_the_newest() -> None:
    assert f"started 2026-03-10 07:00 UTC, took 10 min 0 s, run {guid(1)}" in (await ask(TOOL, prod(runs=RUNS))).summary


async def test_filters_by_status() -> None:
    reply = await ask(TOOL, prod(runs=RUNS), status="Failed")
    assert [row["run_id"] for row in reply.data["runs"]] == [guid(2)]


async def test_takes_a_pipeline_name_in_any_case() -> None:
    reply = await ask(TOOL, prod(runs=[*RUNS, make_run(9, pipeline="SyncCrm")]), pipeline="synccrm")
    assert [row["pipeline"] for row in reply.data["runs"]] == ["SyncCrm"]


async def test_offers_the_closest_names_for_an_unknown_pipeline() -> None:
    with pytest.raises(NotFound, match="Closest: 'LoadSales'"):
        await ask(TOOL, prod(runs=RUNS), pipeline="LoadSale")


async def test_says_that_there_were_none() -> None:
    reply = await ask(TOOL, prod(runs=[]), pipeline="SyncCrm", hours=1)
    assert reply.summary == "No runs of pipeline 'SyncCrm' in 'adf-prod' in the last 1 hour."


async def test_asks_all_factories_when_none_is_named() -> None:
    reply = await ask(TOOL, prod(runs=RUNS), MemoryDataFactory("adf-dev", runs=[make_run(20)]))
    assert "By factory: adf-dev 1, adf-prod 5." in reply.summary
    assert reply.data["by_factory"]["adf-prod"] == {"Succeeded": 4, "Failed": 1}


async def test_asks_one_factory_when_it_is_named() -> None:
    reply = await ask(TOOL, prod(runs=RUNS), MemoryDataFactory("adf-dev", runs=[make_run(20)]), factory="ADF-DEV")
    assert "1 run in 'adf-dev' in the last" in reply.summary


async def test_makes_up_no_end_for_a_run_in_progress() -> None:
    reply = await ask(TOOL, prod(runs=[make_run(1, status="InProgress", start=ago(hours=1))]))
    (row,) = reply.data["runs"]
    assert "end" not in row
    assert row["running_for_s"] == 3600


async def test_the_largest_answer_fits_a_message() -> None:
    runs = [make_run(n, message="x" * 5000, start=ago(minutes=n)) for n in range(1, 300)]
    assert len(rows_of((await ask(TOOL, prod(runs=runs), limit=100)).data["runs"])) == 100


@pytest.mark.parametrize(
    "wrong", [{"hours": 0}, {"hours": 2000}, {"status": "Broken"}, {"limit": 101}, {"pipelin": "X"}]
)
def test_refuses_wrong_arguments(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TOOL.arguments.model_validate(wrong)


AROUND_MIDNIGHT = [
    make_run(1, status="Succeeded", start=datetime(2026, 3, 7, 22, 55, tzinfo=UTC)),  # 23:55 of the day before
    make_run(2, status="Succeeded", start=datetime(2026, 3, 7, 23, 30, tzinfo=UTC)),  # half past midnight in Berlin
    make_run(3, status="Failed", start=datetime(2026, 3, 8, 22, 59, tzinfo=UTC)),
    make_run(4, status="Succeeded", start=datetime(2026, 3, 8, 23, 0, tzinfo=UTC)),  # midnight: the next day
]
BERLIN = {"since": "2026-03-08", "until": "2026-03-08", "timezone": "Europe/Berlin"}


async def test_counts_what_began_on_a_local_day() -> None:
    reply = await ask(TOOL, prod(runs=AROUND_MIDNIGHT), **BERLIN)
    assert [row["run_id"] for row in reply.data["runs"]] == [guid(3), guid(2)]
    assert (
        "2 runs began in 'adf-prod' on 2026-03-08 (Europe/Berlin, 2026-03-07 23:00 to 2026-03-08 23:00 UTC): "
        "1 Failed, 1 Succeeded." in reply.summary
    )


async def test_names_apart_what_went_on_into_the_day() -> None:
    reply = await ask(TOOL, prod(runs=AROUND_MIDNIGHT), **BERLIN)
    assert (
        "1 run more began before it and went on into it, not counted here: LoadSales "
        f"(started 2026-03-07 22:55 UTC, run {guid(1)})." in reply.summary
    )
    assert reply.data["began_before"] == 1


async def test_says_what_is_kept_of_an_old_period() -> None:
    reply = await ask(TOOL, prod(runs=RUNS), since="2026-01-01")
    assert reply.data["total"] == 5
    assert "what was before 2026-01-24 08:00 UTC is not counted here. Proof of older runs lies only" in reply.summary


async def test_says_that_an_older_period_is_gone() -> None:
    world = prod(runs=RUNS)
    reply = await ask(TOOL, world, since="2025-12-24", until="2025-12-24")
    assert "keeps runs for 45 days, so nothing on 2025-12-24 (UTC) can be read" in reply.summary
    assert (reply.data["kept"], world.calls["pipeline_runs"]) == (False, 0)
