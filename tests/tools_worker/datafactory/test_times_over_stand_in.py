"""The tools about time, over the stand-in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.clients import LoopbackCredential
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.sdk import SdkDataFactory
from tools_worker.runtime.tools import ToolContext, ToolSpec
from tools_worker.tools import adf_missed_runs, adf_run_history, adf_stuck_runs, adf_triggers

PROD = FactoryId("00000000-0000-0000-0000-000000000001", "rg-data-prod", "adf-prod")


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        (adf_missed_runs.TOOL, {}, "checked in the last 24 hours"),
        (adf_triggers.TOOL, {"trigger": "partnerfiles"}, "event subscription Enabled"),
        (adf_run_history.TOOL, {"pipeline": "LoadSales"}, "Successful runs took"),
        (adf_stuck_runs.TOOL, {}, "in 'adf-prod'"),
    ],
)
async def test_answers_over_the_stand_in(adf_url: str, tool: ToolSpec, arguments: dict[str, str], words: str) -> None:
    factory = SdkDataFactory(Arm(LoopbackCredential(), PROD.subscription, endpoint=adf_url), PROD)
    try:
        context = ToolContext(Factories([factory]), datetime.now(UTC))
        reply = await tool.run(context, tool.arguments.model_validate(arguments))
    finally:
        await factory.close()
    assert words in reply.summary
