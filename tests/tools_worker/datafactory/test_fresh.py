"""What depends on the present is asked anew, however long answers are kept."""

from __future__ import annotations

from core.clients import LoopbackCredential
from tests.tools_worker.datafactory.build import NOW, guid
from tests.tools_worker.datafactory.scripted_arm import answer, scripted
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.sdk import SdkDataFactory
from tools_worker.datafactory.traffic import Freshness

PROD = FactoryId("sub", "rg", "adf-prod")


async def test_a_fresh_factory_asks_each_time_and_the_usual_one_does_not() -> None:
    going, ended = (answer({"runId": guid(1), "status": status}) for status in ("InProgress", "Succeeded"))
    async with scripted(going, ended) as script:
        arm = Arm(LoopbackCredential(), "sub", endpoint=script.url, freshness=Freshness(60, 60))
        factory = SdkDataFactory(arm, PROD, clock=lambda: NOW)
        assert (await factory.pipeline_run(guid(1))).status == "InProgress"
        assert (await factory.pipeline_run(guid(1))).status == "InProgress"
        assert len(script.asked) == 1
        assert (await factory.fresh().pipeline_run(guid(1))).status == "Succeeded"
        assert (await factory.fresh().fresh().pipeline_run(guid(1))).status == "Succeeded"
        assert len(script.asked) == 3
        await factory.fresh().close()
        assert (
            await factory.pipeline_run(guid(1))
        ).status == "InProgress"  # its client and its answers are still there
        await factory.close()


async def test_a_group_is_asked_for_by_its_id() -> None:
    async with scripted(answer({"value": []})) as script:
        arm = Arm(LoopbackCredential(), "sub", endpoint=script.url)
        factory = SdkDataFactory(arm, PROD, clock=lambda: NOW)
        await factory.pipeline_runs(NOW, group=guid(3))
        await factory.close()
    assert script.bodies[0]["filters"] == [{"operand": "RunGroupId", "operator": "Equals", "values": [guid(3)]}]
