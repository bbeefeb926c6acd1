"""/threads"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from localcloud.foundry.paging import page
from localcloud.foundry.records import Json, Thread
from localcloud.foundry.routes.body import body_of, service_of
from localcloud.foundry.routes.messages import message_from
from localcloud.foundry.service import Service


async def create(request: Request) -> JSONResponse:
    return JSONResponse(make_thread(service_of(request), await body_of(request)).as_json())


def make_thread(service: Service, body: Json) -> Thread:
    thread = Thread(metadata=body.get("metadata") or {}, tool_resources=body.get("tool_resources") or {})
    messages = [message_from(thread.id, message) for message in body.get("messages") or []]
    service.store.add_thread(thread)
    for message in messages:
        service.store.add_message(message)
    return thread


async def listing(request: Request) -> JSONResponse:
    store = service_of(request).store
    return JSONResponse(page(store.threads.values(), request.query_params, store.places, Thread.as_json))


async def get(request: Request) -> JSONResponse:
    return JSONResponse(service_of(request).store.thread(request.path_params["thread"]).as_json())


async def update(request: Request) -> JSONResponse:
    thread = service_of(request).store.thread(request.path_params["thread"])
    body = await body_of(request)
    thread.metadata = body.get("metadata", thread.metadata) or {}
    thread.tool_resources = body.get("tool_resources", thread.tool_resources) or {}
    return JSONResponse(thread.as_json())


async def delete(request: Request) -> JSONResponse:
    service, key = service_of(request), request.path_params["thread"]
    if busy := service.store.active_run(key):
        service.executions[busy.id].cancel()
    service.store.delete_thread(key)
    return JSONResponse({"id": key, "object": "thread.deleted", "deleted": True})


ROUTES = [
    Route("/threads", create, methods=["POST"]),
    Route("/threads", listing),
    Route("/threads/{thread}", get),
    Route("/threads/{thread}", update, methods=["POST"]),
    Route("/threads/{thread}", delete, methods=["DELETE"]),
]
