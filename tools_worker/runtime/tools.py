"""What a tool is: a name, a description and arguments for the model, and a function that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from tools_worker.datafactory.factories import Factories

MAX_NAME = 35  # "azure-function-" + name + "-input-poison" must fit the 63 characters of a queue name


class Arguments(BaseModel):
    """Base of every tool's arguments. Unknown ones are refused, so that a model's slip is told and not swallowed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True)
class ToolContext:
    """What a tool may use. A new kind of work adds its port here."""

    factories: Factories
    now: datetime


@dataclass(frozen=True)
class Evidence:
    """A thing that exists upstream and that the answer rests on. `kind`: pipeline_run, activity_run, trigger_run …"""

    kind: str
    id: str
    factory: str


@dataclass(frozen=True)
class Reply:
    """A tool's answer. `summary` is complete enough to be the answer by itself; `data` is compact, never a raw dump."""

    summary: str
    data: Mapping[str, Any] = field(default_factory=dict)
    evidence: Sequence[Evidence] = ()
    truncated: bool = False
    next: Sequence[str] = ()  # suggested calls, as text: "adf_diagnose_run run_id=…"


@dataclass(frozen=True)
class ToolSpec:
    """One tool: triggers, queue names, JSON schema and agent definition all follow from it."""

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[ToolContext, Any], Awaitable[Reply]]
    writes: bool = False  # it proposes a change; no tool makes one

    def __post_init__(self) -> None:
        if len(self.name) > MAX_NAME or not self.name.replace("_", "").isalnum() or self.name != self.name.lower():
            raise ValueError(
                f"Tool name {self.name!r} must be lower-case words joined by '_', at most {MAX_NAME} characters."
            )

    @property
    def input_queue(self) -> str:
        return f"azure-function-{self.name.replace('_', '-')}-input"

    @property
    def output_queue(self) -> str:
        return f"azure-function-{self.name.replace('_', '-')}-output"
