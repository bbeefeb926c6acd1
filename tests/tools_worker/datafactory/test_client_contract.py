"""What every data factory promises, in memory and behind the real SDK client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core.clients import LoopbackCredential
from core.errors import InvalidArguments, NotFound
from tests.tools_worker.datafactory.build import NOW, ago, guid, make_activity, make_run
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.client import DataFactory, resolve_pipeline
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import (
    Change,
    Dataset,
    FactoryId,
    IntegrationRuntime,
    PipelineRun,
    Trigger,
    TriggerRun,
)
from tools_worker.datafactory.sdk import SdkDataFactory

pytestmark = pytest.mark.contract
SECOND = timedelta(seconds=1)
LONG_AGO = NOW - timedelta(days=400)
PROD = FactoryId("00000000-0000-0000-0000-000000000001", "rg-data-prod", "adf-prod")


@pytest.fixture(params=["memory", "sdk-against-localcloud"])
async def factory(request: pytest.FixtureRequest) -> AsyncIterator[DataFactory]:
    subject = memory() if request.param == "memory" else real(request.getfixturevalue("adf_url"))
    yield subject
    await subject.close()


def memory() -> DataFactory:
    runs = [make_run(n, start=ago(hours=n), status="Failed" if n % 3 == 0 else "Succeeded") for n in range(1, 13)]
    runs.append(make_run(13, pipeline="SyncCrm", start=ago(minutes=30), status="InProgress"))
    return MemoryDataFactory(
        runs=runs,
        activities={run.run_id: [make_activity(2, minute=1), make_activity(1)] for run in runs},
        pipelines=["LoadSales", "SyncCrm"],
        datasets=[Dataset("StagingTable", "AzureSqlTable", "SqlDw")],
        integration_runtimes=[IntegrationRuntime("SHIR-OnPrem", "SelfHosted", "Offline")],
        triggers=[Trigger("Nightly", "ScheduleTrigger", "Started")],
        changes=[
            Change("c1", ago(hours=30), "ada@contoso.example", "write", "pipelines", "LoadSales", "Started"),
            Change("c1", ago(hours=30) + SECOND, "ada@contoso.example", "write", "pipelines", "LoadSales", "Succeeded"),
            Change("c2", ago(hours=3), "grace@contoso.example", "cancel", "pipelineruns", guid(3), "Succeeded"),
        ],
        trigger_runs=[TriggerRun("t1", "Nightly", at=ago(hours=3)), TriggerRun("t2", "Nightly", at=ago(hours=2))],
        tags={"env": "prod"},
    )


def real(url: str) -> DataFactory:
    return SdkDataFactory(Arm(LoopbackCredential(), PROD.subscription, endpoint=url), PROD)


async def any_ended(factory: DataFactory) -> PipelineRun:
    runs = await factory.pipeline_runs(LONG_AGO, status="Succeeded", limit=5)
    return runs.items[-1]


async def test_gives_runs_newest_first(factory: DataFactory) -> None:
    starts = [run.start for run in await factory.pipeline_runs(LONG_AGO, limit=150) if run.start]
    assert len(starts) > 1
    assert starts == sorted(starts, reverse=True)


async def test_gives_runs_oldest_first_when_asked(factory: DataFactory) -> None:
    starts = [run.start for run in await factory.pipeline_runs(LONG_AGO, newest_first=False, limit=150) if run.start]
    assert starts == sorted(starts)


async def test_reads_all_pages_and_says_so(factory: DataFactory) -> None:
    found = await factory.pipeline_runs(LONG_AGO)
    assert found.complete
    assert len({run.run_id for run in found}) == len(found)


async def test_says_that_more_exists_than_the_limit(factory: DataFactory) -> None:
    found = await factory.pipeline_runs(LONG_AGO, limit=2)
    assert len(found) == 2
    assert not found.complete


async def test_keeps_only_the_status_asked_for(factory: DataFactory) -> None:
    found = await factory.pipeline_runs(LONG_AGO, status="Failed")
    assert {run.status for run in found} == {"Failed"}


async def test_takes_several_statuses(factory: DataFactory) -> None:
    found = await factory.pipeline_runs(LONG_AGO, status=["Failed", "InProgress"])
    assert {run.status for run in found} == {"Failed", "InProgress"}


async def test_compares_pipeline_names_exactly(factory: DataFactory) -> None:
    assert len(await factory.pipeline_runs(LONG_AGO, pipeline="LoadSales")) > 0
    assert len(await factory.pipeline_runs(LONG_AGO, pipeline="loadsales")) == 0


async def test_finds_a_run_that_began_before_the_window_and_ended_in_it(factory: DataFactory) -> None:
    run = await any_ended(factory)
    assert run.start is not None
    assert run.updated is not None
    found = await factory.pipeline_runs(run.updated - SECOND, pipeline=run.pipeline)
    assert run.run_id in {other.run_id for other in found}


async def test_finds_a_run_that_began_in_the_window_and_ended_after_it(factory: DataFactory) -> None:
    run = await any_ended(factory)
    assert run.start is not None
    found = await factory.pipeline_runs(run.start - SECOND, run.start + SECOND, pipeline=run.pipeline)
    assert run.run_id in {other.run_id for other in found}


async def test_leaves_out_a_run_that_began_after_the_window(factory: DataFactory) -> None:
    run = await any_ended(factory)
    assert run.start is not None
    found = await factory.pipeline_runs(LONG_AGO, run.start, pipeline=run.pipeline)
    assert run.run_id not in {other.run_id for other in found}


async def test_gets_a_run_by_its_id(factory: DataFactory) -> None:
    run = await any_ended(factory)
    assert await factory.pipeline_run(run.run_id) == run


async def test_says_which_run_id_is_unknown(factory: DataFactory) -> None:
    with pytest.raises(NotFound, match=guid(999)):
        await factory.pipeline_run(guid(999))


async def test_refuses_what_cannot_be_a_run_id(factory: DataFactory) -> None:
    with pytest.raises((NotFound, InvalidArguments)):
        await factory.pipeline_run("../pipelines/LoadSales")


async def test_gives_activity_runs_oldest_first(factory: DataFactory) -> None:
    run = next(iter(await factory.pipeline_runs(LONG_AGO, status="Failed", limit=1)))
    starts = [activity.start for activity in await factory.activity_runs(run) if activity.start]
    assert starts
    assert starts == sorted(starts)


async def test_gives_trigger_runs_newest_first(factory: DataFactory) -> None:
    times = [run.at for run in await factory.trigger_runs(LONG_AGO, limit=20) if run.at]
    assert len(times) > 1
    assert times == sorted(times, reverse=True)


async def test_lists_pipelines_with_their_names(factory: DataFactory) -> None:
    assert {"LoadSales", "SyncCrm"} <= {pipeline.name for pipeline in await factory.pipelines()}


async def test_gets_a_definition_by_name(factory: DataFactory) -> None:
    assert (await factory.pipeline("LoadSales")).name == "LoadSales"


async def test_offers_the_closest_names_for_an_unknown_definition(factory: DataFactory) -> None:
    with pytest.raises(NotFound, match="'LoadSales'"):
        await factory.pipeline("LoadSale")


async def test_resolves_a_pipeline_name_in_any_case(factory: DataFactory) -> None:
    assert await resolve_pipeline(factory, "LOADSALES") == "LoadSales"


async def test_offers_the_closest_names_for_an_unknown_pipeline(factory: DataFactory) -> None:
    with pytest.raises(NotFound, match="'SyncCrm'"):
        await resolve_pipeline(factory, "SyncCrn")


async def test_lists_triggers_with_their_state(factory: DataFactory) -> None:
    assert "Started" in {trigger.state for trigger in await factory.triggers()}


async def test_tells_the_event_subscription_of_a_trigger(factory: DataFactory) -> None:
    name = next(trigger.name for trigger in await factory.triggers() if trigger.name in ("Nightly", "PartnerFiles"))
    assert await factory.event_subscription(name) == "Enabled"


async def test_says_which_trigger_is_unknown(factory: DataFactory) -> None:
    with pytest.raises(NotFound, match="NoSuchTrigger"):
        await factory.event_subscription("NoSuchTrigger")


async def test_says_which_integration_runtime_is_unknown(factory: DataFactory) -> None:
    with pytest.raises(NotFound, match="NoSuchRuntime"):
        await factory.integration_runtime("NoSuchRuntime")


async def test_lists_datasets_with_type_and_linked_service(factory: DataFactory) -> None:
    assert all(dataset.name and dataset.type and dataset.linked_service for dataset in await factory.datasets())
    assert len(await factory.datasets()) > 0


async def test_lists_integration_runtimes(factory: DataFactory) -> None:
    assert "SHIR-OnPrem" in {runtime.name for runtime in await factory.integration_runtimes()}


async def test_a_runtime_that_is_offline_tells_nothing_of_its_nodes(factory: DataFactory) -> None:
    assert list(await factory.runtime_monitoring("SHIR-OnPrem")) == []


async def test_says_which_monitored_runtime_is_unknown(factory: DataFactory) -> None:
    with pytest.raises(NotFound, match="NoSuchRuntime"):
        await factory.runtime_monitoring("NoSuchRuntime")


async def test_gives_each_action_once_newest_first(factory: DataFactory) -> None:
    changes = (await factory.changes(LONG_AGO)).items
    times = [change.at for change in changes if change.at is not None]
    assert len(changes) >= 2
    assert times == sorted(times, reverse=True)
    assert len({(change.id, change.operation, change.name) for change in changes}) == len(changes)


async def test_a_cancelled_run_has_somebody_who_asked_for_it(factory: DataFactory) -> None:
    cancels = [change for change in await factory.changes(LONG_AGO) if change.operation == "cancel"]
    assert {(change.kind, change.status) for change in cancels} == {("pipelineruns", "Succeeded")}
    assert all("@" in change.by and change.name for change in cancels)


async def test_changes_keep_to_their_window(factory: DataFactory) -> None:
    newest = (await factory.changes(LONG_AGO)).items[0]
    assert newest.at is not None
    assert all(change.at != newest.at for change in await factory.changes(LONG_AGO, newest.at - SECOND))


async def test_tells_the_tags_of_the_factory(factory: DataFactory) -> None:
    assert (await factory.tags())["env"] == "prod"
