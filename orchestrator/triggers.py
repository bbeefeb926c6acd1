"""The Functions of the orchestrator: the HTTP door, the queue of runs, and the sweeper's timers."""

import json
import logging
from typing import Any

import azure.functions as func

from orchestrator import services

bp = func.Blueprint()
STORAGE = "STORAGE"  # the name of the connection setting
METHODS = [func.HttpMethod.GET, func.HttpMethod.POST, func.HttpMethod.DELETE]

_middleware: list[Any] = []


def middleware() -> Any:
    """The API behind the Functions' ASGI bridge. Built on the first request: tool workers never pay for FastAPI."""
    if not _middleware:
        from orchestrator.api.app import build

        _middleware.append(func.AsgiMiddleware(build()))
    return _middleware[0]


@bp.function_name("api")
@bp.route(route="api/{*path}", methods=METHODS, auth_level=func.AuthLevel.FUNCTION)
async def api(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    response: func.HttpResponse = await middleware().handle_async(req, context)
    return response


@bp.function_name("runs_serve")
@bp.queue_trigger(arg_name="message", queue_name="run-requests", connection=STORAGE)
async def runs_serve(message: func.QueueMessage) -> None:
    run_id = json.loads(message.get_body())["run_id"]
    await services.current().conductor.serve(str(run_id))


@bp.function_name("runs_sweep")
@bp.timer_trigger(arg_name="timer", schedule="*/15 * * * * *", run_on_startup=False)
async def runs_sweep(timer: func.TimerRequest) -> None:
    sweeper = services.current().sweeper
    counts = await sweeper.runs()
    poison = await sweeper.poison()
    if counts or poison:
        logging.getLogger("sweeper").warning("runs=%s poison_messages=%d", json.dumps(counts), poison)


@bp.function_name("orphans_sweep")
@bp.timer_trigger(arg_name="timer", schedule="0 */10 * * * *", run_on_startup=False)
async def orphans_sweep(timer: func.TimerRequest) -> None:
    gone = await services.current().sweeper.orphans()
    if gone:
        logging.getLogger("sweeper").warning("orphans_deleted=%d", gone)
