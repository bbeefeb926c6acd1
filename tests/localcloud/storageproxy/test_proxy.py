"""The proxy passes on what it is given, byte by byte, and spoils what it is told to spoil, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from localcloud.storageproxy.faults import Fault, Faults
from localcloud.storageproxy.proxy import Exchange, Proxy
from localcloud.storageproxy.wire import Request, read_request, read_response

Ask = Callable[..., Awaitable[httpx.Response]]


@dataclass
class Server:
    """Answers every request with its number, chunked, and keeps what it got."""

    got: list[Request] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            self.got.append(request)
            text = f"answer {len(self.got)} to {request.name}".encode()
            chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
            await writer.drain()
        writer.close()


@dataclass
class Rig:
    proxy: Proxy
    server: Server
    ask: Ask
    seen: list[Exchange]


@asynccontextmanager
async def rigged() -> AsyncIterator[Rig]:
    server, seen = Server(), list[Exchange]()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with Proxy((listening.sockets[0].getsockname()[1],)) as proxy:
        proxy.watch = seen.append
        url = f"http://127.0.0.1:{proxy.ports[0]}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            yield Rig(proxy, server, http.request, seen)
    listening.close()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with rigged() as made:
        yield made


async def test_passes_on_requests_and_chunked_answers(rig: Rig) -> None:
    first = await rig.ask("POST", "/a?b=c", content=b"body")
    second = await rig.ask("GET", "/d")
    assert (first.text, second.text) == ("answer 1 to POST /a?b=c", "answer 2 to GET /d")
    assert rig.server.got[0].body == b"body"


async def test_tells_the_watcher_both_bodies(rig: Rig) -> None:
    await rig.ask("POST", "/a", content=b"body")
    seen = rig.seen[0]
    assert seen.response is not None
    assert (seen.request.body, seen.response.body, seen.told) == (b"body", b"answer 1 to POST /a", True)


@pytest.mark.parametrize("kind", ["reset", "strike"])
async def test_drops_a_connection_before_the_effect(rig: Rig, kind: str) -> None:
    rig.proxy.faults.arm(Fault(kind))
    with pytest.raises(httpx.TransportError):
        await rig.ask("POST", "/a")
    assert rig.server.got == []


@pytest.mark.parametrize("kind", ["reset_after", "partial", "strike_after"])
async def test_drops_a_connection_after_the_effect_and_says_that_nobody_was_told(rig: Rig, kind: str) -> None:
    rig.proxy.faults.arm(Fault(kind))
    with pytest.raises(httpx.TransportError):
        await rig.ask("POST", "/a")
    assert [request.name for request in rig.server.got] == ["POST /a"]
    assert [exchange.told for exchange in rig.seen] == [False]


@pytest.mark.parametrize(("kind", "effects"), [("error", 0), ("error_after", 1)])
async def test_answers_an_error_before_or_after_the_effect(rig: Rig, kind: str, effects: int) -> None:
    rig.proxy.faults.arm(Fault(kind, status=500))
    assert (await rig.ask("POST", "/a")).status_code == 500
    assert len(rig.server.got) == effects


async def test_does_a_request_twice(rig: Rig) -> None:
    rig.proxy.faults.arm(Fault("double"))
    assert (await rig.ask("POST", "/a")).text == "answer 2 to POST /a"
    assert len(rig.seen) == 2


async def test_claims_to_have_put_what_it_swallowed(rig: Rig) -> None:
    rig.proxy.faults.arm(Fault("swallow"))
    assert (await rig.ask("POST", "/a")).status_code == 201
    assert rig.server.got == []


async def test_a_fault_is_used_up_by_striking(rig: Rig) -> None:
    rig.proxy.faults.arm(Fault("error", name="trouble"))
    codes = [(await rig.ask("GET", "/a")).status_code for _ in range(2)]
    assert codes == [503, 200]
    assert rig.proxy.faults.struck == {"trouble": 1}


async def test_a_fault_strikes_only_what_it_matches(rig: Rig) -> None:
    rig.proxy.faults.arm(Fault("error", match="^POST /b"))
    assert (await rig.ask("POST", "/a")).status_code == 200
    assert (await rig.ask("POST", "/b")).status_code == 503


async def test_calls_back_with_the_request_it_strikes(rig: Rig) -> None:
    struck: list[str] = []
    rig.proxy.faults.arm(Fault("strike", then=lambda request: struck.append(request.name)))
    with pytest.raises(httpx.TransportError):
        await rig.ask("GET", "/a")
    assert struck == ["GET /a"]


async def test_a_server_that_is_gone_is_a_dropped_connection() -> None:
    listening = await asyncio.start_server(Server().serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    async with Proxy((port,)) as proxy, httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.TransportError):
            await http.get(f"http://127.0.0.1:{proxy.ports[0]}/")


def test_the_same_seed_strikes_the_same_requests() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.arm(Fault("reset", count=None, probability=0.5))
        return [faults.take(Request("GET", "/", b"", b"")) is not None for _ in range(40)]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)


def test_refuses_a_fault_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="earthquake"):
        Fault("earthquake")


async def test_an_answer_cut_short_is_a_broken_connection() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    reader.feed_eof()
    with pytest.raises(ConnectionResetError):
        await read_response(reader, "GET")


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"HTTP/1.1 200 OK\r\n\r\nall there is")
    reader.feed_eof()
    response = await read_response(reader, "GET")
    assert (response.body, response.closes) == (b"all there is", True)
