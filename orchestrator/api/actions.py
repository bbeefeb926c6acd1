"""Actions: what may be done about a failure, who has to agree, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from orchestrator.actions.proposing import Considered, Origin
from orchestrator.actions.record import Action, ActionState, Approval, Entry, Requester
from orchestrator.actions.services import ActionServices, provided
from orchestrator.api.callers import Caller
from orchestrator.api.persons import signed_in
from orchestrator.api.policy import VerdictView
from orchestrator.api.views import Name
from orchestrator.runs.record import new_id
from tools_worker.datafactory.masking import mask, mask_value
from tools_worker.datafactory.operations.model import Operation, OperationKind, Repeatable, Risk
from tools_worker.runtime.worker import utc_now

router = APIRouter(prefix="/api", tags=["actions"])
ui = APIRouter(prefix="/ui", tags=["persons"])
App = Annotated[ActionServices, Depends(provided)]
Person = Annotated[Caller, Depends(signed_in)]
ACTION_ID = "A-202611-3f2a9c01d4e57b6a"
ActionId = Annotated[
    str, Path(pattern=r"^A-\d{6}-[0-9a-f]{16}$", description="`id` of an action.", examples=[ACTION_ID])
]
Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Key = Annotated[str, Header(max_length=200, description="Your own name for this proposal, such as a GUID.")]
LISTED = timedelta(days=7)


class OperationBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: OperationKind = Field(description="What is to be done.")
    factory: Name | None = Field(default=None, description="In which factory; may be left out where there is one.")
    arguments: dict[str, Any] = Field(
        default={},
        description=(
            "By kind. rerun: run_id, mode (whole, from_failure, from_activity), activity. cancel: run_id, recursive. "
            "run_pipeline: pipeline, parameters. start_trigger, stop_trigger: trigger. rerun_window: trigger, "
            "trigger_run_id. pause_schedule: pipeline, minutes. resume_schedule: pipeline, triggers."
        ),
        examples=[{"run_id": "7c6f1d0a-2e4b-4c8e-9d3f-1a2b3c4d5e6f", "mode": "from_failure"}],
    )


class ProposeBody(OperationBody):
    why: Why = Field(default="", description="Shown to whoever decides.")
    incident_id: Name = Field(default="", description="The incident that it is for.")


class EntryView(BaseModel):
    at: AwareDatetime = Field(description="When it happened.")
    what: str = Field(description="Stable, for programs.", examples=["approved"])
    text: str = Field(description="A sentence for people.")
    who: str = Field(description="Who did it; empty for the app.")

    @classmethod
    def of(cls, entry: Entry) -> EntryView:
        return cls(at=entry.at, what=entry.what, text=mask(entry.text), who=entry.who)


class ApprovalView(BaseModel):
    at: AwareDatetime = Field(description="When.")
    by: str = Field(description="Who approved it.")
    comment: str = Field(description="What they said with it.")

    @classmethod
    def of(cls, approval: Approval) -> ApprovalView:
        return cls(at=approval.at, by=approval.by, comment=mask(approval.comment))


class ActionView(BaseModel):
    id: str = Field(description="Names the action in every other call.", examples=[ACTION_ID])
    state: ActionState = Field(description="Where it stands.")
    title: str = Field(description="What is to be done, in a line.")
    effects: list[str] = Field(description="What would happen, in sentences.")
    facts: dict[str, str] = Field(description="The state of things that it rests on; approvals are for it alone.")
    risk: Risk = Field(description="What could go wrong with it.")
    kind: OperationKind = Field(description="What sort of change it is.")
    factory: str = Field(description="In which factory.")
    pipeline: str = Field(description="About which pipeline; empty for none.")
    arguments: dict[str, Any] = Field(description="As they will be sent; what looks like a secret is masked here.")
    why: str = Field(description="Why somebody wants it.")
    requested_by: str = Field(description="Who proposed it.")
    rule: str = Field(description="The rule of the policy that decided; empty for none.")
    rule_why: str = Field(description="Its reason.")
    approvals_needed: int = Field(description="How many persons have to agree.")
    roles: list[str] = Field(description="Whoever agrees has one of these.")
    four_eyes: bool = Field(description="Whether whoever proposed it does not count.")
    expires_at: AwareDatetime | None = Field(default=None, description="After that the answer is no.")
    approvals: list[ApprovalView] = Field(description="Who has agreed.")
    digest: str = Field(description="Of the action and the facts: a decision names what it is about by it.")
    incident_id: str = Field(description="The incident that it is for; empty for none.")
    question_run: str = Field(description="The question in which it was proposed; empty for none.")
    created_at: AwareDatetime = Field(description="When it was proposed.")
    not_before: AwareDatetime | None = Field(default=None, description="It is not begun before: the end of a pause.")
    ended_at: AwareDatetime | None = Field(default=None, description="When it was over.")
    outcome: str = Field(description="What became of it, in sentences; empty until it is over.")
    started_run: str = Field(description="The run that it started, by Data Factory's id.")
    started_status: str = Field(description="How that run stands or ended.")
    timeline: list[EntryView] = Field(description="What happened, oldest first.")

    @classmethod
    def of(cls, action: Action) -> ActionView:
        plan, terms = action.plan, action.terms
        return cls(
            **{name: getattr(action, name) for name in _SAME},
            **{name: getattr(plan, name) for name in ("title", "risk", "pipeline", "digest")},
            effects=list(plan.effects),
            facts=dict(plan.facts),
            kind=plan.operation.kind,
            factory=plan.factory_name,
            why=mask(action.why),
            outcome=mask(action.outcome),
            arguments=mask_value(plan.operation.arguments),
            requested_by=action.requester.name,
            approvals_needed=terms.approvals,
            roles=list(terms.roles),
            four_eyes=terms.four_eyes,
            expires_at=terms.expires_at,
            approvals=[ApprovalView.of(each) for each in action.approvals],
            question_run=action.run_id,
            timeline=[EntryView.of(each) for each in action.timeline],
        )


_SAME = (
    *("id", "state", "rule", "rule_why", "incident_id", "created_at", "not_before", "ended_at"),
    *("started_run", "started_status"),
)


class ActionsView(BaseModel):
    actions: list[ActionView] = Field(description="Newest first.")


class PreviewView(BaseModel):
    title: str = Field(description="What would be done, in a line.")
    effects: list[str] = Field(description="What would happen, in sentences.")
    facts: dict[str, str] = Field(description="The state of things that it rests on.")
    risk: Risk = Field(description="What could go wrong with it.")
    refusal: str = Field(description="Why it must not be done now; empty where it may.")
    repeatable: Repeatable = Field(description="May what it starts be done twice without harm to the data?")
    verdict: VerdictView = Field(description="What the policy says of it.")

    @classmethod
    def of(cls, found: Considered) -> PreviewView:
        plan = found.plan
        return cls(
            **{name: getattr(plan, name) for name in ("title", "risk", "refusal", "repeatable")},
            effects=list(plan.effects),
            facts=dict(plan.facts),
            verdict=VerdictView.of(found.verdict, utc_now()),
        )


@router.post("/preview", operation_id="actions_preview", summary="See what an action would do")
async def actions_preview(body: OperationBody, app: App, request: Request) -> PreviewView:
    """A dry run: what would happen, by the state of things now, and what the policy says of it. Nothing is kept."""
    requester = requester_of(request.state.caller)
    return PreviewView.of(await app.proposer.consider(await operation(body, app), requester))


@router.post("/actions", operation_id="actions_propose", summary="Propose an action", status_code=201)
async def actions_propose(body: ProposeBody, app: App, request: Request, idempotency_key: Key = "") -> ActionView:
    """It is judged by the policy: done at once, kept for approval, or denied. Look at `state`, and at it again later.

    With an `Idempotency-Key` the same proposal sent again is the same action."""
    return await proposed(body, app, requester_of(request.state.caller), idempotency_key)


@router.get("/actions", operation_id="actions_list", summary="List actions")
async def actions_list(
    app: App,
    state: Annotated[Literal["active", "all"], Query(description="`active`: those that are not over.")] = "active",
    since: Annotated[AwareDatetime | None, Query(description="Proposed since; seven days back otherwise.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = 100,
) -> ActionsView:
    """What is being done, waits for somebody, or was done, newest first."""
    found = await app.store.active() if state == "active" else await app.store.listed(_since(since), limit=limit)
    chosen = [each for each in found if since is None or each.created_at >= since]
    return ActionsView(actions=[ActionView.of(each) for each in chosen[:limit]])


@router.get("/approvals", operation_id="approvals_list", summary="List what waits for approval")
async def approvals_list(app: App) -> ActionsView:
    """Persons decide on the page /ui/approvals/{id}, where they are signed in."""
    waiting = [each for each in await app.store.active() if each.state == "waiting"]
    return ActionsView(actions=[ActionView.of(each) for each in waiting])


@router.get("/actions/{action_id}", operation_id="actions_get", summary="Get an action")
async def actions_get(action_id: ActionId, app: App) -> ActionView:
    """All that is known of it: what it does, who decided, what became of it."""
    return ActionView.of(await app.store.load(action_id))


@ui.post("/actions", operation_id="persons_propose", summary="Propose an action as a person", status_code=201)
async def persons_propose(body: ProposeBody, app: App, person: Person, idempotency_key: Key = "") -> ActionView:
    """As POST /api/actions, with a name on it: four eyes can then be counted."""
    return await proposed(body, app, requester_of(person), idempotency_key)


async def proposed(body: ProposeBody, app: ActionServices, requester: Requester, key: str) -> ActionView:
    if body.incident_id:
        await app.desk.telling.incidents.load(body.incident_id)  # raises NotFound: it would hear of nothing
    origin = Origin(key or new_id("proposal"), body.why, body.incident_id)
    return ActionView.of(await app.proposer.propose(await operation(body, app), requester, origin))


async def operation(body: OperationBody, app: ActionServices) -> Operation:
    factory = await app.proposer.factories.get(body.factory)
    return Operation(body.kind, factory.id.path, body.arguments)


def requester_of(caller: Caller) -> Requester:
    if caller.kind == "person":
        return Requester("person", caller.name, caller.id, tuple(sorted(caller.roles)), "ui")
    return Requester("key", "somebody with the function key")


def _since(since: AwareDatetime | None) -> AwareDatetime:
    return since or utc_now() - LISTED
