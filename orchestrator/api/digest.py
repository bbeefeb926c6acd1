"""The digest, whenever somebody asks for it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field

from orchestrator.api import problems
from orchestrator.api.views import Name
from orchestrator.digest.editions import LENGTH, Span
from orchestrator.digest.services import DigestServices, provided
from orchestrator.notify.cards.digest import Digest, digest_card
from tools_worker.datafactory.masking import mask_value

router = APIRouter(prefix="/api", tags=["digest"])
App = Annotated[DigestServices, Depends(provided)]
Length = Literal["day", "week"]
SPANS: dict[Length, Span] = {"day": "daily", "week": "weekly"}
MAX_SECONDS = 90.0  # callers such as Power Automate hang up after 120
STRANGER = problems.problem(404, "not_found", "No data factory named 'adf-pro'.", hint="Closest: 'adf-prod'.")
UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {
        "description": "There is no such factory.",
        "content": {
            problems.MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": STRANGER.model_dump(),
            }
        },
    }
}


class DigestView(BaseModel):
    text: str = Field(description="All of it that matters, ready to be sent on.")
    since: AwareDatetime = Field(description="Where the period begins.")
    until: AwareDatetime = Field(description="Where it ends.")
    factories: list[str] = Field(description="Those that answered, which all figures are about.")
    silent: list[str] = Field(description="Those that gave no answer; `gaps` has the reasons.")
    runs: int | None = Field(description="Pipeline runs that ended in the period; null where nobody answered.")
    failed: int | None = Field(description="How many of them failed.")
    cancelled: int = Field(description="How many of them were cancelled.")
    exact: bool = Field(description="False where there were more runs than are read.")
    runs_before: int | None = Field(description="Of the week before; null for a day, or where that is not known.")
    failed_before: int | None = Field(description="Of the week before, too.")
    incidents_opened: int = Field(description="In the period.")
    incidents_open: int = Field(description="Not over now, whenever they opened.")
    failures: list[str] = Field(description="What failed, why, and how it stands; the worst first.")
    slower: list[str] = Field(description="Pipelines that took longer than is usual for them.")
    at_risk: list[str] = Field(description="Incidents that nobody has taken up.")
    cost: str = Field(description="At list price, and from how many runs that is reckoned.")
    gaps: list[str] = Field(description="What could not be looked at, and why.")

    @classmethod
    def of(cls, digest: Digest) -> DigestView:
        plain = {**asdict(digest), "text": digest_card(digest).text}
        return cls(**mask_value({name: plain[name] for name in cls.model_fields}))


@router.get("/digest", operation_id="digest_get", summary="Get the digest of a day or a week", responses=UNKNOWN)
async def digest_get(
    app: App,
    period: Annotated[Length, Query(description="Up to now; a week is compared with the week before.")] = "day",
    factory: Annotated[Name | None, Query(description="Of this factory alone.")] = None,
) -> DigestView:
    """What failed and why, what is slower, what it cost, what is at risk. It takes up to a minute and a half."""
    span, now = SPANS[period], app.editor.now()
    made = await app.editor.make(span, now - LENGTH[span], now, seconds=MAX_SECONDS, factory=factory)
    return DigestView.of(made)
