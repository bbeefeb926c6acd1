"""A small app with one function of each kind."""

import asyncio
import json
import logging
import os
import time
import typing
from pathlib import Path
from typing import Any

import azure.functions as func

app = func.FunctionApp()


def note(text: str) -> None:
    """A line in a file that the test reads: it outlives a killed host."""
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(text + "\n")


@app.route("things/special", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def special(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("special")


@app.route("things/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def thing(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"thing {req.route_params['name']}")


@app.route("things/{id:int}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def never_reached(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("registered too late")


@app.route("things/{name}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
def forget(req: func.HttpRequest) -> func.HttpResponse:
    return None  # type: ignore[return-value]


@app.route("numbers/{id:int}", auth_level=func.AuthLevel.ANONYMOUS)
def number(req: func.HttpRequest) -> str:
    return f"number {req.route_params['id']}"


@app.route("echo/{*rest}", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    thread: Any = context.thread_local_storage
    body = {
        "url": req.url,
        "method": req.method,
        "rest": req.route_params.get("rest"),
        "params": dict(req.params),
        "header": req.headers.get("X-Some"),
        "body": req.get_body().decode(),
        "function": context.function_name,
        "invocation": context.invocation_id,
        "directory": context.function_directory,
        "trace": context.trace_context.trace_parent,
        "retries": context.retry_context.retry_count,
        "thread": thread.invocation_id,
    }
    return func.HttpResponse(json.dumps(body), status_code=201, mimetype="application/json", headers={"X-Own": "1"})


@app.route("owner", auth_level=func.AuthLevel.ADMIN)
def owner(req: func.HttpRequest) -> str:
    return "owner"


@app.route("broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> str:
    raise ValueError("the secret reason")


@app.route("slow", auth_level=func.AuthLevel.ANONYMOUS)
async def slow(req: func.HttpRequest) -> str:
    note("slow began")
    await asyncio.sleep(float(req.params["seconds"]))
    note("slow ended")
    return "slow"


@app.route("blocking", auth_level=func.AuthLevel.ANONYMOUS)
def blocking(req: func.HttpRequest) -> str:
    time.sleep(float(req.params["seconds"]))
    return "blocking"


@app.route("open/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
def wide_open(req: func.HttpRequest) -> str:
    return "open"


@app.queue_trigger("call", "%PREFIX%-in", connection="STORAGE")
@app.queue_output("$return", "%PREFIX%-out", connection="STORAGE")
async def answer(call: func.QueueMessage) -> str:
    return json.dumps({"got": call.get_body().decode(), "id": call.id, "count": call.dequeue_count})


@app.queue_trigger("message", "%PREFIX%-named", connection="STORAGE")
@app.queue_output("one", "%PREFIX%-one", connection="STORAGE")
@app.queue_output("many", "%PREFIX%-many", connection="STORAGE")
def spread(message: func.QueueMessage, one: func.Out[bytes], many: func.Out[typing.List[str]]) -> None:  # noqa: UP006 - the worker refuses list[str] here
    one.set(message.get_body())
    many.set(["a", "b"])
    if message.get_body() == b"fail":
        raise ValueError("after setting")


@app.queue_trigger("message", "%PREFIX%-fields", connection="STORAGE")
@app.queue_output("$return", "%PREFIX%-out", connection="STORAGE")
def fields(message: func.QueueMessage) -> str:
    times = (message.insertion_time, message.expiration_time, message.time_next_visible)
    return json.dumps([*(bool(moment and moment.tzinfo) for moment in times), bool(message.pop_receipt)])


@app.queue_trigger("message", "%PREFIX%-bad", connection="STORAGE")
def always_fails(message: func.QueueMessage) -> None:
    note(f"try {message.dequeue_count}")
    raise ValueError("no")


@app.queue_trigger("message", "%PREFIX%-long", connection="STORAGE")
async def works_long(message: func.QueueMessage) -> None:
    note(f"began {message.get_body().decode()} {os.getpid()}")
    await asyncio.sleep(float(os.environ.get("LONG_SECONDS", "0.2")))
    note(f"ended {message.get_body().decode()} {os.getpid()}")


@app.timer_trigger("timer", "%SCHEDULE%")
async def tick(timer: func.TimerRequest) -> None:
    known: Any = timer
    note(f"tick {timer.past_due} {sorted(known.schedule_status)}")
    await asyncio.sleep(float(os.environ.get("TICK_SECONDS", "0")))
    note("tock")


@app.timer_trigger("timer", "0 0 0 1 1 *", run_on_startup=True)
def at_start(timer: func.TimerRequest) -> None:
    logging.info("at start")
    note("at start")


@app.event_grid_trigger("event")
def heard(event: func.EventGridEvent) -> None:
    note(f"event {type(event).__name__} {event.id} {event.subject}")
