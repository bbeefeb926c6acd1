"""How often Azure is asked: storms of one question, answers used again, an upstream that is silent, our own rate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from core.clients import LoopbackCredential
from core.errors import NotFound, UpstreamThrottled, UpstreamUnavailable
from tests.tools_worker.datafactory.build import NOW, ago, guid
from tests.tools_worker.datafactory.scripted_arm import Script, answer, scripted
from tools_worker.datafactory import traffic
from tools_worker.datafactory.arm import Arm, Patience
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.sdk import SdkDataFactory
from tools_worker.datafactory.traffic import Freshness, Pacing

PROD = FactoryId("sub", "rg", "adf-prod")
RUNS = answer({"value": [{"runId": guid(1)}]})
BROKEN = answer({}, 500)
SOME = Freshness(runs=5, definitions=30)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def asking(
    *answers: bytes, freshness: Freshness = SOME, clock: Clock | None = None
) -> AsyncIterator[tuple[SdkDataFactory, Script]]:
    async with scripted(*answers) as script:
        arm = Arm(
            LoopbackCredential(),
            "sub",
            endpoint=script.url,
            patience=Patience(attempts=1),
            sleep=at_once,
            freshness=freshness,
        )
        factory = SdkDataFactory(arm, PROD, clock=clock or Clock())
        try:
            yield factory, script
        finally:
            await factory.close()


async def test_a_storm_of_one_question_asks_once() -> None:
    async with asking(RUNS) as (factory, script):
        found = await asyncio.gather(*(factory.pipeline_runs(ago(hours=24), status="Failed") for _ in range(40)))
    assert len(script.asked) == 1
    assert {runs.items[0].run_id for runs in found} == {guid(1)}


async def test_the_same_question_a_moment_later_is_the_same_question() -> None:
    clock = Clock()
    async with asking(RUNS, clock=clock) as (factory, script):
        await factory.pipeline_runs(clock.now - timedelta(hours=24))
        clock.now += timedelta(seconds=3)
        await factory.pipeline_runs(clock.now - timedelta(hours=24))
    assert len(script.asked) == 1


async def test_without_seconds_nothing_is_used_again() -> None:
    async with asking(RUNS, freshness=Freshness()) as (factory, script):
        await factory.pipeline_runs(ago(hours=24))
        await factory.pipeline_runs(ago(hours=24))
    assert len(script.asked) == 2


async def test_another_filter_is_another_question() -> None:
    async with asking(RUNS) as (factory, script):
        await factory.pipeline_runs(ago(hours=24), status="Failed")
        await factory.pipeline_runs(ago(hours=24))
    assert len(script.asked) == 2


async def test_runs_before_the_window_do_not_come_with_its_rounding() -> None:
    early = {"runId": guid(2), "lastUpdated": (ago(hours=24) - timedelta(seconds=2)).isoformat()}
    async with asking(answer({"value": [early, {"runId": guid(1), "lastUpdated": NOW.isoformat()}]})) as (factory, _):
        found = await factory.pipeline_runs(ago(hours=24))
    assert [run.run_id for run in found] == [guid(1)]


@pytest.mark.parametrize(
    ("path", "seconds"),
    [
        ("/x/factories/f/queryPipelineRuns", 5),
        ("/x/factories/f/pipelineruns/1", 5),
        ("/x/factories/f/integrationRuntimes/r/getStatus", 5),
        ("/x/factories/f/pipelines", 30),
        ("/x/providers/Microsoft.Insights/eventtypes/management/values?a=b", 30),
    ],
)
def test_what_changes_by_itself_is_kept_for_a_shorter_time(path: str, seconds: float) -> None:
    assert Freshness(5, 30).of(path) == seconds


async def test_after_many_silent_calls_says_since_when_and_asks_no_more() -> None:
    async with asking(BROKEN, freshness=Freshness()) as (factory, script):
        for _ in range(5):
            with pytest.raises(UpstreamUnavailable, match="error of its own"):
                await factory.pipeline_runs(ago(hours=24))
        with pytest.raises(UpstreamUnavailable, match="is not answering since"):
            await factory.pipelines()
    assert len(script.asked) == 5


async def test_a_refusal_is_an_answer() -> None:
    async with asking(answer({}, 404), freshness=Freshness()) as (factory, script):
        for _ in range(8):
            with pytest.raises(NotFound):
                await factory.pipeline_run(guid(1))
    assert len(script.asked) == 8


async def test_asks_no_more_often_than_a_factory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "MONITORING_PER_MINUTE", 2)
    pacing = Pacing()
    for _ in range(2):
        await pacing.turn("/subscriptions/s/factories/One/queryPipelineRuns")
    await pacing.turn("/subscriptions/s/factories/two/queryPipelineRuns")
    await pacing.turn("/subscriptions/s/factories/one/pipelines")
    with pytest.raises(UpstreamThrottled, match="monitoring of 'one'"):
        await pacing.turn("/subscriptions/s/factories/one/pipelineruns/5")


async def test_works_again_on_another_event_loop() -> None:
    """The cache of one loop must not be waited for on another."""
    async with asking(RUNS) as (factory, script):
        await factory.pipeline_runs(ago(hours=24))
        await factory.close()
        elsewhere = await asyncio.to_thread(lambda: asyncio.run(_again(factory)))
    assert (elsewhere, len(script.asked)) == (1, 2)


async def _again(factory: SdkDataFactory) -> int:
    try:
        return len(await factory.pipeline_runs(ago(hours=24)))
    finally:
        await factory.close()
