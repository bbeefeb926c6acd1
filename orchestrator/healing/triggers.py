"""The Functions that repair: one step of a playbook for each message; a timer that finds what was lost."""

import azure.functions as func

from core.telemetry.messages import processing
from orchestrator.healing import services
from orchestrator.stores.queues import Wishes

bp = func.Blueprint()
STORAGE = "STORAGE"  # the name of the connection setting


@bp.function_name("repairs_advance")
@bp.queue_trigger(arg_name="message", queue_name="repairs", connection=STORAGE)
async def repairs_advance(message: func.QueueMessage) -> None:
    with processing("repairs", message):
        await services.current().healer.advance(Wishes.read(message.get_body()))


@bp.function_name("repairs_rounds")
@bp.timer_trigger(arg_name="timer", schedule="50 * * * * *", run_on_startup=False)
async def repairs_rounds(timer: func.TimerRequest) -> None:
    from orchestrator.healing.healer import advance_all  # with what it reads, on the first round

    if current := services.configured():
        await current.wishes.drain()
        await advance_all(current.healer)
