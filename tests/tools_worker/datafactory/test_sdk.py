"""What goes over the wire, and what becomes of answers that are not as they should be."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.clients import LoopbackCredential
from core.errors import InvalidArguments, NotFound, UpstreamRefused, UpstreamThrottled, UpstreamUnavailable
from core.settings import Settings
from tests.tools_worker.datafactory.build import NOW, ago, guid, make_run
from tests.tools_worker.datafactory.scripted_arm import HANG_UP, Script, answer, cut_off, scripted
from tools_worker.datafactory.arm import Arm, Patience
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.sdk import SdkDataFactory, discover, open_factories

PROD = FactoryId("sub", "rg", "adf-prod")
EMPTY = answer({"value": []})


class Pauses(list[float]):
    """Stands in for sleeping."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@asynccontextmanager
async def asking(*answers: bytes, pauses: Pauses | None = None) -> AsyncIterator[tuple[SdkDataFactory, Script]]:
    async with scripted(*answers) as script:
        arm = Arm(LoopbackCredential(), "sub", endpoint=script.url, sleep=Pauses() if pauses is None else pauses)
        factory = SdkDataFactory(arm, PROD, clock=lambda: NOW)
        try:
            yield factory, script
        finally:
            await factory.close()


def page(*numbers: int, token: str = "") -> bytes:
    return answer({"value": [{"runId": guid(n)} for n in numbers], **({"continuationToken": token} if token else {})})


def open_sessions() -> list[aiohttp.ClientSession]:
    return [each for each in gc.get_objects() if isinstance(each, aiohttp.ClientSession) and not each.closed]


@pytest.mark.parametrize("named", [True, False], ids=["named", "all of a subscription"])
async def test_what_was_opened_for_a_question_that_failed_is_closed_too(named: bool) -> None:
    before = len(open_sessions())
    async with scripted(answer({"error": {"code": "AuthorizationFailed"}}, 403)) as script:
        env = {"ADF_FACTORIES": PROD.path} if named else {"ADF_SUBSCRIPTION_ID": "sub"}
        factories = open_factories(Settings.load({"ADF_ENDPOINT": script.url, **env}))
        with pytest.raises(UpstreamRefused):
            await (await factories.get()).pipelines()
        assert len(open_sessions()) == before + 1
        await factories.close()
    assert len(open_sessions()) == before


async def test_keeps_window_filters_and_order_on_every_page() -> None:
    async with asking(page(1, token="a"), page(2)) as (factory, script):
        found = await factory.pipeline_runs(ago(hours=24), status="Failed", pipeline="LoadSales")
    first, second = script.bodies
    assert second == first | {"continuationToken": "a"}
    assert first["orderBy"] == [{"orderBy": "RunStart", "order": "DESC"}]
    assert first["filters"] == [
        {"operand": "PipelineName", "operator": "Equals", "values": ["LoadSales"]},
        {"operand": "Status", "operator": "Equals", "values": ["Failed"]},
    ]
    assert [run.run_id for run in found] == [guid(1), guid(2)]


async def test_leaves_the_end_of_the_window_open_since_it_bounds_the_last_update() -> None:
    async with asking(EMPTY) as (factory, script):
        await factory.pipeline_runs(ago(hours=24), ago(hours=12))
    assert script.bodies[0]["lastUpdatedAfter"] == "2026-03-09T08:00:00.000000Z"
    assert script.bodies[0]["lastUpdatedBefore"] > "2026-03-10T08:00"


async def test_asks_for_activities_with_a_window_around_the_run() -> None:
    async with asking(EMPTY) as (factory, script):
        await factory.activity_runs(make_run(1, start=ago(hours=6)))
    assert script.bodies[0]["lastUpdatedAfter"] < "2026-03-10T02:00"
    assert script.asked[0][1].startswith(f"{PROD.path}/pipelineruns/{guid(1)}/queryActivityruns?api-version=")


async def test_sends_the_token_over_loopback_http() -> None:
    async with asking(EMPTY) as (factory, script):
        await factory.pipeline_runs(NOW)
    assert script.asked[0][3]["authorization"].startswith("Bearer ")


async def test_counts_a_run_once_that_moved_between_pages() -> None:
    async with asking(page(1, 2, token="a"), page(2, 3)) as (factory, _):
        assert len(await factory.pipeline_runs(NOW)) == 3


