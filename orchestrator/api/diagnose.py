"""The diagnosis itself, with no model involved."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from core.errors import AppError, InvalidArguments, UpstreamUnavailable
from orchestrator.api.deeds import Trail, diagnosed
from orchestrator.api.views import DiagnoseBody
from orchestrator.notify.cards.diagnosis import diagnosis_card
from orchestrator.notify.channel import provided as channel_provided
from orchestrator.notify.port import Notifier
from tools_worker.datafactory.diagnosis import Window, diagnose_request
from tools_worker.datafactory.diagnosis.record import Diagnosis
from tools_worker.datafactory.masking import mask_value
from tools_worker.datafactory.period import between
from tools_worker.runtime.worker import Worker, provided

router = APIRouter(prefix="/api", tags=["diagnosis"])
Channel = Annotated[Notifier, Depends(channel_provided)]
MAX_SECONDS = 100.0  # callers such as Power Automate hang up after 120


@router.post("/diagnose", operation_id="diagnosis_make", summary="Diagnose a failure")
async def diagnosis_make(
    body: DiagnoseBody, hands: Annotated[Worker, Depends(provided)], channel: Channel, trail: Trail, request: Request
) -> dict[str, Any]:
    """Why a run failed: by run id, the latest failed run of a pipeline, or what failed in the window of an alert.

    With `post` the channel gets it as a card, too."""
    outcome = "error: internal_error"
    try:
        diagnosis = await _diagnosis(body, hands)
        outcome = diagnosis.outcome
    except AppError as exc:
        outcome = f"error: {exc.code}"
        raise
    finally:
        await diagnosed(trail, request.state.caller, body.model_dump(exclude_defaults=True), outcome)
    plain: dict[str, Any] = mask_value({"summary": diagnosis.summary(), **diagnosis.as_data()})
    if body.post:
        await channel.send(diagnosis_card(plain))
    return plain


async def _diagnosis(body: DiagnoseBody, hands: Worker) -> Diagnosis:
    if not (body.run_id or body.pipeline or body.since or body.until):
        raise InvalidArguments(
            "Name a run or a pipeline.",
            hint="Give run_id, pipeline for its latest failed run, or since and until where an alert names neither.",
        )
    now = hands.now()
    dated = between(body.since or "", body.until or "", body.timezone or "", now) if body.since or body.until else None
    try:
        async with asyncio.timeout(min(MAX_SECONDS, hands.tool_deadline_seconds)):
            return await diagnose_request(
                hands.factories,
                run_id=body.run_id,
                pipeline=body.pipeline,
                factory=body.factory,
                window=Window.of(dated, now),
                now=now,
            )
    except TimeoutError:
        raise UpstreamUnavailable("Data Factory took too long to answer.", hint="Try again in a minute.") from None
