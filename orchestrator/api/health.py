"""Is the app well, and if not, what is missing and how to set it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from core.settings import DESCRIBED, Settings
from core.settings.upstreams import BLOBS
from core.version import running
from orchestrator.audit import services as audit
from orchestrator.doctor.findings import Finding
from orchestrator.policy.reading import PolicyFile

router = APIRouter(prefix="/api", tags=["health"])


class Missing(BaseModel):
    area: str = Field(description="What does not work without it.")
    setting: str = Field(description="Its name.")
    text: str = Field(description="What is wrong with it and how to set it.")


class AuditHealth(BaseModel):
    waiting: int = Field(description="Entries that wait for storage to come back.")
    lost: int = Field(description="Entries that could not be kept.")
    unanchored: int = Field(description="Chains whose last entries have no anchor yet.")
    taken: int = Field(description="Chains that somebody else wrote into: run `verify`.")
    disputed: int = Field(description="Anchors that say something else: run `verify`.")


class Found(BaseModel):
    check: str = Field(description="What was looked at.")
    result: Literal["ok", "warning", "failed", "skipped"] = Field(description="How it is.")
    found: str = Field(description="What was found.")
    why: str = Field(description="Why it matters; empty where all is well.")
    mend: str = Field(description="The command or the step that mends it; empty where there is nothing to mend.")


class Health(BaseModel):
    status: Literal["ok", "misconfigured", "failing"] = Field(
        description="Of the settings, all together; of what was looked at, where it was asked for."
    )
    version: str = Field(description="Of the app; of one from a package with the build: 0.1.0-4b825dc642cb.")
    problems: list[Missing] = Field(description="Settings that are missing or wrong.")
    off: list[Missing] = Field(default=[], description="Parts that nobody has switched on. All else works.")
    audit: AuditHealth = Field(description="The audit trail, as the process that answers knows it.")
    findings: list[Found] = Field(default=[], description="What the doctor found, where it was asked for.")


OFF = tuple(each for each in DESCRIBED if each.part)  # parts that wait for somebody to switch them on


@router.get(
    "/health",
    operation_id="health_get",
    summary="Ask whether the app is well",
    response_model=Health,
    responses={503: {"model": Health}},
)
async def health_get(
    deep: Annotated[
        bool, Query(description="Look at everything the app needs, too: takes up to half a minute, changes nothing.")
    ] = False,
) -> JSONResponse:
    """200 when every setting that is needed is there and all are sound, 503 with the list of what is not.

    `deep` asks the doctor: storage, identities, the agent service, Data Factory, alerts, each with what mends it. Then
    it is 503 too where something fails."""
    settings = Settings.load(os.environ)
    listed = [Missing(area=p.area, setting=p.setting, text=p.text) for p in settings.problems]
    listed += policy_problems()
    off = [
        Missing(area=each.part, setting=each.name, text=each.without)
        for each in OFF
        if each.of(os.environ).lower() in ("", "false")
    ]
    if not settings.has_blobs:
        off.append(Missing(area="audit", setting=BLOBS.name, text=BLOBS.without))
    findings = [Found.model_validate(asdict(each)) for each in await _examined()] if deep else []
    failing = any(each.result == "failed" for each in findings)
    health = Health(
        status="misconfigured" if listed else "failing" if failing else "ok",
        version=running(),
        problems=listed,
        off=off,
        audit=AuditHealth(**asdict(audit.standing())),
        findings=findings,
    )
    return JSONResponse(health.model_dump(), 503 if listed or failing else 200)


async def _examined() -> Sequence[Finding]:
    """Who asks while somebody else's question is under way gets the same answer."""
    from orchestrator.doctor import examination  # with the SDKs that it needs, when it is first asked for

    return await examination.of_app()


def policy_problems() -> list[Missing]:
    """Of the file as it is now. Until it is mended nobody changes a factory; all else keeps to the last sound one."""
    file = PolicyFile.of(os.environ)
    stopped = file.writable()
    told = [Missing(area="policy", setting="POLICY_FILE", text=text) for text in file.mistakes]
    return [*told, Missing(area="writes", setting="POLICY_FILE", text=stopped)] if stopped else told
