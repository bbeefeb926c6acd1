"""The world of the energy supplier tells the stories that its truth, written apart from it, says it tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from localcloud.adf.living import LivingFactory
from localcloud.adf.scenario import WORLDS, load_scenario
from localcloud.adf.simulated import PipelineRun
from localcloud.adf.world import World
from tests.localcloud.adf.conftest import ROOT

CLOCKS = tuple(
    datetime(2026, *moment, tzinfo=UTC) for moment in ((3, 18, 9, 30), (7, 5, 0, 12), (7, 5, 0, 36), (11, 22, 16, 16))
)

Case = dict[str, Any]

CASES: list[Case] = json.loads((ROOT / "bench/truth/unseen.json").read_text(encoding="utf-8"))["cases"]
RUNS = [case for case in CASES if case["run"]]
BROKEN = [case for case in RUNS if case.get("root_cause_path")]


def identity(value: object) -> str:
    return str(value["id"]) if isinstance(value, dict) else f"{value:%m%d-%H%M}"


@cache
def world(clock: datetime) -> World:
    return World(load_scenario("unseen"), fixed=clock)


def factory(case: Case, clock: datetime) -> LivingFactory:
    return next(each for each in world(clock).factories if each.factory.name == case["run"]["factory"])


def meant(case: Case, clock: datetime) -> PipelineRun:
    """The nth newest run of the pipeline with the status."""
    wanted = case["run"]
    found = factory(case, clock).ledger.updated_between(datetime(2020, 1, 1, tzinfo=UTC), clock, clock)
    fitting = [run for run in found if run.order.pipeline.name == wanted["pipeline"]]
    newest_first = sorted(fitting, key=lambda run: run.order.queued_at, reverse=True)
    nth: int = wanted["nth"]
    return [run for run in newest_first if run.status_at(clock) == wanted["status"]][nth - 1]


def ways_down(run: PipelineRun) -> Iterator[list[list[str]]]:
    """From the run to each activity that failed of itself, here or in a child; containers left out."""
    for activity in run.activities:
        hop = [run.order.pipeline.name, activity.activity.name]
        if activity.child is not None:
            yield from ([hop, *rest] for rest in ways_down(activity.child))
        elif activity.status == "Failed" and not activity.activity.branches:
            yield [hop]


def without_containers(run: PipelineRun, path: list[list[str]]) -> list[list[str]]:
    known = {(each.order.pipeline.name, a.activity.name): a for each in run.family() for a in each.activities}
    return [hop for hop in path if not known[hop[0], hop[1]].activity.branches]


def case_of(name: str) -> Case:
    return next(case for case in CASES if case["id"] == name)


def told(run: PipelineRun) -> str:
    return " ".join(a.failure.message for each in run.family() for a in each.activities if a.failure)


@pytest.mark.parametrize("clock", CLOCKS, ids=identity)
@pytest.mark.parametrize("case", RUNS, ids=identity)
def test_the_run_that_is_meant_exists(case: Case, clock: datetime) -> None:
    assert meant(case, clock).id


@pytest.mark.parametrize("clock", CLOCKS, ids=identity)
@pytest.mark.parametrize("case", BROKEN, ids=identity)
def test_it_broke_where_the_truth_says(case: Case, clock: datetime) -> None:
    run = meant(case, clock)
    assert without_containers(run, case["root_cause_path"]) in list(ways_down(run))


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_what_must_be_told_stands_in_the_world(case: Case) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(WORLDS.glob("unseen*/*.yaml")))
    text += (WORLDS / "unseen.yaml").read_text(encoding="utf-8")
    words = {word for tell in case.get("tells", ()) for word in tell["words"]} | set(case.get("secrets", ()))
    assert {word for word in words if word not in text} == set()


def test_every_case_is_marked_as_written_blind_and_has_a_name_of_its_own() -> None:
    assert {case["author"] for case in CASES} == {"blind"}
    assert len({case["id"] for case in CASES}) == len(CASES)


def test_all_four_levels_are_there() -> None:
    assert {case["level"] for case in CASES} == {1, 2, 3, 4}


def test_three_regions_of_twenty_four_fail_after_a_second_attempt() -> None:
    run = meant(case_of("three-regions-of-24"), CLOCKS[0])
    copies = [a for each in run.family() for a in each.activities if a.activity.name == "CopySubstations"]
    assert len({a.iteration for a in copies}) == 24
    assert sorted((a.iteration or 0, a.attempt) for a in copies if a.status == "Failed") == [
        (4, 0), (4, 1), (11, 0), (11, 1), (17, 0), (17, 1)
    ]  # fmt: skip


def test_what_the_request_units_broke_went_well_when_it_was_run_again() -> None:
    case = case_of("cosmos-request-units")
    failed = meant(case, CLOCKS[0])
    group = [r for r in factory(case, CLOCKS[0]).ledger.roots("ArchiveSignals") if r.order.group_id == failed.id]
    assert [run.status for run in group] == ["Failed", "Succeeded"]


def test_a_child_that_nobody_waits_for_leaves_its_parent_green() -> None:
    run = meant(case_of("green-parent-red-child"), CLOCKS[0])
    assert [(each.order.pipeline.name, each.status) for each in run.family()] == [
        ("DispatchRating", "Succeeded"),
        ("RateContracts", "Failed"),
    ]


def test_the_run_was_cancelled_while_its_copy_waited_for_another_attempt() -> None:
    case = case_of("cancelled-between-attempts")
    assert [a.status for a in meant(case, CLOCKS[0]).activities] == ["Failed", "Failed"]


def test_payments_are_matched_although_both_attempts_for_the_statements_failed() -> None:
    run = meant(case_of("payments-matched-with-nothing"), CLOCKS[0])
    told_of = {(a.activity.name, a.attempt): a.status for a in run.activities}
    assert told_of[("CopyStatements", 1)] == "Failed"
    assert told_of[("MatchPayments", 0)] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mart-without-a-warehouse", "ERROR [57P03] No active warehouse"),
        ("oracle-account-locked", "ORA-28000"),
        ("cosmos-request-units", "TooManyRequests (429); Substatus: 3200"),
        ("three-regions-of-24", "504 GatewayTimeout"),
        ("sap-memory-three-attempts", "TSV_TNEW_PAGE_ALLOC_FAILED"),
        ("public-access-denied", "SqlErrorNumber=47073"),
        ("no-cores-for-the-cluster", "azure_error_code:QuotaExceeded"),
        ("notebook-asks-for-an-old-column", "AnalysisException"),
        ("vault-behind-its-firewall", "caller is not a trusted service"),
        ("payments-matched-with-nothing", "SshConnectionException"),
        ("app-registration-gone", "AADSTS700016"),
        ("two-writers-of-one-table", "ConcurrentAppendException"),
        ("no-parquet-in-a-parquet-file", "ErrorCode=ParquetInvalidFile"),
        ("the-procedure-says-no", "Sql error number: 50000"),
        ("disk-of-the-plant-full", "not enough space on the disk"),
        ("cancelled-between-attempts", "could not be resolved: 'tariffs.contoso.example'"),
        ("nothing-but-an-exit-code", "Exit code: 1"),
    ],
)
def test_the_text_of_the_error_is_there(name: str, words: str) -> None:
    assert words in told(meant(case_of(name), CLOCKS[0]))
