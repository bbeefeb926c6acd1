"""Is the app well, and if not, what is missing and how to set it."""

from __future__ import annotations

import os
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from core.settings import Settings
from orchestrator.api.persons import SWITCH
from orchestrator.policy.reading import PolicyFile

router = APIRouter(prefix="/api", tags=["health"])


class Missing(BaseModel):
    area: str = Field(description="What does not work without it.")
    setting: str = Field(description="Its name.")
    text: str = Field(description="What is wrong with it and how to set it.")


class Health(BaseModel):
    status: Literal["ok", "misconfigured"] = Field(description="Of the settings, all together.")
    version: str = Field(description="Of the app.")
    problems: list[Missing] = Field(description="Settings that are missing or wrong.")
    off: list[Missing] = Field(default=[], description="Parts that nobody has switched on. All else works.")


OFF = {  # setting: (part, what is missing without it)
    "LINK_SIGNING_KEY": ("links", "202 answers point to /api, which needs the key of the app."),
    "CALLBACK_SIGNING_KEY": ("callbacks", "no callback_url is accepted."),
    "TOKEN_TENANT_ID": ("tokens", "/hooks/alerts is closed; alerts come with the key of the app."),
    "TEAMS_SECURITY_TOKEN": ("teams", "no questions from Teams."),
    "TEAMS_WEBHOOK_URL": ("teams", "cards are lines in the log."),
    "DIGEST_AT": ("digest", "no digest is sent; GET /api/digest makes one."),
    SWITCH: ("persons", "nobody can sign in under /ui: switch on App Service authentication."),
}


@router.get(
    "/health",
    operation_id="health_get",
    summary="Ask whether the app is well",
    response_model=Health,
    responses={503: {"model": Health}},
)
async def health_get() -> JSONResponse:
    """200 when every setting that is needed is there and all are sound, 503 with the list of what is not."""
    problems = Settings.load(os.environ).problems
    listed = [Missing(area=p.area, setting=p.setting, text=p.text) for p in problems]
    listed += policy_problems()
    off = [
        Missing(area=part, setting=setting, text=text)
        for setting, (part, text) in OFF.items()
        if os.environ.get(setting, "").strip().lower() in ("", "false")
    ]
    health = Health(status="misconfigured" if listed else "ok", version="0.1.0", problems=listed, off=off)
    return JSONResponse(health.model_dump(), 503 if listed else 200)


def policy_problems() -> list[Missing]:
    """Of the file as it is now. Until it is mended nobody changes a factory; all else keeps to the last sound one."""
    file = PolicyFile.of(os.environ)
    stopped = file.writable()
    told = [Missing(area="policy", setting="POLICY_FILE", text=text) for text in file.mistakes]
    return [*told, Missing(area="writes", setting="POLICY_FILE", text=stopped)] if stopped else told
