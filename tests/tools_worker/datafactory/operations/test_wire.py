"""What a change sends, how often, and what becomes of each kind of answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.clients import LoopbackCredential
from core.settings import Settings
from tests.tools_worker.datafactory.build import guid
from tests.tools_worker.datafactory.scripted_arm import HANG_UP, Script, answer, cut_off, scripted
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.operations.sdk import SdkOperations, open_operations
from tools_worker.datafactory.operations.sending import Again, NotSent, OutcomeUnknown

PROD = FactoryId("sub", "rg", "adf-prod")
OK = answer({"runId": guid(7)})


@asynccontextmanager
async def changing(*answers: bytes, seconds: float = 5) -> AsyncIterator[tuple[SdkOperations, Script]]:
    async with scripted(*answers) as script:
        yield SdkOperations(LoopbackCredential(), endpoint=script.url, seconds=seconds), script


Change = Callable[[SdkOperations], Awaitable[Any]]
CHANGES: dict[str, tuple[Change, str, Any]] = {
    "rerun": (
        lambda o: o.create_run(PROD, "Load Sales", {}, Again(guid(1))),
        f"/pipelines/Load%20Sales/createRun?referencePipelineRunId={guid(1)}&isRecovery=true",
        {},
    ),
    "rerun from failure": (
        lambda o: o.create_run(PROD, "Load", {}, Again(guid(1), from_failure=True)),
        f"/pipelines/Load/createRun?referencePipelineRunId={guid(1)}&isRecovery=true&startFromFailure=true",
        {},
    ),
    "rerun from an activity": (
        lambda o: o.create_run(PROD, "Load", {}, Again(guid(1), activity="Copy it")),
        f"/pipelines/Load/createRun?referencePipelineRunId={guid(1)}&isRecovery=true&startActivityName=Copy+it",
        {},
    ),
    "run": (
        lambda o: o.create_run(PROD, "Load", {"day": "2026-03-01", "full": True}),
        "/pipelines/Load/createRun?",
        {"day": "2026-03-01", "full": True},
    ),
    "cancel": (
        lambda o: o.cancel_run(PROD, guid(1), recursive=True),
        f"/pipelineruns/{guid(1)}/cancel?isRecursive=true",
        None,
    ),
    "cancel alone": (
        lambda o: o.cancel_run(PROD, guid(1), recursive=False),
        f"/pipelineruns/{guid(1)}/cancel?isRecursive=false",
        None,
    ),
    "start": (lambda o: o.switch_trigger(PROD, "Nightly", "start"), "/triggers/Nightly/start?", None),
    "stop": (lambda o: o.switch_trigger(PROD, "Nightly", "stop"), "/triggers/Nightly/stop?", None),
    "window": (
        lambda o: o.rerun_window(PROD, "Windows", "0858/1"),
        "/triggers/Windows/triggerRuns/0858%2F1/rerun?",
        None,
    ),
}


async def rerun(operations: SdkOperations) -> str:
    return await operations.create_run(PROD, "Load", {}, Again(guid(1)))


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_one_request_of_the_published_api(name: str) -> None:
    change, path, body = CHANGES[name]
    async with changing(OK) as (operations, script):
        await change(operations)
    (asked,) = script.asked
    joint = "" if path.endswith("?") else "&"
    assert asked[:3] == ("POST", f"{PROD.path}{path}{joint}api-version=2018-06-01", body)
    assert asked[3]["authorization"] == "Bearer loopback"


async def test_the_new_run_is_told_by_its_id() -> None:
    async with changing(OK) as (operations, _):
        assert await rerun(operations) == guid(7)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_an_error_of_the_service_leaves_the_outcome_unknown_and_is_not_repeated(name: str, status: int) -> None:
    async with changing(answer({"error": {"code": "X"}}, status, Retry_After="0")) as (operations, script):
        with pytest.raises(OutcomeUnknown):
            await CHANGES[name][0](operations)
    assert len(script.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429])
async def test_a_refusal_is_certainly_not_done_and_is_not_repeated(status: int) -> None:
    refused = answer({"error": {"code": "No", "message": "It may not be."}}, status, Retry_After="0")
    async with changing(refused) as (operations, script):
        with pytest.raises(NotSent):
            await rerun(operations)
    assert len(script.asked) == 1


async def test_the_service_s_own_words_are_told() -> None:
    refused = answer({"error": {"code": "PipelineRunNotRunning", "message": "The run is not running."}}, 400)
    async with changing(refused) as (operations, _):
        with pytest.raises(NotSent, match=r"PipelineRunNotRunning\): The run is not running\."):
            await operations.cancel_run(PROD, guid(1), recursive=True)


async def test_who_may_not_change_is_told_what_the_identity_lacks() -> None:
    message = (
        "does not have authorization to perform action 'Microsoft.DataFactory/factories/pipelines/createRun/action'"
    )
    async with changing(answer({"error": {"code": "AuthorizationFailed", "message": message}}, 403)) as (operations, _):
        with pytest.raises(NotSent, match=r"createRun/action.*Data Factory Contributor"):
            await rerun(operations)


async def test_a_sign_in_challenge_is_not_answered_with_a_second_request() -> None:
    challenge = 'Bearer authorization_uri="https://x", error="insufficient_claims", claims="eyJhIjoxfQ=="'
    async with changing(answer({}, 401, WWW_Authenticate=challenge), OK) as (operations, script):
        with pytest.raises(NotSent):
            await rerun(operations)
    assert len(script.asked) == 1


async def test_a_resource_provider_is_not_registered_on_the_way() -> None:
    missing = answer({"error": {"code": "MissingSubscriptionRegistration", "message": "Not registered."}}, 409)
    async with changing(missing, OK) as (operations, script):
        with pytest.raises(NotSent):
            await rerun(operations)
    assert len(script.asked) == 1


async def test_no_redirect_is_followed() -> None:
    async with (
        scripted(OK) as elsewhere,
        changing(answer({}, 307, Location=f"{elsewhere.url}/x")) as (operations, script),
    ):
        with pytest.raises(OutcomeUnknown):
            await rerun(operations)
    assert (len(script.asked), elsewhere.asked) == (1, [])


async def test_a_connection_that_breaks_leaves_the_outcome_unknown() -> None:
    async with changing(HANG_UP) as (operations, script):
        with pytest.raises(OutcomeUnknown, match="broke before it answered"):
            await rerun(operations)
    assert len(script.asked) == 1


async def test_an_answer_cut_off_leaves_the_id_of_the_run_unknown() -> None:
    async with changing(cut_off({"runId": guid(7)})) as (operations, script):
        with pytest.raises(OutcomeUnknown, match="did not tell its id"):
            await rerun(operations)
    assert len(script.asked) == 1


async def test_an_answer_cut_off_does_not_matter_where_the_status_says_it_all() -> None:
    async with changing(cut_off({"runId": guid(7)})) as (operations, script):
        await operations.switch_trigger(PROD, "Nightly", "stop")
    assert len(script.asked) == 1


async def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_unknown() -> None:
    async with _silent() as (url, asked):
        operations = SdkOperations(LoopbackCredential(), endpoint=url, seconds=0.2)
        with pytest.raises(OutcomeUnknown):
            await rerun(operations)
    assert len(asked) == 1


@asynccontextmanager
async def _silent() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Takes requests and never answers."""
    asked: list[bytes] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        over.set()
        server.close()
        await server.wait_closed()


async def test_nobody_there_is_certainly_not_done() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotSent, match="cannot be reached"):
        await rerun(SdkOperations(LoopbackCredential(), endpoint=f"http://127.0.0.1:{port}"))


class NoToken(LoopbackCredential):
    async def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        from azure.core.exceptions import ClientAuthenticationError

        raise ClientAuthenticationError("no identity")


async def test_without_a_token_nothing_is_sent() -> None:
    async with scripted(OK) as script:
        with pytest.raises(NotSent, match="Signing in to Azure failed"):
            await rerun(SdkOperations(NoToken(), endpoint=script.url))
    assert script.asked == []


def test_plain_http_is_for_this_machine_only() -> None:
    with pytest.raises(ValueError, match="https"):
        SdkOperations(LoopbackCredential(), endpoint="http://management.example")


async def test_the_settings_say_where_and_for_how_long() -> None:
    async with scripted(answer({}, 503)) as script:
        operations = open_operations(Settings.load({"ADF_ENDPOINT": script.url}))
        with pytest.raises(OutcomeUnknown):
            await rerun(operations)
    assert len(script.asked) == 1
