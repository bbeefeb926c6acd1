"""The whole stand-in as one ASGI app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount

from localcloud.foundry.edge import Edge
from localcloud.foundry.errors import ApiError, on_api_error, on_http_exception
from localcloud.foundry.routes import assistants, control, messages, project, runs, threads
from localcloud.foundry.service import Service

# /threads/runs must be tried before /threads/{thread}
ENDPOINTS = [*assistants.ROUTES, *runs.ROUTES, *threads.ROUTES, *messages.ROUTES, *project.ROUTES]


def create_app(service: Service) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service.exchange.open()
        yield
        await service.close()

    app = Starlette(
        routes=[*control.ROUTES, Mount("/api/projects/{project}", routes=ENDPOINTS)],
        middleware=[Middleware(Edge, service=service)],
        exception_handlers={ApiError: on_api_error, HTTPException: on_http_exception},
        lifespan=lifespan,
    )
    app.state.service = service
    return app
