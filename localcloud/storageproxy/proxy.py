"""The proxy itself: listens on free ports in front of others, passes requests on, and lets faults strike.

async with Proxy((blob, queue, table)) as proxy: proxy.ports, proxy.faults.arm(Fault(…)), proxy.watch = …
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType

from localcloud.storageproxy.faults import AFTER, Fault, Faults
from localcloud.storageproxy.wire import Request, Response, read_request, read_response

LIMIT = 2**20  # of a head; bodies have none
PUT = (
    b'<?xml version="1.0" encoding="utf-8"?><QueueMessagesList><QueueMessage>'
    b"<MessageId>00000000-0000-0000-0000-000000000000</MessageId><InsertionTime>Thu, 01 Jan 2026 00:00:00 GMT"
    b"</InsertionTime><ExpirationTime>Fri, 01 Jan 2027 00:00:00 GMT</ExpirationTime><PopReceipt>none</PopReceipt>"
    b"<TimeNextVisible>Thu, 01 Jan 2026 00:00:00 GMT</TimeNextVisible></QueueMessage></QueueMessagesList>"
)


@dataclass(frozen=True)
class Exchange:
    """What went through. `response` is None where the server broke off; `told` is whether the client got it."""

    request: Request
    response: Response | None
    told: bool


class Dropped(Exception):
    """The client's connection is to be dropped."""


class Upstream:
    """One connection to the server, made anew when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request) -> Response:
        """Raises OSError where the server is not there or goes away."""
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=LIMIT)
        reader, writer = self._streams
        writer.write(request.raw)
        response = await read_response(reader, request.method)
        if response.closes:
            self.close()
        return response

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


class Proxy:
    """In front of these ports, each with one of its own."""

    def __init__(self, upstream: tuple[int, ...], seed: int = 7) -> None:
        self.faults = Faults(seed)
        self.watch: Callable[[Exchange], None] = lambda _: None
        self.ports: tuple[int, ...] = ()
        self._upstream = upstream
        self._servers: list[asyncio.Server] = []
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        for port in self._upstream:
            serve = partial(self._accept, port)
            self._servers.append(await asyncio.start_server(serve, "127.0.0.1", 0, limit=LIMIT))
        self.ports = tuple(server.sockets[0].getsockname()[1] for server in self._servers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        upstream = Upstream(port)
        try:
            await self._serve(upstream, reader, writer)
        except (Dropped, OSError):
            writer.transport.abort()
        except asyncio.CancelledError:
            return  # the proxy closes; asyncio's own callback would complain of a cancelled connection
        finally:
            upstream.close()
            writer.close()

    async def _serve(self, upstream: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")[1]
        while request := await read_request(reader, peer):
            fault = self.faults.take(request)
            answer = await self._before(fault, request)
            if answer is None:
                response = await self._ask(upstream, request, told=fault is None or fault.kind not in AFTER)
                if fault is not None and fault.kind == "double":
                    response = await self._ask(upstream, request, told=True)
                answer = self._after(fault, request, response)
            writer.write(answer)
            if fault is not None and fault.kind == "partial":
                raise Dropped
            with suppress(ConnectionError):
                await writer.drain()

    async def _ask(self, upstream: Upstream, request: Request, *, told: bool) -> Response:
        try:
            response = await upstream.ask(request)
        except OSError:
            self.watch(Exchange(request, None, False))
            raise
        self.watch(Exchange(request, response, told))
        return response

    async def _before(self, fault: Fault | None, request: Request) -> bytes | None:
        """The proxy's own answer, if the request goes no further. Raises Dropped."""
        if fault is None or fault.kind in AFTER:
            return None
        if fault.kind == "delay":
            await asyncio.sleep(fault.ms / 1000)
        elif fault.kind == "strike":
            fault.then(request)
            raise Dropped
        elif fault.kind == "reset":
            raise Dropped
        elif fault.kind == "error":
            return plain(fault.status)
        elif fault.kind == "swallow":
            return plain(201, PUT)
        return None

    def _after(self, fault: Fault | None, request: Request, response: Response) -> bytes:
        """What the client is told. Raises Dropped."""
        if fault is None or fault.kind not in AFTER:
            return response.raw
        if fault.kind == "error_after":
            return plain(fault.status)
        if fault.kind == "partial":
            return response.raw[: len(response.raw) // 2]
        if fault.kind == "strike_after":
            fault.then(request)
        raise Dropped


def plain(status: int, body: bytes = b"") -> bytes:
    """An answer of the proxy's own. The connection ends with it."""
    kind = "Content-Type: application/xml\r\n" if body else ""
    head = f"HTTP/1.1 {status} Made To Order\r\n{kind}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
