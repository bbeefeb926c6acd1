"""The Functions that watch: whoever is woken looks at a scope; each minute every factory is looked at."""

import json

import azure.functions as func

from core.telemetry.messages import processing
from orchestrator.incidents import services, watch

bp = func.Blueprint()
STORAGE = "STORAGE"  # the name of the connection setting


@bp.function_name("watch_scope")
@bp.queue_trigger(arg_name="message", queue_name="watch-requests", connection=STORAGE)
async def watch_scope(message: func.QueueMessage) -> None:
    with processing("watch-requests", message):
        await services.current().investigator.look(str(json.loads(message.get_body())["scope"]))


@bp.function_name("watch_all")
@bp.timer_trigger(arg_name="timer", schedule="20 * * * * *", run_on_startup=False)
async def watch_all(timer: func.TimerRequest) -> None:
    if (current := services.configured()) is None:
        return
    await current.wake.drain()
    await watch.wake_all(current)
    await current.escalator.run()
