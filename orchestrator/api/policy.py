"""Policy, asked what it would say."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from orchestrator.policy.reading import PolicyFile
from orchestrator.policy.rules import CallerKind, Case, Category, Effect, Limit, Passed, Role, Terms, Verdict
from tools_worker.datafactory.failures.consequences import Transience
from tools_worker.datafactory.failures.rules import Confidence
from tools_worker.datafactory.operations.model import OperationKind, Repeatable
from tools_worker.runtime.worker import utc_now

router = APIRouter(prefix="/api/policy", tags=["policy"])
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=260)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
YEARS = range(1970, 9999)  # on the clocks of all time zones


def _imaginable(at: AwareDatetime | None) -> AwareDatetime | None:
    if at is not None and at.year not in YEARS:
        raise ValueError(f"the year must be from {YEARS[0]} to {YEARS[-1]}")
    return at


class ExplainBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    action: OperationKind = Field(description="What somebody wants to be done.")
    factory: Annotated[Name, StringConstraints(min_length=1)] = Field(description="Its name.", examples=["adf-prod"])
    factory_tags: dict[Name, Name] = Field(
        default={}, max_length=50, description="Of the factory. They are not looked up."
    )
    pipeline: Name = Field(default="", description="Which it is about, where it is about one.")
    annotations: list[Name] = Field(default=[], max_length=50, description="Of the pipeline.")
    callers: list[CallerKind] = Field(default=["key"], description="Who wants it: all that is true of them.")
    at: Annotated[AwareDatetime | None, AfterValidator(_imaginable)] = Field(
        default=None, description="When; now, where it is left out."
    )
    this_hour: Count = Field(default=0, description="Actions that went through within the hour before.")
    of_pipeline_this_hour: Count = Field(default=0, description="Of these, those of the same pipeline.")
    of_incident: Count = Field(default=0, description="Actions that went through for the same incident.")
    confidence: Confidence | None = Field(default=None, description="Of the diagnosis of the failed run.")
    transience: Transience | None = Field(default=None, description="Of its cause; unknown where it is left out.")
    category: Category | None = Field(default=None, description="Of its cause.", examples=["network"])
    repeatable: Repeatable = Field(default="unknown", description="May it be done twice without harm to the data?")

    def case(self) -> Case:
        return Case(
            action=self.action,
            factory=self.factory,
            at=self.at or utc_now(),
            factory_tags=self.factory_tags,
            pipeline=self.pipeline,
            annotations=frozenset(self.annotations),
            callers=frozenset(self.callers),
            this_hour=self.this_hour,
            of_pipeline_this_hour=self.of_pipeline_this_hour,
            of_incident=self.of_incident,
            confidence=self.confidence or "",
            transience=self.transience or "",
            category=self.category or "",
            repeatable=self.repeatable,
        )


class TermsView(BaseModel):
    roles: list[Role] = Field(description="Whoever approves has one of these.")
    approvals: int = Field(description="How many persons have to.")
    four_eyes: bool = Field(description="Whether whoever asked for it does not count.")
    expires_minutes: int = Field(description="After that the answer is no.")

    @classmethod
    def of(cls, terms: Terms) -> TermsView:
        return cls(**terms.model_dump())


class PassedView(BaseModel):
    rule: str = Field(description="Its name.")
    condition: str = Field(description="The first that did not fit.")
    told: str = Field(description="Why it did not.")

    @classmethod
    def of(cls, passed: Passed) -> PassedView:
        return cls(rule=passed.rule, condition=passed.condition, told=passed.told)


class VerdictView(BaseModel):
    effect: Effect = Field(description="allow: it is done. ask: people decide. deny: it is not done.")
    rule: str = Field(description="The one that decides; empty where none fits.")
    why: str = Field(description="Its reason, or the limit that is reached.")
    limit: Limit | None = Field(description="The limit of the rule that is reached.")
    environment: str = Field(description="Of the factory; empty where it is in none.")
    at: AwareDatetime = Field(description="The time it is decided for.")
    ask: TermsView | None = Field(description="Who has to approve, where people are asked.")
    passed: list[PassedView] = Field(description="The rules before it, and why each does not fit.")
    stopped: str = Field(
        description="Why nothing is changed at all now, whatever the rules say; empty where all is well."
    )

    @classmethod
    def of(cls, verdict: Verdict, at: datetime, stopped: str = "") -> VerdictView:
        return cls(
            effect=verdict.effect,
            rule=verdict.rule,
            why=verdict.why,
            limit=verdict.limit,
            environment=verdict.environment,
            at=at,
            ask=TermsView.of(verdict.terms) if verdict.terms else None,
            passed=[PassedView.of(each) for each in verdict.trail],
            stopped=stopped,
        )


@router.post("/explain", operation_id="policy_explain", summary="Ask which rule decides an action")
async def policy_explain(body: ExplainBody) -> VerdictView:
    """What the policy would say of an action, by which rule, and why not by the rules before it. Nothing is done."""
    file, case = PolicyFile.of(os.environ), body.case()
    stopped = file.writable()
    return VerdictView.of(file.current().decide(case), case.at, stopped)
