"""Where the time of a run went: over a world in memory, the outputs that were recorded, and the stand-in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.clients import LoopbackCredential
from core.errors import InvalidArguments, NotFound
from tests.tools_worker.datafactory.build import ago, guid, make_activity, make_run
from tests.tools_worker.datafactory.conftest import adf_url as adf_url  # the stand-in, also for this folder
from tests.tools_worker.tools.asking import ask, prod
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import ActivityRun, FactoryId
from tools_worker.datafactory.performance import copy_of
from tools_worker.datafactory.sdk import SdkDataFactory
from tools_worker.runtime.tools import ToolContext
from tools_worker.tools.adf_run_performance import TOOL

RECORDED = Path(__file__).resolve().parents[3] / "../shared/adf/outputs"
PROD = FactoryId("00000000-0000-0000-0000-000000000001", "rg-data-prod", "adf-prod")


def copy_output(
    *, queue: int = 0, reading: int = 0, writing: int = 0, throttled: dict[str, int] | None = None
) -> dict[str, Any]:
    working = {
        "readingFromSource": {"workingDuration": reading},
        "writingToSink": {"workingDuration": writing},
    }
    sides = {side: {"throttlingErrors": number} for side, number in (throttled or {}).items()}
    return {
        "effectiveIntegrationRuntime": "SHIR-OnPrem",
        "executionDetails": [
            sides
            | {
                "detailedDurations": {"queuingDuration": 4, "transferDuration": reading + writing},
                "profile": {"transfer": {"details": working}},
            }
        ],
        "durationInQueue": {"integrationRuntimeQueue": queue},
    }


def day() -> MemoryDataFactory:
    """The first run of the day waits for the runtime for an hour; the next ones do not."""
    runs = [
        make_run(1, status="Succeeded", start=ago(hours=7), minutes=63),
        make_run(2, status="Succeeded", start=ago(hours=4), minutes=3),
        make_run(3, status="Failed", start=ago(hours=2), minutes=5),
        make_run(4, status="InProgress", start=ago(hours=1)),
        *(make_run(10 + n, status="Succeeded", start=ago(days=n), minutes=3) for n in range(1, 8)),
    ]
    slow = make_activity(1, status="Succeeded", minutes=62, output=copy_output(queue=3600, reading=70, writing=40))
    quick = make_activity(2, status="Succeeded", minutes=2, output=copy_output(queue=0, reading=70, writing=40))
    return prod(runs=runs, activities={guid(1): [slow], guid(2): [quick]})


async def test_the_first_run_of_the_day_waited_for_the_runtime() -> None:
    reply = await ask(TOOL, day(), pipeline="loadsales", which="first")
    assert f"(Succeeded, run {guid(1)}) took 1 h 3 min; before it 3 min 0 s was usual" in reply.summary
    assert "Bottleneck of CopySales: queue (97% of its time): it waited for the integration runtime" in reply.summary
    assert "Copy CopySales on integration runtime 'SHIR-OnPrem': queue 1 h 0 min, " in reply.summary
    assert reply.data["bottleneck"] == {"activity": "CopySales", "phase": "queue", "seconds": 3600}


async def test_takes_the_latest_ended_run_of_a_pipeline() -> None:
    reply = await ask(TOOL, day(), pipeline="LoadSales")
    assert (reply.data["run_id"], reply.data["status"]) == (guid(3), "Failed")


async def test_takes_the_slowest_run_between_two_times() -> None:
    reply = await ask(TOOL, day(), pipeline="LoadSales", which="slowest", since="2026-03-10T03:00Z")
    assert reply.data["run_id"] == guid(3)


async def test_no_run_that_ended_is_no_run() -> None:
    with pytest.raises(NotFound, match=r"began on 2026-03-10 .* and has ended"):
        await ask(TOOL, prod(runs=[make_run(4, status="InProgress")]), pipeline="LoadSales", which="first")


async def test_an_unknown_pipeline_offers_the_closest() -> None:
    with pytest.raises(NotFound, match="'LoadSales'"):
        await ask(TOOL, day(), pipeline="LoadSale")


async def test_of_two_factories_the_newest_run_is_taken_and_the_other_is_named() -> None:
    dev = MemoryDataFactory("adf-dev", pipelines=["LoadSales"], runs=[make_run(30, status="Failed", start=ago(days=1))])
    reply = await ask(TOOL, day(), dev, pipeline="LoadSales")
    assert reply.data["factory"] == "adf-prod"
    assert "also ran in adf-dev; this is about adf-prod" in reply.summary


async def test_throttling_of_the_side_that_is_slow_is_named_as_the_bottleneck() -> None:
    output = copy_output(reading=20, writing=900, throttled={"sink": 41})
    activity = make_activity(1, status="Succeeded", minutes=16, output=output)
    world = prod(runs=[make_run(1, status="Succeeded")], activities={guid(1): [activity]})
    reply = await ask(TOOL, world, run_id=guid(1))
    assert "Bottleneck of CopySales: writing (94% of its time), slowed by the throttling of the sink." in reply.summary
    assert "The sink throttled 41 requests" in reply.summary
    assert reply.data["bottleneck"]["throttled_by"] == "sink"


async def test_throttling_of_the_other_side_is_not_called_the_cause() -> None:
    output = copy_output(reading=20, writing=900, throttled={"source": 2})
    activity = make_activity(1, status="Succeeded", minutes=16, output=output)
    world = prod(runs=[make_run(1, status="Succeeded")], activities={guid(1): [activity]})
    reply = await ask(TOOL, world, run_id=guid(1))
    assert "throttled_by" not in reply.data["bottleneck"]
    assert "The source throttled 2 requests" in reply.summary


async def test_a_lookup_that_waited_in_the_queue_is_told() -> None:
    output = {"durationInQueue": {"integrationRuntimeQueue": 1500}, "effectiveIntegrationRuntime": "SHIR (West)"}
    lookup = make_activity(1, name="ReadWatermark", type="Lookup", status="Succeeded", minutes=26, output=output)
    world = prod(runs=[make_run(1, status="Succeeded")], activities={guid(1): [lookup]})
    reply = await ask(TOOL, world, run_id=guid(1))
    assert "25 min 0 s of it in the queue of the integration runtime" in reply.summary
    assert reply.data["queued"] == [
        {"activity": "ReadWatermark", "id": guid(10_001), "seconds": 1500, "runtime": "SHIR"}
    ]


async def test_copies_that_waited_beside_the_slowest_are_summed_up() -> None:
    copies = [
        make_activity(
            n, name=f"Copy{n}", status="Succeeded", minutes=9 + n, output=copy_output(queue=100 * n, reading=60)
        )
        for n in (1, 2, 3)
    ]
    world = prod(runs=[make_run(1, status="Succeeded")], activities={guid(1): copies})
    reply = await ask(TOOL, world, run_id=guid(1))
    assert "2 activities waited in the queue of 'SHIR-OnPrem', 5 min 0 s together, Copy2 longest with" in reply.summary
    assert [row["seconds"] for row in reply.data["queued"]] == [300, 200, 100]


@pytest.mark.parametrize("wrong", [{}, {"run_id": "x", "pipeline": "y"}, {"pipeline": "y", "which": "third"}])
def test_refuses_neither_or_both(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TOOL.arguments.model_validate(wrong)


async def test_refuses_a_time_zone_that_does_not_exist() -> None:
    with pytest.raises(InvalidArguments, match="'Mars'"):
        await ask(TOOL, day(), pipeline="LoadSales", which="first", timezone="Mars")


BROKEN: list[Any] = [None, "text", -1, 10**30, float("nan"), True, [], {}, [None], {"duration": "x"}]


@pytest.mark.parametrize("broken", BROKEN, ids=repr)
@pytest.mark.parametrize(
    "key", ["executionDetails", "durationInQueue", "throughput", "perfRecommendation", "effectiveIntegrationRuntime"]
)
async def test_a_broken_output_is_no_trouble(key: str, broken: Any) -> None:
    activity = make_activity(1, status="Succeeded", output={**copy_output(queue=5, writing=9), key: broken})
    world = prod(runs=[make_run(1, status="Succeeded")], activities={guid(1): [activity]})
    reply = await ask(TOOL, world, run_id=guid(1))
    assert guid(1) in reply.summary


def recorded(name: str) -> ActivityRun:
    if not RECORDED.is_dir():
        pytest.skip("the recorded outputs are not beside this checkout")
    payload = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))["payload"]
    return make_activity(1, status="Succeeded", output=payload.get("output") or payload.get("Output") or payload)


@pytest.mark.parametrize(
    ("name", "bottleneck", "slowed_by", "queue", "runtime"),
    [
        ("copy_blob_to_blob_current", "queue", "", 6, "AutoResolveIntegrationRuntime"),
        ("copy_blob_to_blob_dotnet_2023", "queue", "", 5, "AutoResolveIntegrationRuntime"),
        ("copy_rest_to_lakehouse_fabric", "queue", "", 13, "WorkspaceIR"),
        ("copy_failed_rest_404_fabric", "queue", "", 10, "WorkspaceIR"),
        ("copy_s3_to_adls_legacy_billing_string", "writing", "sink", 2, "DefaultIntegrationRuntime"),
        ("copy_failed_nullreference", "", "", None, "AutoResolveIntegrationRuntime"),
        ("activity_run_rest_2021", "", "", None, "DefaultIntegrationRuntime"),
    ],
)
def test_reads_recorded_outputs(name: str, bottleneck: str, slowed_by: str, queue: int | None, runtime: str) -> None:
    copy = copy_of(recorded(name))
    assert copy is not None
    assert (copy.bottleneck, copy.slowed_by, copy.runtime) == (bottleneck, slowed_by, runtime)
    assert (copy.phases.get("queue") or None) == queue


async def test_the_stand_ins_pipeline_is_measured_by_its_name(adf_url: str) -> None:
    factory = SdkDataFactory(Arm(LoopbackCredential(), PROD.subscription, endpoint=adf_url), PROD)
    try:
        context = ToolContext(Factories([factory]), datetime.now(UTC))
        reply = await TOOL.run(context, TOOL.arguments.model_validate({"pipeline": "loadsales"}))
    finally:
        await factory.close()
    assert reply.data["pipeline"] == "LoadSales"
    assert reply.data["slowest_path"]
    assert reply.evidence[0].id == reply.data["run_id"]
