"""/deployments and /connections: what the project holds, as azure-ai-projects reads it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from localcloud.foundry.records import Json
from localcloud.foundry.routes.body import service_of


async def deployments(request: Request) -> JSONResponse:
    return listed(service_of(request).project.deployed(), request, {"modelName": "modelName"})


async def connections(request: Request) -> JSONResponse:
    return listed(service_of(request).project.connected(), request, {"connectionType": "type"})


def listed(items: list[Json], request: Request, filters: dict[str, str]) -> JSONResponse:
    for asked, field in filters.items():
        if wanted := request.query_params.get(asked):
            items = [item for item in items if item[field] == wanted]
    return JSONResponse({"value": items})


ROUTES = [Route("/deployments", deployments), Route("/connections", connections)]
