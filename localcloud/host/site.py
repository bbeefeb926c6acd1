"""The host's HTTP side: who answers which path. The host's own paths come before the app's, as in the real host."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from localcloud.host.admin import Admin
from localcloud.host.event_grid import EventGrid
from localcloud.host.http_trigger import HttpTriggers
from localcloud.host.routes import split_path


class Site:
    def __init__(self, functions: HttpTriggers, admin: Admin, event_grid: EventGrid) -> None:
        self._functions, self._admin, self._event_grid = functions, admin, event_grid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request, split_path(scope["raw_path"].decode("latin-1")))
        except ClientDisconnect:  # before the whole request was here
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request, path: list[str]) -> Response:
        match [part.lower() for part in path]:
            case ["admin", *_]:
                return await self._admin.answer(request, path[1:])
            case ["runtime", "webhooks", "eventgrid"]:
                return await self._event_grid.answer(request)
            case ["runtime", *_]:
                return Response(status_code=404)
        return await self._functions.answer(request, path)