async def test_ends_when_the_service_repeats_its_continuation_token() -> None:
    async with asking(page(1, token="a"), page(2, token="a")) as (factory, _):
        found = await factory.pipeline_runs(NOW)
    assert not found.complete


async def test_stops_paging_at_the_limit() -> None:
    async with asking(page(1, 2, token="a")) as (factory, script):
        found = await factory.pipeline_runs(NOW, limit=1)
    assert len(script.asked) == 1
    assert len(found) == 1
    assert not found.complete


async def test_follows_links_of_lists() -> None:
    async with scripted(answer({})) as script:
        script.answers[:] = [
            answer({"value": [{"name": "A"}], "nextLink": f"{script.url}/next"}),
            answer({"value": [{"name": "B"}]}),
        ]
        factory = SdkDataFactory(Arm(LoopbackCredential(), "sub", endpoint=script.url), PROD)
        assert [pipeline.name for pipeline in await factory.pipelines()] == ["A", "B"]
        await factory.close()


async def test_sends_its_token_to_no_other_host() -> None:
    async with asking(answer({"value": [], "nextLink": "https://elsewhere.example/next"})) as (factory, script):
        with pytest.raises(UpstreamUnavailable, match="another host"):
            await factory.pipelines()
    assert len(script.asked) == 1


async def test_repeats_a_query_on_429_without_retry_after() -> None:
    async with asking(answer({}, 429), page(1)) as (factory, script):
        assert len(await factory.pipeline_runs(NOW)) == 1
    assert len(script.asked) == 2


async def test_waits_as_long_as_retry_after_says() -> None:
    pauses = Pauses()
    async with asking(answer({}, 429, Retry_After="7"), page(1), pauses=pauses) as (factory, _):
        await factory.pipeline_runs(NOW)
    assert pauses == [7.0]


async def test_tells_at_once_when_it_would_have_to_wait_too_long() -> None:
    async with asking(answer({}, 429, Retry_After="600")) as (factory, script):
        with pytest.raises(UpstreamThrottled) as caught:
            await factory.pipeline_runs(NOW)
    assert caught.value.retry_after_seconds == 600
    assert len(script.asked) == 1


async def test_gives_up_on_throttling_after_some_attempts() -> None:
    async with asking(answer({}, 429)) as (factory, script):
        with pytest.raises(UpstreamThrottled, match="429"):
            await factory.pipeline_runs(NOW)
    assert len(script.asked) == Patience().attempts


@pytest.mark.parametrize("broken", [answer({}, 500), answer({}, 503), HANG_UP, cut_off({"value": []})])
async def test_tries_again_after(broken: bytes) -> None:
    async with asking(broken, page(1)) as (factory, _):
        assert len(await factory.pipeline_runs(NOW)) == 1


@pytest.mark.parametrize("broken", [answer({}, 500), HANG_UP, answer("<html>"), answer([]), cut_off({"value": []})])
async def test_says_that_adf_is_unavailable_after(broken: bytes) -> None:
    async with asking(broken) as (factory, _):
        with pytest.raises(UpstreamUnavailable):
            await factory.pipeline_runs(NOW)


async def test_names_the_permission_that_is_missing() -> None:
    message = (
        "The client 'x' does not have authorization to perform action 'Microsoft.DataFactory/factories/read' over …"
    )
    async with asking(answer({"error": {"code": "AuthorizationFailed", "message": message}}, 403)) as (factory, script):
        with pytest.raises(UpstreamRefused, match=r"'Microsoft\.DataFactory/factories/read'") as caught:
            await factory.pipeline_runs(NOW)
    assert "docs/configuration.md" in str(caught.value)
    assert len(script.asked) == 1


def test_no_sentence_says_that_a_role_is_enough_which_may_not_query_runs() -> None:
    """Queries of runs are actions, which neither the built-in Reader nor Monitoring Reader holds."""
    root = Path(__file__).resolve().parents[3]
    sources = [path for folder in ("core", "orchestrator", "tools_worker") for path in (root / folder).rglob("*.py")]
    told = {path.name for path in sources if re.search(r"the Reader role|Reader role on", path.read_text("utf-8"))}
    assert len(sources) > 100
    assert told == set()


async def test_says_that_the_token_was_refused() -> None:
    async with asking(answer({}, 401)) as (factory, _):
        with pytest.raises(UpstreamRefused, match="401"):
            await factory.pipeline_runs(NOW)


