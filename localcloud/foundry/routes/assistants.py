"""/assistants"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from localcloud.foundry.errors import bad_request
from localcloud.foundry.paging import page
from localcloud.foundry.project import Project
from localcloud.foundry.records import Assistant, Json
from localcloud.foundry.routes.body import body_of, required, service_of
from localcloud.foundry.routes.definitions import tools_of

LIMITS = {"name": 256, "description": 512, "instructions": 256_000}
FIELDS = (
    "name",
    "description",
    "instructions",
    "tool_resources",
    "metadata",
    "temperature",
    "top_p",
    "response_format",
)


async def create(request: Request) -> JSONResponse:
    body = await body_of(request)
    assistant = Assistant(model=required(body, "model"))
    apply(assistant, body, service_of(request).project)
    return JSONResponse(service_of(request).store.add_assistant(assistant).as_json())


async def update(request: Request) -> JSONResponse:
    assistant = service_of(request).store.assistant(request.path_params["assistant"])
    apply(assistant, await body_of(request), service_of(request).project)
    return JSONResponse(assistant.as_json())


def apply(assistant: Assistant, body: Json, project: Project) -> None:
    for name, limit in LIMITS.items():
        if len(body.get(name) or "") > limit:
            raise bad_request(f"Invalid '{name}': it has at most {limit} characters.", param=name)
    tools = tools_of(body["tools"]) if body.get("tools") is not None else None
    project.check(tools or [])
    for name in FIELDS:
        if body.get(name) is not None:
            setattr(assistant, name, body[name])
    if tools is not None:
        assistant.tools = tools
    assistant.model = body.get("model") or assistant.model


async def listing(request: Request) -> JSONResponse:
    store = service_of(request).store
    return JSONResponse(page(store.assistants.values(), request.query_params, store.places, Assistant.as_json))


async def get(request: Request) -> JSONResponse:
    return JSONResponse(service_of(request).store.assistant(request.path_params["assistant"]).as_json())


async def delete(request: Request) -> JSONResponse:
    store = service_of(request).store
    assistant = store.assistant(request.path_params["assistant"])
    del store.assistants[assistant.id]
    return JSONResponse({"id": assistant.id, "object": "assistant.deleted", "deleted": True})


ROUTES = [
    Route("/assistants", create, methods=["POST"]),
    Route("/assistants", listing),
    Route("/assistants/{assistant}", get),
    Route("/assistants/{assistant}", update, methods=["POST"]),
    Route("/assistants/{assistant}", delete, methods=["DELETE"]),
]
