"""What persons do: decide on actions, take up and close incidents. Each with the name that the platform vouches for."""

from __future__ import annotations

from pathlib import Path as File
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from core.errors import NotFound
from orchestrator.actions.deciding import Decider
from orchestrator.actions.services import ActionServices
from orchestrator.actions.services import provided as actions_provided
from orchestrator.api.actions import ActionId, ActionView, Person
from orchestrator.api.callers import Caller
from orchestrator.api.deeds import Trail, on_incident
from orchestrator.api.incidents import App as Incidents
from orchestrator.api.incidents import IncidentId, IncidentView, Remark, desk
from orchestrator.api.incidents import Person as Somebody

readers = APIRouter(prefix="/ui", tags=["persons"])  # and whoever the policy lets decide
operators = APIRouter(prefix="/ui", tags=["persons"])
App = Annotated[ActionServices, Depends(actions_provided)]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
WEB = File(__file__).resolve().parents[1] / "web"
PAGES = {"approval.css": "text/css", "approval.js": "text/javascript"}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class DecisionBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "decline", "withdraw"] = Field(description="`withdraw`: take back what one did.")
    digest: str = Field(
        pattern="^[0-9a-f]{64}$", description="Of the action as it was shown: a yes is to exactly that."
    )
    comment: Comment = Field(default="", description="Shown with the decision.")


class TakeUpBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    comment: Remark | None = Field(default=None, description="Shown on the timeline.")


class HandOnBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: Somebody = Field(description="Who is to look after it.", examples=["data-platform@contoso.com"])


class RemarkBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Remark = Field(description="Shown on the timeline.")


class CloseBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    resolution: Remark = Field(description="What mended it: shown when the same happens again.")


@readers.get(
    "/approvals/{action_id}",
    operation_id="persons_page",
    summary="The page on which to decide",
    response_class=HTMLResponse,
)
async def persons_page(action_id: ActionId) -> HTMLResponse:
    """Looking at it decides nothing."""
    return HTMLResponse((WEB / "approval.html").read_bytes(), headers=HEADERS)


@readers.get("/web/{name}", include_in_schema=False)
async def persons_file(name: Annotated[str, Path(description="Which.", examples=["approval.js"])]) -> Response:
    """Its script and its style."""
    if name not in PAGES:
        raise NotFound(f"There is no file {name[:60]!r}.", hint="The page names those that there are.")
    return Response((WEB / name).read_bytes(), media_type=PAGES[name], headers=HEADERS)


@readers.get("/actions/{action_id}", operation_id="persons_action", summary="Get an action, as a person")
async def persons_action(action_id: ActionId, app: App) -> ActionView:
    """What the page shows."""
    return ActionView.of(await app.store.load(action_id))


@readers.post("/approvals/{action_id}", operation_id="persons_decide", summary="Decide on an action")
async def persons_decide(action_id: ActionId, body: DecisionBody, app: App, person: Person) -> ActionView:
    """Yes or no to exactly what was shown. Who may decide, and how many have to, the policy says."""
    decide = {"approve": app.desk.approve, "decline": app.desk.decline}.get(body.decision)
    if decide is None:
        return ActionView.of(await app.desk.withdraw(action_id, decider(person), body.comment))
    return ActionView.of(await decide(action_id, decider(person), body.digest, body.comment))


@operators.post("/incidents/{incident_id}/acknowledge", operation_id="persons_take_up", summary="Take an incident up")
async def persons_take_up(
    incident_id: IncidentId, body: TakeUpBody, app: Incidents, trail: Trail, person: Person
) -> IncidentView:
    """It escalates no further."""
    incident = await desk(app).acknowledge(incident_id, person.name, body.comment or "")
    return IncidentView.of(await on_incident(trail, person, "Taken up", incident, comment=body.comment))


@operators.post("/incidents/{incident_id}/assign", operation_id="persons_hand_on", summary="Hand an incident on")
async def persons_hand_on(
    incident_id: IncidentId, body: HandOnBody, app: Incidents, trail: Trail, person: Person
) -> IncidentView:
    """Say who is to look after it."""
    incident = await desk(app).assign(incident_id, person.name, body.to)
    return IncidentView.of(await on_incident(trail, person, "Handed on", incident, to=body.to))


@operators.post("/incidents/{incident_id}/comment", operation_id="persons_remark", summary="Remark on an incident")
async def persons_remark(
    incident_id: IncidentId, body: RemarkBody, app: Incidents, trail: Trail, person: Person
) -> IncidentView:
    """Add a line to its timeline."""
    incident = await desk(app).comment(incident_id, person.name, body.text)
    return IncidentView.of(await on_incident(trail, person, "Remarked on", incident, text=body.text))


@operators.post("/incidents/{incident_id}/resolve", operation_id="persons_close", summary="Close an incident")
async def persons_close(
    incident_id: IncidentId, body: CloseBody, app: Incidents, trail: Trail, person: Person
) -> IncidentView:
    """It is over, and this is what mended it."""
    incident = await desk(app).resolve(incident_id, person.name, body.resolution)
    return IncidentView.of(await on_incident(trail, person, "Closed", incident, resolution=body.resolution))


def decider(person: Caller) -> Decider:
    return Decider(person.name, person.id, person.roles)
