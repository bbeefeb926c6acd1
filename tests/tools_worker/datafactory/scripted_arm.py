"""An ARM endpoint that says what a test tells it to say, broken answers included."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

HANG_UP = b""


@dataclass
class Script:
    """Answers in order; the last one is repeated. `asked` holds what came: method, path, body, headers."""

    answers: list[bytes]
    url: str = ""
    asked: list[tuple[str, str, Any, dict[str, str]]] = field(default_factory=list)

    def next(self) -> bytes:
        return self.answers[min(len(self.asked), len(self.answers)) - 1]

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body, _ in self.asked]


def answer(body: Any, status: int = 200, **headers: str) -> bytes:
    text = body if isinstance(body, str) else json.dumps(body)
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} X", "Content-Type: application/json", *lines])
    return f"{head}\r\nContent-Length: {len(text.encode())}\r\nConnection: close\r\n\r\n{text}".encode()


def cut_off(body: Any) -> bytes:
    whole = answer(body)
    return whole[:-5]


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[Script]:
    script = Script(list(answers))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _ = head[0].split(" ")
        script.asked.append((method, path, json.loads(body) if body else None, headers))
        writer.write(script.next())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield script
    finally:
        server.close()
        await server.wait_closed()
