"""Is the app well, and if not, what is missing and how to set it."""

from __future__ import annotations

import os
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from core.settings import Settings

router = APIRouter(prefix="/api", tags=["health"])


class Missing(BaseModel):
    area: str
    setting: str
    text: str


class Health(BaseModel):
    status: Literal["ok", "misconfigured"]
    version: str
    problems: list[Missing]


@router.get("/health", operation_id="health_get", response_model=Health, responses={503: {"model": Health}})
async def health_get() -> JSONResponse:
    """200 when every setting is there and sound, 503 with the list of what is not."""
    problems = Settings.load(os.environ).problems
    listed = [Missing(area=p.area, setting=p.setting, text=p.text) for p in problems]
    health = Health(status="misconfigured" if listed else "ok", version="0.1.0", problems=listed)
    return JSONResponse(health.model_dump(), 503 if listed else 200)
