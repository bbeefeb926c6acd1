"""/threads/{thread}/runs, /threads/runs and the steps of a run"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from localcloud.foundry.errors import bad_request
from localcloud.foundry.execution import Execution
from localcloud.foundry.paging import page
from localcloud.foundry.records import Json, Run, Step, Thread
from localcloud.foundry.routes.body import body_of, metadata_of, required, service_of
from localcloud.foundry.routes.definitions import tools_of
from localcloud.foundry.routes.messages import message_from
from localcloud.foundry.routes.threads import make_thread
from localcloud.foundry.service import Service
from localcloud.foundry.starting import make_run
from localcloud.foundry.stream import frames

BUSY = "Thread {thread} already has an active run {run}."


async def create(request: Request) -> Response:
    service, body = service_of(request), await body_of(request)
    thread = service.store.thread(request.path_params["thread"])
    service.store.refuse_when_busy(thread.id, BUSY)
    return begin(service, thread, body)


async def create_with_thread(request: Request) -> Response:
    service, body = service_of(request), await body_of(request)
    service.store.assistant(required(body, "assistant_id"))  # before anything is made
    return begin(service, make_thread(service, body.get("thread") or {}), body, new_thread=True)


def begin(service: Service, thread: Thread, body: Json, *, new_thread: bool = False) -> Response:
    execution = prepare(service, thread, body)
    listener = execution.events.listen() if body.get("stream") else None
    if new_thread:
        execution.events.tell("thread.created", thread.as_json())
    execution.start()
    return stream(service, listener) if listener else JSONResponse(execution.run.as_json())


def prepare(service: Service, thread: Thread, body: Json) -> Execution:
    assistant = service.store.assistant(required(body, "assistant_id"))
    if body.get("tools") is not None:
        body = {**body, "tools": tools_of(body["tools"])}
    added = [message_from(thread.id, message) for message in body.get("additional_messages") or []]
    for message in added:
        service.store.add_message(message)
    run = service.store.add_run(make_run(service.settings, thread, assistant, body))
    service.executions[run.id] = execution = Execution(service, run)
    return execution


def stream(service: Service, listener: asyncio.Queue[bytes | None]) -> Response:
    cut = service.faults.take("stream_cut")
    cut_after = int(cut.get("events", 5)) if cut is not None else None
    return StreamingResponse(frames(listener, cut_after), headers={"content-type": "text/event-stream; charset=utf-8"})


async def listing(request: Request) -> JSONResponse:
    store = service_of(request).store
    runs = store.runs_of(request.path_params["thread"]).values()
    return JSONResponse(page(runs, request.query_params, store.places, Run.as_json))


def run_of(request: Request) -> Run:
    params = request.path_params
    return service_of(request).store.run(params["thread"], params["run"])


async def get(request: Request) -> JSONResponse:
    return JSONResponse(run_of(request).as_json())


async def update(request: Request) -> JSONResponse:
    run = run_of(request)
    run.metadata = metadata_of(await body_of(request))
    return JSONResponse(run.as_json())


async def cancel(request: Request) -> JSONResponse:
    run = run_of(request)
    if not run.active or run.status == "cancelling":
        raise bad_request(f"Cannot cancel run with status '{run.status}'.")
    service_of(request).executions[run.id].cancel()
    return JSONResponse(run.as_json())


async def submit(request: Request) -> Response:
    service, run, body = service_of(request), run_of(request), await body_of(request)
    execution = service.executions[run.id]
    if run.status != "requires_action":
        raise bad_request(f"Runs in status '{run.status}' do not accept tool outputs.")
    listener = execution.events.listen() if body.get("stream") else None
    answer = approve(execution, body) if body.get("tool_approvals") else take_outputs(execution, body)
    return stream(service, listener) if listener else JSONResponse(answer)


def take_outputs(execution: Execution, body: Json) -> Json:
    outputs = {given.get("tool_call_id"): given.get("output") for given in body.get("tool_outputs") or []}
    if outputs.keys() != execution.outputs.keys():
        raise bad_request(f"Expected tool outputs for call_ids {sorted(execution.outputs)}, got {sorted(outputs)}.")
    if not outputs:
        raise bad_request("This run does not wait for tool outputs of the client.")
    execution.run.status, execution.run.required_action = "queued", None
    execution.tell_run("queued")
    for key, output in outputs.items():
        execution.outputs[key].set_result("" if output is None else str(output))
    return execution.run.as_json()


def approve(execution: Execution, body: Json) -> Json:
    """The answer to an approval shows the approved tools as never asking; later reads show the rule as it was."""
    decisions = {given.get("tool_call_id"): given for given in body["tool_approvals"]}
    if decisions.keys() != execution.approvals.keys():
        raise bad_request(f"Expected approvals for call_ids {sorted(execution.approvals)}, got {sorted(decisions)}.")
    run, calls = execution.run, execution.step.calls if execution.step else []
    run.status, run.required_action = "in_progress", None
    approved = [call for call in calls if decisions.get(call.id, {}).get("approve")]
    for call in approved:
        run.secret_headers.setdefault(call.extra["server_label"], {}).update(decisions[call.id].get("headers") or {})
    for key, given in decisions.items():
        execution.approvals[key].set_result(bool(given.get("approve")))
    execution.tell_run("in_progress")
    names = {call.extra["server_label"]: {"never": {"tool_names": [call.name]}} for call in approved}
    servers = [
        {**server, "require_approval": names.get(server["server_label"], server.get("require_approval", "always"))}
        for server in run.tool_resources.get("mcp") or []
    ]
    return {**run.as_json(), "tool_resources": {**run.tool_resources, "mcp": servers}}


async def steps(request: Request) -> JSONResponse:
    store, params = service_of(request).store, request.path_params
    return JSONResponse(
        page(store.steps_of(params["thread"], params["run"]).values(), request.query_params, store.places, Step.as_json)
    )


async def step(request: Request) -> JSONResponse:
    params = request.path_params
    return JSONResponse(service_of(request).store.step(params["thread"], params["run"], params["step"]).as_json())


ROUTES = [
    Route("/threads/runs", create_with_thread, methods=["POST"]),
    Route("/threads/{thread}/runs", create, methods=["POST"]),
    Route("/threads/{thread}/runs", listing),
    Route("/threads/{thread}/runs/{run}", get),
    Route("/threads/{thread}/runs/{run}", update, methods=["POST"]),
    Route("/threads/{thread}/runs/{run}/cancel", cancel, methods=["POST"]),
    Route("/threads/{thread}/runs/{run}/submit_tool_outputs", submit, methods=["POST"]),
    Route("/threads/{thread}/runs/{run}/steps", steps),
    Route("/threads/{thread}/runs/{run}/steps/{step}", step),
]
