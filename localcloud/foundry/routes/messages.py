"""/threads/{thread}/messages"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from localcloud.foundry.errors import bad_request
from localcloud.foundry.paging import page
from localcloud.foundry.records import Json, Message
from localcloud.foundry.routes.body import body_of, content_of, metadata_of, required, service_of

BUSY = "Can't add messages to {thread} while a run {run} is active."


def message_from(thread_id: str, body: Json) -> Message:
    role = required(body, "role")
    if role not in ("user", "assistant"):
        raise bad_request(f"Invalid value: '{role}'. Supported values are: 'user' and 'assistant'.", param="role")
    content = content_of(required(body, "content"))
    attachments = body.get("attachments") or []
    return Message(thread_id, role, content, attachments=attachments, metadata=metadata_of(body))


async def create(request: Request) -> JSONResponse:
    store, key = service_of(request).store, request.path_params["thread"]
    store.refuse_when_busy(key, BUSY)
    message = message_from(key, await body_of(request))
    return JSONResponse(store.add_message(message).as_json())


async def listing(request: Request) -> JSONResponse:
    store, run_id = service_of(request).store, request.query_params.get("run_id")
    messages = store.messages_of(request.path_params["thread"]).values()
    chosen = [message for message in messages if run_id in (None, message.run_id)]
    return JSONResponse(page(chosen, request.query_params, store.places, Message.as_json))


def message_of(request: Request) -> Message:
    params = request.path_params
    return service_of(request).store.message(params["thread"], params["message"])


async def get(request: Request) -> JSONResponse:
    return JSONResponse(message_of(request).as_json())


async def update(request: Request) -> JSONResponse:
    message = message_of(request)
    message.metadata = metadata_of(await body_of(request))
    return JSONResponse(message.as_json())


ROUTES = [
    Route("/threads/{thread}/messages", create, methods=["POST"]),
    Route("/threads/{thread}/messages", listing),
    Route("/threads/{thread}/messages/{message}", get),
    Route("/threads/{thread}/messages/{message}", update, methods=["POST"]),
]
