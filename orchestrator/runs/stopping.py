"""Stops what was begun in the agent service for a run that ends without an answer."""

from __future__ import annotations

import asyncio
import logging

from core.errors import AppError
from orchestrator.foundry.port import AgentService, TurnRef
from orchestrator.runs.record import Run

log = logging.getLogger("runs")
STOP_SECONDS = 10.0  # the end of a question does not wait longer for a service that does not answer
LOOKS_SECONDS = (0.0, 1.0, 3.0)  # a start that was under way a moment ago may show only now


async def stop_agents(service: AgentService, run: Run, *, just_begun: bool = False) -> bool:
    """Cancel the agent run of `run`, with those of its sub-agents. False where that failed: they may still work.

    Without its id in the record it is looked for by its key; more than once where its start is `just_begun`, for what
    the service took in and did not yet answer shows late.
    """
    if not run.conversation:
        return True
    try:
        async with asyncio.timeout(STOP_SECONDS):
            known = TurnRef(run.conversation, run.agent_run) if run.agent_run else None
            started = known or await _found(service, run, LOOKS_SECONDS if just_begun else LOOKS_SECONDS[:1])
            if started:
                await service.cancel(started)
    except (AppError, TimeoutError) as exc:
        log.warning("run=%s outcome=cancel_failed error=%s", run.id, exc)
        return False
    return True


async def _found(service: AgentService, run: Run, looks: tuple[float, ...]) -> TurnRef | None:
    for pause in looks:
        await asyncio.sleep(pause)
        if started := await service.find(run.conversation, run.id):
            return started
    return None
