"""HTTP triggers: routes behind their keys, requests and responses of the library."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any

import azure.functions as func
from starlette.requests import Request
from starlette.responses import Response

from localcloud.host.functions import Function
from localcloud.host.invocations import FunctionFailed
from localcloud.host.keys import Keys
from localcloud.host.problems import problem
from localcloud.host.routes import Route, find_route, normal_path
from localcloud.host.runner import Runner
from localcloud.host.sign_in import SignIn

log = logging.getLogger("localcloud.host.http")
LIMIT_SECONDS = 230.0  # the platform's load balancer gives up then
LARGEST_BODY = 100 * 1024 * 1024
QUIET_METHODS = ("GET", "HEAD", "OPTIONS")  # a page that refreshes itself must not keep the queue pollers awake


class HttpTriggers:
    def __init__(
        self, routes: Sequence[Route], runner: Runner, keys: Keys, limit_seconds: float, sign_in: SignIn
    ) -> None:
        self._routes, self._runner, self._keys, self._limit_seconds = routes, runner, keys, limit_seconds
        self._sign_in = sign_in
        self._running: set[asyncio.Task[Response]] = set()

    async def answer(self, request: Request, path: Sequence[str]) -> Response:
        found = find_route(self._routes, request.method, path)
        if found is None:
            log.info("No route matches %s /%s", request.method, "/".join(path))
            return Response(status_code=404)
        route, parameters = found
        if not self._allows(route, request):
            return Response(status_code=401)
        body = await read_body(request)
        if body is None:
            return problem(413, "The request body is larger than 100 MB.")
        return await self._run(route.function, http_request(request, parameters, body, self._sign_in))

    def _allows(self, route: Route, request: Request) -> bool:
        level = str(route.function.trigger.options.get("authLevel") or "FUNCTION").upper()
        return level == "ANONYMOUS" or self._keys.allow(request)

    async def _run(self, function: Function, argument: func.HttpRequest) -> Response:
        """The function outlives a caller who hangs up and an answer that comes too late."""
        task = asyncio.create_task(self._respond(function, argument))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait({task}, timeout=self._limit_seconds)
        if done:
            return task.result()
        log.error("%r did not answer within %g s; it runs on.", function.name, self._limit_seconds)
        return problem(504, f"The function {function.name!r} did not answer within {self._limit_seconds:g} s.")

    async def _respond(self, function: Function, argument: func.HttpRequest) -> Response:
        quiet = argument.method in QUIET_METHODS
        trace_parent = argument.headers.get("traceparent")
        try:
            value = await self._runner.run(function, argument, quiet=quiet, trace_parent=trace_parent)
        except FunctionFailed:
            return Response(status_code=500)
        return http_response(function, value)


async def read_body(request: Request) -> bytes | None:
    """None when it is too large."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def http_request(
    request: Request, route_params: dict[str, str], body: bytes, sign_in: SignIn | None = None
) -> func.HttpRequest:
    path = normal_path(request.scope["raw_path"].decode("latin-1"))
    return func.HttpRequest(
        request.method,
        address(request),
        headers=(sign_in or SignIn()).headers(joined(request.headers.items(), ", "), path),
        params=joined(request.query_params.multi_items(), ","),
        route_params=route_params,
        body=body,
    )


def address(request: Request) -> str:
    """As the caller wrote it, but for dots in the path."""
    path = normal_path(request.scope["raw_path"].decode("latin-1"))
    query = request.scope["query_string"].decode("latin-1")
    host = request.headers.get("host", "127.0.0.1")
    return f"{request.scope['scheme']}://{host}{path}" + (f"?{query}" if query else "")


def joined(pairs: Iterable[tuple[str, str]], separator: str) -> dict[str, str]:
    """The library knows one value per name; the real host joins repeated ones."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]}{separator}{value}" if name in found else value
    return found


def http_response(function: Function, value: Any) -> Response:
    if value is None or function.returns is None or function.returns.kind != "http":
        return Response(status_code=204)
    if isinstance(value, str):
        return Response(value, media_type="text/plain")
    if isinstance(value, func.HttpResponse):
        return from_library(value)
    log.error("%r returned a %s; return an HttpResponse or text.", function.name, type(value).__name__)
    return Response(status_code=500)


def from_library(answer: func.HttpResponse) -> Response:
    response = Response(answer.get_body(), status_code=answer.status_code)
    headers = [(name, value) for name, value in answer.headers.items() if name.lower() != "content-length"]
    if "content-type" not in answer.headers:
        headers.append(("content-type", content_type(answer)))
    response.raw_headers.extend((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers)
    return response


def content_type(answer: func.HttpResponse) -> str:
    return f"{answer.mimetype}; charset={answer.charset}" if answer.mimetype.startswith("text/") else answer.mimetype
