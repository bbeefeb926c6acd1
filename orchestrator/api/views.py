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

    question: Question = Field(examples=["Why did LoadSales fail last night?"])
    session_id: Id | None = Field(default=None, description="Continue this session: earlier questions are remembered.")
    factory: Name | None = Field(default=None, description="Ask about this factory.")
    callback_url: CallbackUrl | None = Field(
        default=None, description="https address to which the run is sent when it has ended, signed."
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


class ErrorView(BaseModel):
    code: str
    message: str


class EvidenceView(BaseModel):
    kind: str = Field(examples=["pipeline_run"])
    id: str
    factory: str = ""


class UsageView(BaseModel):
    """Tokens of all agents together."""

    input_tokens: int
    output_tokens: int


class RunView(BaseModel):
    run_id: str
    status: RunStatus
    question: str
    session_id: str
    created_at: datetime
    deadline_at: datetime
    answer: str | None = None
    answered_by: str | None = Field(default=None, description="The model deployment that phrased the answer.")
    evidence: list[EvidenceView] = Field(default=[], description="What the answer rests on.")
    unsupported: list[str] = Field(
        default=[], description="Ids in the answer that no tool returned: do not trust them."
    )
    error: ErrorView | None = None
    usage: UsageView
    tool_calls: int
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
    seq: int
    at: datetime
    state: RunStatus
    agent: str
    tool: str
    text: str
    seconds: float | None = None

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
    events: list[EventView]
    last: int = Field(description="Pass as `after` to get what comes next.")
    ended: bool
