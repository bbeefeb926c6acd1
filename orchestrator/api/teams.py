"""The door of Teams' outgoing webhook: a question in, an answer or an acknowledgement within seconds.

Teams waits five seconds and shows nothing but a general error for any other status than 200, so trouble of ours is
told in words, too.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from core.errors import AppError, InvalidArguments, UpstreamUnavailable
from core.settings import Settings
from orchestrator.api.links import provided as provided_links
from orchestrator.links import Links
from orchestrator.runs.record import Run, Session
from orchestrator.services import Services, provided
from orchestrator.teams import replies
from orchestrator.teams.activity import Activity

log = logging.getLogger("api")
router = APIRouter(prefix="/hooks/teams", tags=["teams"])
ACCEPT_SECONDS = 3.5  # for storage to take the question in; Teams hangs up after 5
POSTED_WAIT_SECONDS = 0.5  # where the answer will be posted anyway, nobody is kept waiting for it
ONLY_WAIT_SECONDS = 2.5  # where the reply is the only place for it
ACTIVITY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
LOOK_SECONDS = 0.7  # for storage, after the wait


class Reply(BaseModel):
    type: Literal["message"] = Field(default="message", description="Always so.")
    text: str = Field(description="Markdown for the channel.")


@dataclass(frozen=True)
class Manner:
    """How this installation answers in Teams. `link` makes the address of a run that its reader may open."""

    posted: bool = False  # answers that come later are posted in the channel
    link: Callable[[Run], str] = lambda run: ""

    @property
    def wait_seconds(self) -> float:
        return POSTED_WAIT_SECONDS if self.posted else ONLY_WAIT_SECONDS


async def manner(links: Annotated[Links, Depends(provided_links)]) -> Manner:
    """Without a key that signs links there are none: who asks in Teams has no other."""
    posted = bool(Settings.load(os.environ).teams_webhook_url)
    return Manner(posted, links.run) if links.key else Manner(posted)


@router.post("/messages", operation_id="teams_ask", summary="Answer in Teams", openapi_extra=ACTIVITY)
async def teams_ask(
    request: Request, app: Annotated[Services, Depends(provided)], how: Annotated[Manner, Depends(manner)]
) -> Reply:
    """A question from a Teams channel, as its outgoing webhook sends it. Questions of one thread share a session."""
    asked = Activity.of(parsed(await request.body()))
    if asked.wants_help:
        return Reply(text=replies.HELP)
    began = asyncio.get_running_loop().time()
    try:
        run = await _accepted(app, asked)
    except AppError as exc:
        log.warning("path=%s outcome=told_in_teams code=%s detail=%s", request.url.path, exc.code, exc)
        return Reply(text=replies.trouble(exc.message, exc.hint))
    left = how.wait_seconds - (asyncio.get_running_loop().time() - began)
    run, promised = await _awaited(app, run, max(0.0, left), how.posted)
    link = how.link(run)
    return Reply(text=replies.answer(run, link) if run.ended else replies.acknowledgement(run, link, posted=promised))


def parsed(body: bytes) -> Mapping[str, Any]:
    try:
        activity = json.loads(body)
    except (ValueError, RecursionError):
        activity = None
    if not isinstance(activity, dict):
        raise InvalidArguments("The body is no activity of Teams.", hint="Only Teams' outgoing webhook calls this.")
    return activity


async def _accepted(app: Services, asked: Activity) -> Run:
    """The run of this activity: the same one when Teams sends it again."""
    try:
        async with asyncio.timeout(ACCEPT_SECONDS):
            await app.store.open_session(Session(asked.session, datetime.now(UTC)))
            return await app.intake.ask(asked.question, session_id=asked.session, key=asked.key)
    except TimeoutError:
        raise UpstreamUnavailable("Storage does not answer.", hint="Ask again in a minute.") from None


async def _awaited(app: Services, run: Run, seconds: float, posted: bool) -> tuple[Run, bool]:
    """The run after its wait, and whether its answer was promised. Once it is accepted no trouble may hide that.

    Who ends a run posts its answer if that was promised by then. So after promising it is looked at once more: a run
    that had ended before the promise is answered here."""
    promised = False

    async def look() -> Run:
        return await app.store.load(run.id)

    try:
        async with asyncio.timeout(seconds + LOOK_SECONDS):
            run = await app.signals.until(run.id, look, lambda seen: seen.ended, seconds, for_the_end=True)
            if posted and not run.ended:
                await app.store.promise_answer(run.id)
                promised = True
                run = await look()
    except (AppError, TimeoutError) as exc:
        log.warning("run=%s outcome=wait_broken error=%s", run.id, exc or "too slow")
    return run, promised
