"""The comparison's arithmetic, what it counts in an access log, and that the systems it made answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bench.compare.arithmetic import Measured, percentile, ratios, throughput
from bench.compare.cells import storage_operations
from bench.compare.questions import QUESTIONS, Truth, truths
from bench.compare.systems import standing

TEN = Measured(
    seconds=(4.0,) * 5 + (6.0,) * 5,
    wrong=0,
    elapsed_seconds=30.0,
    model_seconds=40.0,
    adf_seconds=1.0,
    adf_request_seconds=0.05,
    turns=40,
    agent_requests=40,
    adf_requests=20,
    queue_operations=100,
    table_operations=50,
    bytes_to_model=20_000,
    cpu_seconds=2.0,
    rss_mb=120.0,
)


def test_own_time_is_the_mean_less_the_models_and_data_factorys_share() -> None:
    assert TEN.own_seconds == pytest.approx(5.0 - 4.0 - 0.1)


def test_an_answer_of_data_factory_that_was_still_known_is_not_taken_from_the_time() -> None:
    assert replace(TEN, adf_requests=0).own_seconds == pytest.approx(5.0 - 4.0)


def test_a_request_of_a_question_alone_takes_its_share_of_the_time_data_factory_was_busy() -> None:
    assert TEN.alone_request_seconds == pytest.approx(0.05)
    assert replace(TEN, adf_requests=0, adf_seconds=0.0).alone_request_seconds == 0


def test_counts_are_told_for_one_question() -> None:
    row = TEN.row()
    assert (row["turns"], row["agent_requests"], row["bytes_to_model"], row["per_minute"]) == (4, 4, 2000, 20)


def test_ratios_are_ours_over_theirs() -> None:
    pattern = replace(TEN, seconds=(8.1,) * 10, agent_requests=160, bytes_to_model=200_000)
    floor = replace(TEN, seconds=(4.4,) * 10)
    assert ratios({"ours": TEN, "pattern": pattern, "floor": floor}) == {
        "ratio_time_to_pattern": 0.225,
        "ratio_time_to_floor": 3.0,
        "ratio_agent_requests": 0.25,
        "ratio_bytes_to_model": 0.1,
    }


def test_throughput_is_better_when_more() -> None:
    assert throughput({"ours": TEN, "pattern": replace(TEN, elapsed_seconds=120.0)}) == 4


def test_throughput_that_was_not_measured_is_not_told() -> None:
    assert throughput({}) is None


@pytest.mark.parametrize(("share", "value"), [(0.5, 3.0), (0.99, 5.0), (0.0, 1.0)])
def test_percentiles_are_values_that_were_measured(share: float, value: float) -> None:
    assert percentile([5.0, 1.0, 3.0, 2.0, 4.0], share) == value


def test_what_the_agent_service_does_with_the_queues_is_not_counted(tmp_path: Path) -> None:
    account, call = "/devstoreaccount1", "azure-function-adf-failures"
    asked = (
        f"POST {account}/{call}-input/messages",
        f"GET {account}/{call}-output/messages?numofmessages=32",
        f"GET {account}/{call}-input/messages?numofmessages=16",
        f"POST {account}/{call}-output/messages",
        f"PUT {account}/{call}-input",
        f"GET {account}/runs(PartitionKey='a',RowKey='run')",
        f"POST {account}/$batch",
    )
    log = tmp_path / "storage.log"
    log.write_text("".join(f'127.0.0.1 - - [now] "{line} HTTP/1.1" 200 -\n' for line in asked))
    assert list(storage_operations(log)) == ["queue", "queue", "table", "table"]


def test_an_answer_without_the_run_is_wrong() -> None:
    truth = Truth("LoadSales", ("run-1", "run-2"), 1)
    assert truth.is_in("LoadSales failed, run run-1.")
    assert not truth.is_in("LoadSales failed.")
    assert not truth.is_in("run-1 failed.")
    assert not Truth("LoadSales", (), 1).is_in("LoadSales has no runs.")


@pytest.mark.parametrize("system", ["pattern", "floor"])
async def test_the_other_systems_answer_rightly(system: str) -> None:
    async with standing(system, 0, 0) as stand, httpx.AsyncClient(trust_env=False) as http:
        known = await truths(http, stand.adf)
        reply = await stand.ask(QUESTIONS[0].text)
    assert reply.done
    assert known[QUESTIONS[0].text].is_in(reply.text)
