"""The Functions of the tool worker: a queue trigger per tool, and the timer that answers poison messages."""

import logging

import azure.functions as func

from core.telemetry.messages import processing
from tools_worker.runtime import sweep
from tools_worker.runtime.answers import KEPT
from tools_worker.runtime.catalogue import TOOLS
from tools_worker.runtime.handler import Delivery, answer
from tools_worker.runtime.tools import ToolSpec
from tools_worker.runtime.worker import configured, current

bp = func.Blueprint()
STORAGE = "STORAGE"  # the name of the connection setting


def register(tool: ToolSpec) -> None:
    @bp.function_name(tool.name)
    @bp.queue_trigger(arg_name="call", queue_name=tool.input_queue, connection=STORAGE)
    @bp.queue_output(arg_name="reply", queue_name=tool.output_queue, connection=STORAGE)
    async def run(call: func.QueueMessage, reply: func.Out[str]) -> None:
        with processing(tool.input_queue, call, ours=False):
            text = await answer(tool, delivery(call), current())
        if text is not None:
            reply.set(text)


def delivery(message: func.QueueMessage) -> Delivery:
    return Delivery(message.id or "", message.get_body(), message.insertion_time, message.dequeue_count or 1)


for each in TOOLS:
    register(each)


@bp.function_name("tools_sweep")
@bp.timer_trigger(arg_name="timer", schedule="*/15 * * * * *", run_on_startup=False)
async def tools_sweep(timer: func.TimerRequest) -> None:
    worker = configured()
    taken = await sweep.answer_poison(TOOLS, worker) if worker else 0
    if taken:
        logging.getLogger("tools.sweep").warning("poison_messages=%d", taken)


@bp.function_name("tools_purge")
@bp.timer_trigger(arg_name="timer", schedule="0 7 * * * *", run_on_startup=False)
async def tools_purge(timer: func.TimerRequest) -> None:
    worker = configured()
    gone = await worker.answers.purge(worker.now() - KEPT) if worker else 0
    if gone:
        logging.getLogger("tools.sweep").info("old_answers_purged=%d", gone)
