"""One turn of thinking: what the thinker sees, and what it says or calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from localcloud.foundry.records import Json, Usage


@dataclass(frozen=True)
class Offer:
    """A tool the thinker may call. `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Json


@dataclass(frozen=True)
class Said:
    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Call:
    name: str
    arguments: Json


@dataclass(frozen=True)
class Outcome:
    call: Call
    output: str


@dataclass(frozen=True)
class Prompt:
    model: str
    instructions: str
    messages: tuple[Said, ...]
    offers: tuple[Offer, ...]
    rounds: tuple[tuple[Outcome, ...], ...] = ()  # what was called in this run so far, and what came back
    top_level: bool = True  # False inside a connected agent
    options: Json = field(default_factory=dict)  # temperature, tool_choice, response_format and the like

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(outcome for one in self.rounds for outcome in one)

    def option(self, name: str) -> Any:
        return self.options.get(name)


@dataclass(frozen=True)
class Turn:
    """Either calls, or a text that ends the run."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    usage: Usage = field(default_factory=Usage)
    cut_short: str | None = None  # why the text is incomplete, when it is


class ThinkingFailed(Exception):
    """The model could not be asked. `code` is the run's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Thinker(Protocol):
    async def think(self, prompt: Prompt) -> Turn: ...
