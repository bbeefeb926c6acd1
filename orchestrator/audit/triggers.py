"""The Functions that keep the audit trail: its ends anchored, its days exported, old ones dropped."""

import logging

import azure.functions as func

from orchestrator.audit import services

bp = func.Blueprint()


@bp.function_name("audit_anchor")
@bp.timer_trigger(arg_name="timer", schedule="45 */10 * * * *", run_on_startup=False)
async def audit_anchor(timer: func.TimerRequest) -> None:
    current = services.configured()
    if current and current.keeper and (anchored := await current.keeper.anchor()):
        logging.getLogger("audit").info("anchored=%d", anchored)


@bp.function_name("audit_keep")
@bp.timer_trigger(arg_name="timer", schedule="30 35 * * * *", run_on_startup=False)
async def audit_keep(timer: func.TimerRequest) -> None:
    current = services.configured()
    if current and current.keeper:
        exported, dropped = await current.keeper.export(), await current.keeper.drop()
        if exported or dropped:
            logging.getLogger("audit").info("exported=%d dropped=%d", exported, dropped)
