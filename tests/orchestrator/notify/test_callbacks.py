"""Callbacks over real sockets: what is sent, and what is made of the answer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web

from core.errors import UpstreamError, UpstreamRefused, UpstreamThrottled, UpstreamUnavailable
from orchestrator.notify.callbacks import HttpCallbacks, signature

KEY = "k" * 32
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOCAL = ("127.0.0.1", "localhost")
SECRET = "/done?sig=s%2Becret"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """Whoever asked to be called back. `answer` is what it says."""

    def __init__(self) -> None:
        self.url, self.got = "", list[tuple[str, dict[str, str], bytes]]()
        self.answer: Handler = self.well

    async def well(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=202)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append((str(request.rel_url), dict(request.headers), await request.read()))
        return await self.answer(request)

    def says(self, status: int, **headers: str) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={name.replace("_", "-"): told for name, told in headers.items()})

        self.answer = answer


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = web.Server(receiver.take)  # type: ignore[arg-type]
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


async def send(url: str, callbacks: HttpCallbacks | None = None) -> None:
    await (callbacks or HttpCallbacks(KEY, LOCAL, here=True)).send(url, "run-1", b'{"status":"done"}', NOW)


async def test_what_is_sent_is_signed_over_its_time_and_its_bytes(receiver: Receiver) -> None:
    await send(receiver.url + SECRET)
    [(path, headers, body)] = receiver.got
    assert path == SECRET
    assert (body, headers["Content-Type"]) == (b'{"status":"done"}', "application/json")
    signed = hmac.new(KEY.encode(), f"{int(NOW.timestamp())}.".encode() + body, hashlib.sha256).hexdigest()
    assert (headers["X-Signature"], headers["X-Timestamp"]) == (f"sha256={signed}", str(int(NOW.timestamp())))
    assert headers["X-Delivery-Id"] == "run-1"


def test_another_body_time_or_key_has_another_signature() -> None:
    told = {
        signature(KEY, "1", b"x"),
        signature(KEY, "1", b"y"),
        signature(KEY, "2", b"x"),
        signature("l" * 32, "1", b"x"),
    }
    assert len(told) == 4


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_trouble_that_passes_is_worth_another_try(receiver: Receiver, status: int) -> None:
    receiver.says(status)
    with pytest.raises(UpstreamError) as told:
        await send(receiver.url)
    assert told.value.retryable


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
async def test_a_refusal_is_final(receiver: Receiver, status: int) -> None:
    receiver.says(status)
    with pytest.raises(UpstreamRefused):
        await send(receiver.url)


async def test_a_receiver_says_how_long_to_wait(receiver: Receiver) -> None:
    receiver.says(429, Retry_After="77")
    with pytest.raises(UpstreamThrottled) as told:
        await send(receiver.url)
    assert told.value.retry_after_seconds == 77


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    async with receiving() as inside:
        receiver.says(status, Location=f"{inside.url}/latest/meta-data")
        with pytest.raises(UpstreamRefused):
            await send(receiver.url)
        assert inside.got == []


async def test_who_does_not_answer_is_tried_again_and_its_address_not_told(receiver: Receiver) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.close()
        return web.Response()

    receiver.answer = hang_up
    with pytest.raises(UpstreamUnavailable) as told:
        await send(receiver.url + SECRET)
    assert "127.0.0.1" not in str(told.value)
    assert told.value.__cause__ is None


async def test_nobody_listening_is_trouble_that_may_pass() -> None:
    with pytest.raises(UpstreamUnavailable):
        await send("http://127.0.0.1:1/")


async def test_the_list_of_hosts_is_asked_again_when_it_is_sent(receiver: Receiver) -> None:
    with pytest.raises(UpstreamRefused, match="not allowed"):
        await send(receiver.url, HttpCallbacks(KEY, (".logic.azure.com",), here=True))
    assert receiver.got == []


async def test_nothing_is_sent_unsigned(receiver: Receiver) -> None:
    with pytest.raises(UpstreamUnavailable, match="CALLBACK_SIGNING_KEY"):
        await send(receiver.url, HttpCallbacks("", LOCAL, here=True))
    assert receiver.got == []


async def test_a_name_that_turns_inward_after_it_was_accepted_is_not_called() -> None:
    async def inward(host: str) -> Sequence[str]:
        return ["169.254.169.254"]

    with pytest.raises(UpstreamRefused, match="private address"):
        await send("https://hooks.example/", HttpCallbacks(KEY, ("hooks.example",), resolve=inward))


async def test_a_name_is_asked_once_and_its_first_answer_used(receiver: Receiver) -> None:
    asked: list[str] = []

    async def turning(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    await send(receiver.url.replace("127.0.0.1", "localhost"), HttpCallbacks(KEY, LOCAL, here=True, resolve=turning))
    assert (asked, len(receiver.got)) == (["localhost"], 1)


async def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    async def unknown(host: str) -> Sequence[str]:
        raise UpstreamUnavailable("The host is not known.")

    with pytest.raises(UpstreamUnavailable):
        await send("https://hooks.example/", HttpCallbacks(KEY, ("hooks.example",), resolve=unknown))
    await asyncio.sleep(0)
