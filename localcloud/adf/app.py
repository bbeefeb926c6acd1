"""The ASGI app: the published routes behind a bearer token, and a few of our own to steer the world (`/_...`)."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from email.utils import format_datetime
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from localcloud.adf import (
    activity_log_operations,
    control,
    resource_operations,
    run_operations,
    runtime_operations,
    trigger_operations,
)
from localcloud.adf.arm import PROVIDER, ArmError
from localcloud.adf.busy import Busy
from localcloud.adf.calls import Call, Operation
from localcloud.adf.surroundings import Surroundings, forbidden
from localcloud.adf.trouble import Trouble, Troubles
from localcloud.adf.world import World

FACTORY = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}/factories/{{factory}}"
OPERATIONS = (
    *run_operations.OPERATIONS,
    *trigger_operations.OPERATIONS,
    *runtime_operations.OPERATIONS,
    *resource_operations.OPERATIONS,
    *activity_log_operations.OPERATIONS,
)
_CHALLENGE = {"WWW-Authenticate": 'Bearer authorization_uri="https://login.microsoftonline.com/common"'}


class ManagementApi:
    """Routes without regard to case, as Azure does, and lets trouble strike before or after the answer."""

    def __init__(self, world: World, troubles: Troubles, latency_ms: float = 0) -> None:
        self.world, self.troubles, self._latency = world, troubles, latency_ms / 1000
        self.requests: Counter[str] = Counter()
        self.busy = Busy()
        self.surroundings = Surroundings()
        self._routes = [(op, _pattern(op.path)) for op in (*OPERATIONS, *self.surroundings.operations())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.busy.request():
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            operation, names = self._match(request)
            self.requests[operation.name] += 1
            trouble = self.troubles.next_for(operation.name)
            await asyncio.sleep(self._latency + (trouble.seconds if trouble else 0))
            response = _troubled(trouble, operation) or await self._answer(request, operation, names)
        except ArmError as exc:
            trouble, response = None, exc.response(_CHALLENGE if exc.status == 401 else None)
        response.headers["date"] = format_datetime(self.world.clock.now(), usegmt=True)
        response.headers["x-ms-request-id"] = f"{sum(self.requests.values()):032x}"
        await response(scope, receive, _breaking(send, trouble) if trouble else send)

    def _match(self, request: Request) -> tuple[Operation, Mapping[str, str]]:
        path, allowed = request.scope["path"], False
        for operation, pattern in self._routes:
            match = pattern.fullmatch(path)
            if match and operation.method == request.method:
                return operation, {key: unquote(value) for key, value in match.groupdict().items()}
            allowed = allowed or match is not None
        if allowed:
            raise ArmError(405, "MethodNotAllowed", f"The method {request.method} is not allowed here.")
        raise ArmError(404, "InvalidResourceType", f"The resource type of '{path}' could not be found.")

    async def _answer(self, request: Request, operation: Operation, names: Mapping[str, str]) -> Response:
        _check_token(request.headers.get("authorization", ""))
        _check_version(request.query_params.get("api-version"), operation.version)
        self.surroundings.check(operation.name, request.scope["path"])
        call = Call(
            world=self.world,
            now=self.world.now(),
            names=names,
            query=request.query_params,
            headers=request.headers,
            raw=await request.body(),
            base_url=str(request.base_url).rstrip("/"),
        )
        return await operation.handler(call)


class App:
    """Paths that begin with `/_` steer the world; all others belong to the management API."""

    def __init__(self, world: World, latency_ms: float = 0) -> None:
        troubles = Troubles(world.seed)
        self.api = ManagementApi(world, troubles, latency_ms)
        routes = control.routes(world, troubles, self.api.requests, self.api.busy, self.api.surroundings)
        self._steering = Starlette(routes=routes, exception_handlers={ArmError: _arm_error})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        steers = scope["type"] != "http" or scope["path"].startswith("/_")
        await (self._steering if steers else self.api)(scope, receive, send)


ANOTHER_TENANT = ArmError(
    401,
    "InvalidAuthenticationTokenTenant",
    "The access token is from the wrong issuer 'https://sts.windows.net/00000000-0000-0000-0000-0000000000f1/'. It "
    "must match the tenant 'https://sts.windows.net/00000000-0000-0000-0000-0000000000f2/' associated with this "
    "subscription.",
)


async def _arm_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, ArmError)
    return exc.response()


def _pattern(path: str) -> re.Pattern[str]:
    whole = path.replace("~", FACTORY, 1)
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(whole)) + "/?", re.IGNORECASE)


def _check_token(header: str) -> None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ArmError(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")


def _check_version(version: str | None, supported: str) -> None:
    if version is None:
        told = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError(400, "MissingApiVersionParameter", told)
    if version != supported:
        told = f"The api-version '{version}' is invalid for '{PROVIDER}'. The supported version is '{supported}'."
        raise ArmError(400, "InvalidApiVersionParameter", told)


def _troubled(trouble: Trouble | None, operation: Operation) -> Response | None:
    """The answer of a server in trouble; None when the trouble only touches the connection."""
    if trouble is None or trouble.kind != "status":
        return None
    if trouble.status == 403:
        return forbidden(operation.name, operation.path).response()
    if trouble.status == 401:
        return ANOTHER_TENANT.response()
    code = {429: "TooManyRequests", 503: "ServiceUnavailable"}.get(trouble.status, "InternalServerError")
    headers = {"Retry-After": trouble.retry_after} if trouble.retry_after is not None else None
    return ArmError(trouble.status, code, "The request could not be served; try again later.").response(headers)


def _breaking(send: Send, trouble: Trouble) -> Send:
    """A connection that breaks before the answer (reset) or in the middle of its body (partial)."""

    async def broken(message: Message) -> None:
        if trouble.kind == "partial" and message["type"] == "http.response.body":
            body = message.get("body", b"")
            await send({**message, "body": body[: len(body) // 2], "more_body": True})
            _hang_up(send)
        elif trouble.kind == "reset":
            _hang_up(send)
        else:
            await send(message)

    return broken


def _hang_up(send: Send) -> None:
    """ASGI has no word for it; uvicorn's `send` is a method of the object that holds the connection."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("trouble to order")
    transport.abort()
