"""HTTP/1.1 messages as they are on the wire: read whole, kept as the bytes they were, so that they can be passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

BODILESS = (204, 304)


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # with its query
    raw: bytes
    body: bytes
    peer_port: int = 0  # of the client: tells which process it is

    @property
    def name(self) -> str:
        """What faults are matched against."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Response:
    status: int
    raw: bytes
    body: bytes
    closes: bool = False  # its end is the end of the connection


async def read_request(reader: asyncio.StreamReader, peer_port: int = 0) -> Request | None:
    """The next request, or None where the client has gone."""
    head = await _head(reader)
    if head is None:
        return None
    method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    raw, body = await _body(reader, _headers(head))
    return Request(method, path, head + raw, body, peer_port)


async def read_response(reader: asyncio.StreamReader, method: str) -> Response:
    """Raises ConnectionResetError where the server goes away before the end."""
    head = await _head(reader)
    if head is None:
        raise ConnectionResetError
    status = int(head.split(b" ", 2)[1])
    headers = _headers(head)
    closes = headers.get("connection", "").lower() == "close"
    if method == "HEAD" or status in BODILESS:
        return Response(status, head, b"", closes)
    if "content-length" not in headers and headers.get("transfer-encoding", "").lower() != "chunked":
        rest = await reader.read()
        return Response(status, head + rest, rest, True)
    raw, body = await _body(reader, headers)
    return Response(status, head + raw, body, closes)


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _headers(head: bytes) -> Mapping[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> tuple[bytes, bytes]:
    """(as on the wire, as it is meant). Raises ConnectionResetError where it is cut short."""
    try:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await _chunks(reader)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except asyncio.IncompleteReadError as exc:
        raise ConnectionResetError from exc
    return body, body


async def _chunks(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    raw, body = bytearray(), bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";", 1)[0], 16)
        chunk = await reader.readexactly(size + 2)
        raw += line + chunk
        if not size:
            return bytes(raw), bytes(body)
        body += chunk[:-2]
