"""The edge of the service: who is let in, what is counted, and the faults of the wire."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localcloud.foundry.errors import error_response
from localcloud.foundry.records import Json
from localcloud.foundry.service import Service
from localcloud.foundry.stream import StreamCut

PROJECT = re.compile(r"^/api/projects/[^/]+")
IDS = {"asst": "assistant", "thread": "thread", "msg": "message", "run": "run", "step": "step"}


class Edge:
    """Outermost: pure ASGI, because dropping a connection needs the server's own `receive`."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not PROJECT.match(scope["path"]):
            await self._app(scope, receive, send)
            return
        name = f"{scope['method']} {route_of(scope['path'])}"
        self._service.stats.requests[name] += 1
        if "authorization" not in Request(scope).headers:
            await unauthorized()(scope, receive, send)
        elif not await self._misbehave(name, scope, receive, send):
            await self._answer(name, scope, receive, send)

    async def _misbehave(self, name: str, scope: Scope, receive: Receive, send: Send) -> bool:
        """Strike before anything is done."""
        take = self._service.faults.take
        if take("connection_reset", name) is not None:
            await drop(receive)
        elif (options := take("http_429", name)) is not None:
            await throttled(options)(scope, receive, send)
        elif take("http_403", name) is not None:
            await forbidden()(scope, receive, send)
        elif take("http_500", name) is not None:
            await broken()(scope, receive, send)
        else:
            return False
        return True

    async def _answer(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        take = self._service.faults.take
        try:
            if take("http_500_after", name) is not None:
                await self._app(scope, receive, swallow)
                await broken()(scope, receive, send)
            elif take("connection_reset_after", name) is not None:
                await self._app(scope, receive, swallow)
                await drop(receive)
            else:
                await self._app(scope, receive, send)
        except StreamCut:
            await drop(receive)


async def swallow(_: Message) -> None:
    return


async def drop(receive: Receive) -> None:
    """Cut the connection off. uvicorn's `receive` is a method of the cycle that holds the transport."""
    cycle: Any = getattr(receive, "__self__", None)
    cycle.transport.abort()
    for _ in range(3):  # until the loop has told the cycle, which else would answer 500
        await asyncio.sleep(0)


def throttled(options: Json) -> JSONResponse:
    after = options.get("retry_after")
    headers = {"Retry-After": str(after)} if after is not None else None
    return error_response(429, "Rate limit is exceeded. Try again later.", "rate_limit_exceeded", headers=headers)


def broken() -> JSONResponse:
    return error_response(500, "The server had an error while processing your request.", "server_error")


def forbidden() -> JSONResponse:
    text = "The principal lacks the required data action Microsoft.CognitiveServices/accounts/AIServices/agents/read."
    return error_response(403, text, "PermissionDenied")


def unauthorized() -> JSONResponse:
    return error_response(401, "Access denied: the request has no Authorization header.", "401")


def route_of(path: str) -> str:
    """The path with ids replaced by what they identify: /threads/{thread}/runs."""
    parts = PROJECT.sub("", path).split("/")
    return "/".join(
        f"{{{IDS[head]}}}" if (head := part.partition("_")[0]) in IDS and "_" in part else part for part in parts
    )
