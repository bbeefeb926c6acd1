"""The Functions of the orchestrator: the HTTP door, the queue of runs, events of Event Grid, and timers."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from core.telemetry.messages import processing
from orchestrator import services
from orchestrator.alerts import services as alert_services
from orchestrator.digest import services as digest_services
from orchestrator.notify import services as telling

bp = func.Blueprint()
STORAGE = "STORAGE"  # the name of the connection setting
GET, POST, DELETE = func.HttpMethod.GET, func.HttpMethod.POST, func.HttpMethod.DELETE
OPTIONS = func.HttpMethod.OPTIONS  # the handshake of CloudEvents

_middleware: list[Any] = []


def middleware() -> Any:
    """The API behind the Functions' ASGI bridge. Built on the first request: tool workers never pay for FastAPI."""
    if not _middleware:
        from orchestrator.api.app import build

        _middleware.append(func.AsgiMiddleware(build()))
    return _middleware[0]


@bp.function_name("api")
@bp.route(route="api/{*path}", methods=[GET, POST, DELETE, OPTIONS], auth_level=func.AuthLevel.FUNCTION)
async def api(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The door of those who have the app's key."""
    return await _answered(req, context)


@bp.function_name("hooks")
@bp.route(route="hooks/{*path}", methods=[GET, POST, DELETE, OPTIONS], auth_level=func.AuthLevel.ANONYMOUS)
async def hooks(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The door of machines that prove themselves: signatures, signed links, tokens."""
    return await _answered(req, context)


@bp.function_name("ui")
@bp.route(route="ui/{*path}", methods=[GET, POST], auth_level=func.AuthLevel.ANONYMOUS)
async def ui(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The door of persons, whom the platform's authentication names."""
    return await _answered(req, context)


async def _answered(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The API, which learns from the context through which door the request came."""
    response: func.HttpResponse = await middleware().handle_async(req, context)
    return response


@bp.function_name("runs_serve")
@bp.queue_trigger(arg_name="message", queue_name="run-requests", connection=STORAGE)
async def runs_serve(message: func.QueueMessage) -> None:
    with processing("run-requests", message):
        run_id = json.loads(message.get_body())["run_id"]
        await services.current().conductor.serve(str(run_id))


@bp.function_name("callbacks_deliver")
@bp.queue_trigger(arg_name="message", queue_name="callbacks", connection=STORAGE)
async def callbacks_deliver(message: func.QueueMessage) -> None:
    from orchestrator.runs import endings  # with what it reads, on the first message

    with processing("callbacks", message):
        await telling.current().tell(*endings.read(message.get_body()))


@bp.function_name("runs_sweep")
@bp.timer_trigger(arg_name="timer", schedule="*/15 * * * * *", run_on_startup=False)
async def runs_sweep(timer: func.TimerRequest) -> None:
    if (current := services.configured()) is None:
        return
    counts = await current.sweeper.runs()
    poison = await current.sweeper.poison() + await current.conductor.endings.revive()
    if counts or poison:
        logging.getLogger("sweeper").warning("runs=%s poison_messages=%d", json.dumps(counts), poison)


@bp.function_name("orphans_sweep")
@bp.timer_trigger(arg_name="timer", schedule="0 */10 * * * *", run_on_startup=False)
async def orphans_sweep(timer: func.TimerRequest) -> None:
    current = services.configured()
    gone = await current.sweeper.orphans() if current else 0
    if gone:
        logging.getLogger("sweeper").warning("orphans_deleted=%d", gone)


@bp.function_name("alerts_event")
@bp.event_grid_trigger(arg_name="event")
async def alerts_event(event: func.EventGridEvent) -> None:
    """Raises where the alert could not be kept: Event Grid sends it again."""
    from orchestrator.alerts import delivered, shapes  # with what they read, on the first event

    alerts = shapes.read(delivered.body(event), datetime.now(UTC), "event-grid")
    await alert_services.current().take(alerts)


@bp.function_name("alerts_forget")
@bp.timer_trigger(arg_name="timer", schedule="0 40 3 * * *", run_on_startup=False)
async def alerts_forget(timer: func.TimerRequest) -> None:
    gone = await alert_services.current().forget()
    if gone:
        logging.getLogger("alerts").info("forgotten=%d", gone)


@bp.function_name("digest_send")
@bp.timer_trigger(arg_name="timer", schedule="0 */15 * * * *", run_on_startup=False)
async def digest_send(timer: func.TimerRequest) -> None:
    if current := digest_services.configured():
        await current.sender.run()
