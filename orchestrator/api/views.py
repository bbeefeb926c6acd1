"""The shapes of the API: what callers send and what they get."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from orchestrator.runs.record import Event, Run, RunStatus

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=260)]
# Lone surrogates are valid JSON escapes and no valid text: they cannot be stored or sent on.
Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30_000)]
CallbackUrl = Annotated[str, StringConstraints(min_length=1, max_length=2048)]


class AskBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: Question = Field(description="In plain words.", examples=["Why did LoadSales fail last night?"])
    session_id: Id | None = Field(default=None, description="Continue this session: earlier questions are remembered.")
    factory: Name | None = Field(default=None, description="Ask about this factory.")
    callback_url: CallbackUrl | None = Field(
        default=None, description="https address to which the run is sent when it has ended, signed."
    )
    allow_actions: bool = Field(
        default=False,
        description="Do what the question asks for, as far as policy and people allow. Else it is only proposed.",
    )
    wait_seconds: float = Field(default=20, ge=0, le=110, description="Wait this long for the answer, else get a 202.")


class DiagnoseBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    run_id: Name | None = Field(default=None, description="A pipeline run id.")
    pipeline: Name | None = Field(default=None, description="A pipeline: its latest failed run is diagnosed.")
    factory: Name | None = Field(default=None, description="Look in this factory.")
    since: Name | None = Field(default=None, description="Where an alert names no run: the begin of its window.")
    until: Name | None = Field(default=None, description="The end of the window: ISO 8601, or a date.")
    timezone: Name | None = Field(default=None, description="Of times without offset and of dates: Europe/Berlin.")
    post: bool = Field(default=False, description="Post it in the channel, too.")


class ErrorView(BaseModel):
    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="For people.")


class EvidenceView(BaseModel):
    kind: str = Field(description="What it is.", examples=["pipeline_run"])
    id: str = Field(description="Of Data Factory.")
    factory: str = Field(default="", description="Where it is.")


class UsageView(BaseModel):
    """Tokens of all agents together."""

    input_tokens: int = Field(description="Read by the models.")
    output_tokens: int = Field(description="Written by the models.")


class RunView(BaseModel):
    run_id: str = Field(description="Names the run in every other call.")
    status: RunStatus = Field(description="done, failed, cancelled and expired are ends.")
    question: str = Field(description="As it was asked.")
    session_id: str = Field(description="Give it with the next question to continue.")
    created_at: datetime = Field(description="When it was asked.")
    deadline_at: datetime = Field(description="By then it has ended, one way or another.")
    answer: str | None = Field(default=None, description="In words, with Markdown, once it is done.")
    answered_by: str | None = Field(default=None, description="The model deployment that phrased the answer.")
    evidence: list[EvidenceView] = Field(default=[], description="What the answer rests on.")
    unsupported: list[str] = Field(
        default=[], description="Ids in the answer that no tool returned: do not trust them."
    )
    actions: list[str] = Field(default=[], description="What was proposed for it: see /api/actions/{id}.")
    error: ErrorView | None = Field(default=None, description="Why there is no answer.")
    usage: UsageView = Field(description="What the models used.")
    tool_calls: int = Field(description="How often Data Factory was looked into.")
    seconds: float | None = Field(default=None, description="From the question to its end.")

    @classmethod
    def of(cls, run: Run) -> RunView:
        return cls(
            run_id=run.id,
            status=run.status,
            question=run.question,
            session_id=run.session_id,
            created_at=run.created_at,
            deadline_at=run.deadline_at,
            answer=run.answer or None,
            answered_by=run.answered_by or None,
            evidence=[EvidenceView(**item) for item in run.evidence],
            unsupported=list(run.unsupported),
            actions=list(run.actions),
            error=ErrorView(code=run.error_code, message=run.error) if run.error_code else None,
            usage=UsageView(input_tokens=run.input_tokens, output_tokens=run.output_tokens),
            tool_calls=run.tool_calls,
            seconds=run.seconds,
        )

    @staticmethod
    def body(run: Run) -> bytes:
        """What is sent to a callback: the same as the API answers."""
        return RunView.of(run).model_dump_json(exclude_none=True).encode()


class EventView(BaseModel):
    seq: int = Field(description="Counted from 1.")
    at: datetime = Field(description="When it happened.")
    state: RunStatus = Field(description="Of the run, since.")
    agent: str = Field(description="Which agent; empty for the app.")
    tool: str = Field(description="Which tool; empty for none.")
    text: str = Field(description="A sentence for people.")
    seconds: float | None = Field(default=None, description="How long it took.")

    @classmethod
    def of(cls, event: Event) -> EventView:
        return cls(
            seq=event.seq,
            at=event.at,
            state=event.state,
            agent=event.agent,
            tool=event.tool,
            text=event.text,
            seconds=event.seconds,
        )


class EventsView(BaseModel):
    events: list[EventView] = Field(description="Oldest first.")
    last: int = Field(description="Pass as `after` to get what comes next.")
    ended: bool = Field(description="No more will come.")