async def test_says_that_the_factory_is_in_another_tenant() -> None:
    error = {"code": "InvalidAuthenticationTokenTenant", "message": "The access token is from the wrong issuer …"}
    async with asking(answer({"error": error}, 401)) as (factory, _):
        with pytest.raises(UpstreamRefused, match="in another tenant than the app's identity") as caught:
            await factory.pipeline_run(guid(1))
    assert "role" not in str(caught.value)


async def test_says_that_the_factory_itself_is_unknown() -> None:
    error = {"code": "ResourceNotFound", "message": "The Resource 'Microsoft.DataFactory/factories/adf-prod' under …"}
    async with asking(answer({"error": error}, 404)) as (factory, _):
        with pytest.raises(NotFound, match="data factory does not exist"):
            await factory.pipeline_run(guid(1))


@pytest.mark.parametrize(
    ("told", "tags"),
    [({}, {}), ({"tags": None}, {}), ({"tags": ["env"]}, {}), ({"tags": {"a": "1", "b": None}}, {"a": "1"})],
)
async def test_tags_that_are_none_are_left_out(told: dict[str, object], tags: dict[str, str]) -> None:
    async with asking(answer(told)) as (factory, _):
        assert await factory.tags() == tags


async def test_tells_what_adf_did_not_like_with_secrets_masked() -> None:
    error = {"code": "BadRequest", "message": "Wrong: password=hunter2secret"}
    async with asking(answer({"error": error}, 400)) as (factory, _):
        with pytest.raises(InvalidArguments, match="BadRequest") as caught:
            await factory.pipeline_runs(NOW)
    assert "hunter2secret" not in str(caught.value)


async def test_ends_by_its_deadline() -> None:
    async with scripted(answer({}, 503)) as script:
        arm = Arm(LoopbackCredential(), "sub", endpoint=script.url, patience=Patience(first_pause=30, deadline=0.05))
        with pytest.raises(UpstreamUnavailable, match="did not answer within"):
            await SdkDataFactory(arm, PROD).pipeline_runs(NOW)
        await arm.close()


async def test_says_that_nobody_answers() -> None:
    async with scripted(EMPTY) as script:
        url = script.url
    arm = Arm(LoopbackCredential(), "sub", endpoint=url, sleep=Pauses())
    with pytest.raises(UpstreamUnavailable, match="cannot be reached"):
        await SdkDataFactory(arm, PROD).pipeline_runs(NOW)
    await arm.close()


async def test_works_again_after_close() -> None:
    async with asking(page(1)) as (factory, _):
        await factory.pipeline_runs(NOW)
        await factory.close()
        assert len(await factory.pipeline_runs(NOW)) == 1


async def test_discovers_the_factories_of_a_subscription() -> None:
    async with scripted(answer({"value": [{"id": PROD.path}, {"id": "nonsense"}, {}]})) as script:
        arm = Arm(LoopbackCredential(), "sub", endpoint=script.url)
        found = await discover(arm, "sub")
        await arm.close()
    assert [factory.name for factory in found] == ["adf-prod"]


@pytest.mark.parametrize("endpoint", ["http://management.azure.com", "http://10.0.0.4:8080", "ftp://127.0.0.1", ""])
def test_refuses_plain_http_beyond_this_machine(endpoint: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Arm(LoopbackCredential(), "sub", endpoint=endpoint)


async def test_opens_the_factories_of_the_settings() -> None:
    settings = Settings(adf_endpoint="http://127.0.0.1:1", adf_factories=(PROD.path, PROD.path.replace("prod", "dev")))
    assert await open_factories(settings).names() == ["adf-dev", "adf-prod"]


def test_importing_the_tools_does_not_import_the_sdk() -> None:
    code = (
        "import sys; import tools_worker.runtime.catalogue, tools_worker.datafactory.sdk, "
        "tools_worker.tools.adf_diagnose_run; print([m for m in sys.modules if m.startswith('azure.')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded: Any = out.stdout.strip()
    assert loaded == "[]"


def test_the_first_call_on_this_machine_loads_no_identity() -> None:
    code = """
import asyncio, sys
from core.clients import LoopbackCredential
from core.errors import UpstreamError
from tools_worker.datafactory.arm import Arm, Patience
async def call():
    try:
        await Arm(LoopbackCredential(), "sub", endpoint="http://127.0.0.1:1", patience=Patience(attempts=1)).get("/x")
    except UpstreamError:
        print([name for name in ("azure.mgmt.datafactory", "azure.identity") if name in sys.modules])
asyncio.run(call())
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "['azure.mgmt.datafactory']"
