"""Questions and the runs that answer them."""

from __future__ import annotations

import logging
import os
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import JSONResponse

from core.errors import UpstreamError
from core.settings import Settings
from orchestrator.api.examples import RUN_ID
from orchestrator.api.links import provided as links_provided
from orchestrator.api.views import AskBody, EventsView, EventView, RunView
from orchestrator.links import Links
from orchestrator.notify.addresses import checked
from orchestrator.runs.record import Event, Run
from orchestrator.services import Services, provided

log = logging.getLogger("api")
router = APIRouter(prefix="/api", tags=["runs"])
RETRY_AFTER_SECONDS = 2
App = Annotated[Services, Depends(provided)]
Linking = Annotated[Links, Depends(links_provided)]
RunId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$", description="`run_id` of the answer to the question.", examples=[RUN_ID])
]
Key = Annotated[str, Header(max_length=200, description="Your own name for this question, such as a GUID.")]
WORKING: dict[int | str, dict[str, object]] = {
    202: {"model": RunView, "description": "Not answered yet: poll Location."}
}


@router.post("/ask", operation_id="runs_ask", summary="Ask a question", response_model=RunView, responses=WORKING)
async def runs_ask(body: AskBody, app: App, links: Linking, idempotency_key: Key = "") -> JSONResponse:
    """Ask a question. 200 with the answer when it is ready within `wait_seconds`, else 202 with where to look.

    With an `Idempotency-Key` the same question sent again is the same run: safe to repeat after a lost answer."""
    callback_url = checked(body.callback_url, Settings.load(os.environ), os.environ) if body.callback_url else ""
    run = await app.intake.ask(
        body.question,
        session_id=body.session_id or "",
        factory=body.factory or "",
        key=idempotency_key,
        callback_url=callback_url,
        allow_actions=body.allow_actions,
    )
    return answer(await _waited(app, run, body.wait_seconds), links)


async def _waited(app: Services, run: Run, seconds: float) -> Run:
    """The run after its wait. Once it is accepted, no trouble in looking may hide where to look later."""
    try:
        if seconds:
            run = await app.signals.until(
                run.id, lambda: app.store.load(run.id), lambda seen: seen.ended, seconds, for_the_end=True
            )
        return run
    except UpstreamError as exc:
        log.warning("run=%s outcome=wait_broken error=%s", run.id, exc)
        return run


@router.get(
    "/runs/{run_id}",
    operation_id="runs_get",
    summary="Get a run and its answer",
    response_model=RunView,
    responses=WORKING,
)
async def runs_get(run_id: RunId, app: App, links: Linking) -> JSONResponse:
    """202 while the run is working, 200 when it has ended, however it ended: look at `status`."""
    return answer(await app.store.load(run_id), links)


@router.get("/runs/{run_id}/events", operation_id="runs_events", summary="Follow a run")
async def runs_events(
    run_id: RunId,
    app: App,
    after: Annotated[int, Query(ge=0, description="Events with a higher number.")] = 0,
    wait_seconds: Annotated[float, Query(ge=0, le=110, description="Wait this long for news.")] = 20,
) -> EventsView:
    """What happened in a run after event number `after`. Waits for news, so ask again at once with the new `last`."""

    async def look() -> tuple[Run, list[Event]]:
        run = await app.store.load(run_id)  # before its events: an ended run has no later ones
        return run, await app.store.events(run_id, after)

    run, events = await app.signals.until(run_id, look, lambda seen: seen[0].ended or bool(seen[1]), wait_seconds)
    last = events[-1].seq if events else after
    return EventsView(
        events=[EventView.of(event) for event in events], last=last, ended=run.ended and last >= run.events
    )


@router.post(
    "/runs/{run_id}/cancel", operation_id="runs_cancel", summary="Stop a run", response_model=RunView, responses=WORKING
)
async def runs_cancel(run_id: RunId, app: App, links: Linking) -> JSONResponse:
    """Ask a run to stop. 202 while it is stopping; an ended run stays as it ended."""
    return answer(await app.intake.cancel(run_id), links)


def answer(run: Run, links: Links) -> JSONResponse:
    view = RunView.of(run).model_dump(mode="json", exclude_none=True)
    if run.ended:
        return JSONResponse(view)
    return JSONResponse(view, 202, {"Location": links.run(run), "Retry-After": str(RETRY_AFTER_SECONDS)})
