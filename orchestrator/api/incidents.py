"""Incidents: what is wrong, since when, why, and who has it in hand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from core.errors import NotFound
from orchestrator.api.deeds import Trail, on_incident
from orchestrator.api.views import Name
from orchestrator.incidents.desk import Desk
from orchestrator.incidents.record import Entry, Incident, IncidentKind, IncidentState, Repair, RunRef
from orchestrator.incidents.report import markdown
from orchestrator.incidents.services import IncidentServices, provided
from tools_worker.runtime.worker import utc_now

router = APIRouter(prefix="/api/incidents", tags=["incidents"])
App = Annotated[IncidentServices, Depends(provided)]
IncidentId = Annotated[
    str,
    Path(pattern=r"^inc-\d{6}-[0-9a-f]{12}$", description="`id` of an incident.", examples=["inc-202611-3f2a9c01d4e5"]),
]
Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Remark = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
LISTED = timedelta(days=7)


class RunRefView(BaseModel):
    run_id: str = Field(description="Of Data Factory.")
    pipeline: str = Field(description="Which it ran.")
    factory: str = Field(description="Where it ran.")
    ended_at: AwareDatetime | None = Field(default=None, description="When it ended, where that is known.")

    @classmethod
    def of(cls, ref: RunRef) -> RunRefView:
        return cls(**asdict(ref))


class EntryView(BaseModel):
    at: AwareDatetime = Field(description="When it happened.")
    what: str = Field(description="Stable, for programs.", examples=["diagnosed"])
    text: str = Field(description="A sentence for people.")
    who: str = Field(default="", description="Who did it; empty for the app.")

    @classmethod
    def of(cls, entry: Entry) -> EntryView:
        return cls(**asdict(entry))


class IncidentSummary(BaseModel):
    id: str = Field(description="Names the incident in every other call.")
    kind: IncidentKind = Field(description="What sort of trouble it is.")
    status: IncidentState = Field(description="Where it stands.")
    severity: int = Field(ge=0, le=4, description="0 is the worst.")
    severity_reason: str = Field(description="Why it has this severity.")
    title: str = Field(description="What is wrong, in a line.")
    summary: str = Field(description="What is wrong and why, in sentences.")
    factory: str = Field(description="Which factory; empty where it is about none.")
    pipelines: list[str] = Field(description="Whose runs failed.")
    resource: str = Field(description="What they have in common: a store, a runtime.")
    category: str = Field(description="Of the cause, as the diagnosis has it.")
    transience: str = Field(description="transient, permanent or intermittent; empty where unknown.")
    opened_at: AwareDatetime = Field(description="When it was first known.")
    opened_by: str = Field(description="By what it was: an alert, the watcher.")
    last_seen_at: AwareDatetime = Field(description="When it last happened.")
    runs_count: int = Field(description="How many runs failed of it.")
    alerts_count: int = Field(description="How many alerts told of it.")
    acknowledged_by: str = Field(description="Who has it in hand.")
    acknowledged_at: AwareDatetime | None = Field(default=None, description="Since when.")
    assigned_to: str = Field(description="Who is to look after it.")
    resolved_at: AwareDatetime | None = Field(default=None, description="When it was over.")
    resolved_by: str = Field(description="Who resolved it.")
    resolution: str = Field(description="What mended it.")

    @classmethod
    def of(cls, incident: Incident) -> IncidentSummary:
        return cls(**{name: getattr(incident, name) for name in cls.model_fields})


class RepairView(BaseModel):
    playbook: str = Field(description="Which is followed; empty where none fits.")
    over: bool = Field(description="Whether the app does nothing more by itself.")
    attempts: int = Field(description="Reruns that failed again.")
    actions: list[str] = Field(description="The actions of the step being done: see /api/actions/{id}.")
    outcome: str = Field(description="What came of it, in sentences; empty until it is over.")
    suggestion: dict[str, Any] = Field(description="A change that a person has to review; empty for none.")

    @classmethod
    def of(cls, repair: Repair) -> RepairView:
        return cls(
            **{name: getattr(repair, name) for name in ("playbook", "over", "attempts", "outcome")},
            actions=list(repair.actions),
            suggestion=dict(repair.suggestion),
        )


class IncidentView(IncidentSummary):
    runs: list[RunRefView] = Field(description="The innermost runs that failed, newest first.")
    parents: list[RunRefView] = Field(description="Runs that failed only because of these.")
    recovered: list[str] = Field(description="Pipelines that ran well since.")
    diagnosis: dict[str, Any] = Field(description="As POST /api/diagnose gives it; empty until it is made.")
    repair: RepairView | None = Field(default=None, description="What the app does about it by itself.")
    narrative: str = Field(default="", description="The finding in a model's words, where there is one.")
    similar: list[str] = Field(description="Earlier incidents and what mended them, in sentences.")
    timeline: list[EntryView] = Field(description="What happened, oldest first.")
    entries_left_out: int = Field(description="Of the timeline, where it is long.")

    @classmethod
    def of(cls, incident: Incident, narrative: str = "") -> IncidentView:
        plain = {name: getattr(incident, name, narrative) for name in cls.model_fields}
        plain["runs"] = [RunRefView.of(ref) for ref in incident.runs]
        plain["repair"] = RepairView.of(incident.repair) if incident.repair else None
        plain["parents"] = [RunRefView.of(ref) for ref in incident.parents]
        plain["timeline"] = [EntryView.of(entry) for entry in incident.timeline]
        return cls(**plain)


class IncidentsView(BaseModel):
    incidents: list[IncidentSummary] = Field(description="Newest first.")


class Deed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: Person = Field(description="Who does it: shown on the timeline.", examples=["ana@contoso.com"])


class AcknowledgeBody(Deed):
    comment: Remark | None = Field(default=None, description="Shown on the timeline.")


class AssignBody(Deed):
    to: Person = Field(description="Who is to look after it.", examples=["data-platform@contoso.com"])


class CommentBody(Deed):
    text: Remark = Field(description="Shown on the timeline.")


class ResolveBody(Deed):
    resolution: Remark = Field(description="What mended it: shown when the same happens again.")


@router.get("", operation_id="incidents_list", summary="List incidents")
async def incidents_list(
    app: App,
    state: Annotated[Literal["active", "all"], Query(description="`active`: those that are not over.")] = "active",
    since: Annotated[AwareDatetime | None, Query(description="Opened since; of `all` seven days.")] = None,
    factory: Annotated[Name | None, Query(description="Of this factory.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = 100,
) -> IncidentsView:
    """What is wrong now, or what was, newest first."""
    if state == "active":
        found = [each for each in await app.incidents.active() if since is None or each.opened_at >= since]
    else:
        found = await app.incidents.listed(since or utc_now() - LISTED, limit=limit)
    chosen = [each for each in found if not factory or each.factory.casefold() == factory.casefold()]
    return IncidentsView(incidents=[IncidentSummary.of(each) for each in chosen[:limit]])


@router.get("/{incident_id}", operation_id="incidents_get", summary="Get an incident")
async def incidents_get(incident_id: IncidentId, app: App) -> IncidentView:
    """All that is known of it: diagnosis, runs, timeline, earlier incidents like it."""
    incident = await app.incidents.load(incident_id)
    return IncidentView.of(incident, await narrative(app, incident))


@router.get(
    "/{incident_id}/report",
    operation_id="incidents_report",
    summary="Get an incident as a report",
    response_class=PlainTextResponse,
)
async def incidents_report(incident_id: IncidentId, app: App) -> PlainTextResponse:
    """Markdown, ready to paste into a ticket. As JSON, the incident itself is the report."""
    report = markdown(await app.incidents.load(incident_id))
    # Plain text is what a browser shows, when somebody follows the link of a card.
    return PlainTextResponse(report, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


@router.post("/{incident_id}/acknowledge", operation_id="incidents_acknowledge", summary="Take an incident up")
async def incidents_acknowledge(
    incident_id: IncidentId, body: AcknowledgeBody, app: App, trail: Trail, request: Request
) -> IncidentView:
    """Somebody has it in hand: it escalates no further."""
    incident = await desk(app).acknowledge(incident_id, body.by, body.comment or "")
    return IncidentView.of(
        await on_incident(trail, request.state.caller, "Taken up", incident, by=body.by, comment=body.comment)
    )


@router.post("/{incident_id}/assign", operation_id="incidents_assign", summary="Hand an incident on")
async def incidents_assign(
    incident_id: IncidentId, body: AssignBody, app: App, trail: Trail, request: Request
) -> IncidentView:
    """Say who is to look after it."""
    incident = await desk(app).assign(incident_id, body.by, body.to)
    return IncidentView.of(
        await on_incident(trail, request.state.caller, "Handed on", incident, by=body.by, to=body.to)
    )


@router.post("/{incident_id}/comment", operation_id="incidents_comment", summary="Remark on an incident")
async def incidents_comment(
    incident_id: IncidentId, body: CommentBody, app: App, trail: Trail, request: Request
) -> IncidentView:
    """Add a line to its timeline."""
    incident = await desk(app).comment(incident_id, body.by, body.text)
    return IncidentView.of(
        await on_incident(trail, request.state.caller, "Remarked on", incident, by=body.by, text=body.text)
    )


@router.post("/{incident_id}/resolve", operation_id="incidents_resolve", summary="Close an incident")
async def incidents_resolve(
    incident_id: IncidentId, body: ResolveBody, app: App, trail: Trail, request: Request
) -> IncidentView:
    """It is over, and this is what mended it."""
    incident = await desk(app).resolve(incident_id, body.by, body.resolution)
    return IncidentView.of(
        await on_incident(trail, request.state.caller, "Closed", incident, by=body.by, resolution=body.resolution)
    )


def desk(app: IncidentServices) -> Desk:
    return Desk(app.incidents, utc_now)


async def narrative(app: IncidentServices, incident: Incident) -> str:
    """Empty until the agents have answered."""
    if not incident.narrative_run:
        return ""
    try:
        run = await app.runs.load(incident.narrative_run)
    except NotFound:
        return ""
    return run.answer if run.status == "done" else ""
