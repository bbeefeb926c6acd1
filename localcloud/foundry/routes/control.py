"""/_faults, /_stats, /_project and /_reset: the stand-in's own switches, for tests and benches."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from localcloud.foundry.routes.body import body_of, service_of


async def arm(request: Request) -> JSONResponse:
    service = service_of(request)
    service.faults.arm(await body_of(request))
    return JSONResponse(service.faults.as_json())


async def armed(request: Request) -> JSONResponse:
    return JSONResponse(service_of(request).faults.as_json())


async def stats(request: Request) -> JSONResponse:
    service = service_of(request)
    active = sum(run.active for runs in service.store.runs.values() for run in runs.values())
    live = {"agents": len(service.store.assistants), "threads": len(service.store.threads), "runs": active}
    return JSONResponse({**service.stats.as_json(), "live": live})


async def changed(request: Request) -> JSONResponse:
    """POST any of {"deployments": [names], "connections": [names of the standard setup's], "setup": "basic"}."""
    service = service_of(request)
    service.project.change(await body_of(request))
    return JSONResponse(service.project.as_json())


async def reset(request: Request) -> JSONResponse:
    await service_of(request).reset()
    return JSONResponse({"reset": True})


ROUTES = [
    Route("/_faults", arm, methods=["POST"]),
    Route("/_faults", armed),
    Route("/_stats", stats),
    Route("/_project", changed, methods=["POST"]),
    Route("/_reset", reset, methods=["POST"]),
]
