"""The Functions that act: one step of an action for each message; a timer that finds what was lost.

`actions_execute` is the only one that changes factories. In production it is switched off in the app that answers
callers, and the only one that is on in the app with the operator's identity.
"""

import logging

import azure.functions as func

from core.telemetry.messages import processing
from orchestrator.actions import services
from orchestrator.stores.queues import Wishes

bp = func.Blueprint()
STORAGE = "STORAGE"  # the name of the connection setting


@bp.function_name("actions_execute")
@bp.queue_trigger(arg_name="message", queue_name="actions", connection=STORAGE)
async def actions_execute(message: func.QueueMessage) -> None:
    with processing("actions", message):
        await services.executor().step(Wishes.read(message.get_body()))


@bp.function_name("actions_rounds")
@bp.timer_trigger(arg_name="timer", schedule="*/15 * * * * *", run_on_startup=False)
async def actions_rounds(timer: func.TimerRequest) -> None:
    current = services.configured()
    taken = await current.rounds.make() if current else 0
    if taken:
        logging.getLogger("actions").info("taken_up=%d", taken)
