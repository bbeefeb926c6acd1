"""Questions asked by waiting: the HTTP Webhook action of Logic Apps subscribes, is called back once, and unsubscribes.

A subscription is a run. Its callback address, which a workflow makes anew for each wait, is its name: subscribing again
with the same address is the same subscription.
"""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from core.settings import Settings
from orchestrator.api.ask import App, Linking, RunId
from orchestrator.api.views import CallbackUrl, Id, Name, Question, RunView
from orchestrator.notify.addresses import checked
from orchestrator.runs.intake import run_id_for

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])
links = APIRouter(prefix="/hooks/subscriptions", tags=["links"])


class SubscribeBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: Question = Field(description="In plain words.", examples=["What failed in the last 24 hours, and why?"])
    callback_url: Annotated[CallbackUrl, Field(description="Called once with the run, when it has ended.")]
    session_id: Id | None = Field(default=None, description="Continue this session: earlier questions are remembered.")
    factory: Name | None = Field(default=None, description="Ask about this factory.")


class UnsubscribeBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    callback_url: Annotated[CallbackUrl, Field(description="The address that was given to subscribe.")]


@router.post(
    "", operation_id="subscriptions_create", summary="Ask and be called back", status_code=201, response_model=RunView
)
async def subscriptions_create(body: SubscribeBody, app: App, linking: Linking) -> JSONResponse:
    """Ask, and be called back. `Location` is where to DELETE to unsubscribe."""
    url = checked(body.callback_url, Settings.load(os.environ), os.environ)
    run = await app.intake.ask(
        body.question, session_id=body.session_id or "", factory=body.factory or "", key=_key(url), callback_url=url
    )
    view = RunView.of(run).model_dump(mode="json", exclude_none=True)
    return JSONResponse(view, 201, {"Location": linking.subscription(run)})


@router.post(
    "/cancel", operation_id="subscriptions_cancel", summary="Unsubscribe by the callback address", status_code=204
)
async def subscriptions_cancel(body: UnsubscribeBody, app: App) -> Response:
    """Unsubscribe by the callback address: the run is stopped, nobody is called. Well, too, where there is none."""
    return await subscriptions_delete(run_id_for(_key(body.callback_url)), app)


@links.delete(
    "/{run_id}", operation_id="links_subscription_delete", summary="Unsubscribe, by a signed link", status_code=204
)
@router.delete("/{run_id}", operation_id="subscriptions_delete", summary="Unsubscribe", status_code=204)
async def subscriptions_delete(run_id: RunId, app: App) -> Response:
    """Unsubscribe: the run is stopped, nobody is called. Well, too, where there is none any more."""
    await app.intake.withdraw(run_id)
    return Response(status_code=204)


def _key(callback_url: str) -> str:
    return f"subscription {callback_url}"
