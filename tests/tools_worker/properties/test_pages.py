"""Pages of answers of which anything is spoilt, through the real client: records, or an error that tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import AppError
from tests.tools_worker.datafactory.scripted_arm import answer
from tests.tools_worker.datafactory.test_sdk import asking
from tests.tools_worker.properties.mutation import JSON, ODD, ODD_TEXTS, each_spoilt, spoilt
from tests.tools_worker.properties.worlds import BY_HAND
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.models import FactoryId, PipelineRun
from tools_worker.datafactory.paging import MAX_PAGES
from tools_worker.datafactory.sdk import SdkDataFactory, discover

NOW = BY_HAND.now
SINCE = NOW - timedelta(hours=24)
Ask = Callable[[SdkDataFactory], Awaitable[object]]
QUERIES: dict[str, Ask] = {
    "runs": lambda factory: factory.pipeline_runs(SINCE, NOW),
    "activities": lambda factory: factory.activity_runs(PipelineRun.of(BY_HAND.raw["runs"][0])),
    "trigger_runs": lambda factory: factory.trigger_runs(SINCE, NOW),
    "pipelines": lambda factory: factory.pipelines(),
    "datasets": lambda factory: factory.datasets(),
    "triggers": lambda factory: factory.triggers(),
    "runtimes": lambda factory: factory.integration_runtimes(),
    "changes": lambda factory: factory.changes(SINCE, NOW),
}


CHANGE = {
    "eventTimestamp": "2026-03-10T05:00:00Z",
    "operationName": {"value": "Microsoft.DataFactory/factories/pipelines/write"},
    "caller": "someone@contoso.example",
    "status": {"value": "Succeeded"},
    "correlationId": "c-1",
    "resourceId": f"{FactoryId('s', 'g', 'adf-prod').path}/pipelines/LoadSales",
    "properties": {"requestbody": "{}"},
    "claims": {"name": "Someone"},
}


class Pages:
    """In place of the connection: the same page for every question, counted."""

    def __init__(self, page: object) -> None:
        self.page = page if isinstance(page, Mapping) else {}  # the connection refuses what is no object
        self.asked = 0

    async def get(self, path: str, missing: AppError | None = None) -> Mapping[str, Any]:
        self.asked += 1
        return self.page

    async def post(self, path: str, body: object, missing: AppError | None = None) -> Mapping[str, Any]:
        return await self.get(path)


def factory(pages: Pages) -> SdkDataFactory:
    return SdkDataFactory(cast(Arm, pages), FactoryId("s", "g", "adf-prod"), clock=lambda: NOW)


def page(part: str) -> dict[str, Any]:
    records = BY_HAND.raw.get(part, [CHANGE])
    listed = records[BY_HAND.run] if part == "activities" else records
    return {"value": listed, "continuationToken": "", "nextLink": ""}


@pytest.mark.parametrize("part", QUERIES)
@settings(max_examples=max(20, settings().max_examples // 4))
@given(data=st.data())
async def test_a_spoilt_page_gives_records(part: str, data: st.DataObject) -> None:
    pages = Pages(data.draw(spoilt(page(part))))
    await QUERIES[part](factory(pages))
    assert pages.asked <= MAX_PAGES


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_an_odd_token_or_link_ends_the_reading(odd: Any) -> None:
    for part, ask in QUERIES.items():
        pages = Pages(page(part) | {"continuationToken": odd, "nextLink": odd})
        await ask(factory(pages))
        assert pages.asked <= 4  # a circle is seen on its second page; long lists are read from both ends


@given(JSON)
async def test_single_records_of_any_shape_are_read(raw: Any) -> None:
    pages = Pages({"properties": raw, "nodes": raw, "status": raw, "runId": raw, "name": raw})
    asked = factory(pages)
    await asked.pipeline_run(BY_HAND.run)
    await asked.pipeline("LoadSales")
    await asked.integration_runtime("SHIR")
    await asked.runtime_monitoring("SHIR")
    await asked.event_subscription("OnFile")


async def test_a_list_of_factories_with_odd_ids_names_those_that_can_be_read() -> None:
    sound = {"id": FactoryId("s", "g", "adf-prod").path}
    for link in ("", "in circles"):
        listed = {"value": [{"id": "x"}, sound], "nextLink": link}
        for _, _, changed in each_spoilt(listed, odd=(None, [], 7, *ODD_TEXTS)):
            found = await discover(cast(Arm, Pages(changed)), "s")
            assert {factory.name for factory in found} <= {"adf-prod"}


@pytest.mark.parametrize("link", ["http://[", "http://[::1", "https://a:b@c/", "\x00", "x" * 5000])
async def test_a_link_that_leads_nowhere_is_an_error_of_the_service(link: str) -> None:
    async with asking(answer({"value": [{"name": "P"}], "nextLink": link})) as (asked, _):
        with pytest.raises(AppError):
            await asked.pipelines()
