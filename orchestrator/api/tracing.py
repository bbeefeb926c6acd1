"""A span around each request that may change something. Others are in the host's own telemetry alone.

It tells the method, the route and the status, never the address: ids and signatures are in that.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.telemetry import carrying, names
from core.telemetry.setup import providers
from core.telemetry.spans import Kind, Span, span

QUIET = ("GET", "HEAD", "OPTIONS")
KNOWN = ("DELETE", "PATCH", "POST", "PUT")
OTHER = "_OTHER"  # as the conventions have it: callers may call a method what they like, names of spans may not
UNKNOWN = "(no such route)"


class Traced:
    """Under a host that has begun a span for the request ours goes below it; else below what the caller names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in QUIET or providers() is None:
            await self._app(scope, receive, send)
            return
        below_host = bool(carrying.current())
        caller = "" if below_host else carrying.valid(Headers(scope=scope).get(carrying.FIELD))
        kind: Kind = "internal" if below_host else "server"
        method = scope["method"] if scope["method"] in KNOWN else OTHER
        with span(method, kind, {names.METHOD: method}, parent=caller or None) as traced:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _answered(traced, method, scope, int(message["status"]))
                await send(message)

            await self._app(scope, receive, noting)


def _answered(traced: Span, method: str, scope: Scope, status: int) -> None:
    route = str(getattr(scope.get("route"), "path", "") or UNKNOWN)
    traced.rename(names.request(method, route))
    traced.set({names.ROUTE: route, names.STATUS: status})
    if status >= 500:
        traced.failed(str(status))
