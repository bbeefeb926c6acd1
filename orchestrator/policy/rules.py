"""Rules: which operations on factories go ahead, wait for people, or stay undone. The first rule that fits decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from orchestrator.policy.globs import any_fits
from orchestrator.policy.parts import Globs, Names, Part, Tags, Text
from tools_worker.datafactory.failures.consequences import Transience
from tools_worker.datafactory.failures.rules import CATEGORIES, INSUFFICIENT, Confidence
from tools_worker.datafactory.operations.model import OperationKind, Repeatable

Effect = Literal["allow", "ask", "deny"]
Role = Literal["operator", "approver"]  # whom a rule may ask: a reader decides nothing
CallerKind = Literal["key", "person", "teams", "agent", "playbook", "reader", "operator", "approver"]
Limit = Literal["per_hour", "per_pipeline_per_hour", "per_incident"]
UNKNOWN = "unknown"  # what a diagnosis does not tell, or what was not diagnosed
KINDS: tuple[str, ...] = get_args(OperationKind)
RANKS: Mapping[str, int] = {"low": 0, "medium": 1, "high": 2}
MOST_MINUTES = 7 * 24 * 60  # a state of affairs that is older was another one


def kinds_of(globs: tuple[str, ...]) -> frozenset[str]:
    return frozenset(kind for kind in KINDS if any_fits(kind, globs))


def _known_kind(glob: str) -> str:
    if not kinds_of((glob,)):
        raise ValueError(f"{glob!r} is no action; there are {', '.join(KINDS)}")
    return glob


def _known_category(name: str) -> str:
    known = {*CATEGORIES, INSUFFICIENT, UNKNOWN}
    if name not in known:
        near = get_close_matches(name, known, 1)
        raise ValueError(f"{name!r} is no category of a failure" + (f"; {near[0]!r} is one" if near else ""))
    return name


Action = Annotated[Text, AfterValidator(_known_kind)]
Category = Annotated[Text, AfterValidator(_known_category)]


class Match(Part):
    """All that is given must hold; of a list, one entry. What is left out does not matter."""

    actions: tuple[Action, ...] | None = Field(default=None, min_length=1)
    factories: Globs | None = None
    environments: Names | None = None
    tags: Tags | None = None  # of the factory, all of them
    pipelines: Globs | None = None
    annotations: Globs | None = None  # of the pipeline
    callers: tuple[CallerKind, ...] | None = Field(default=None, min_length=1)
    during: Names | None = None  # one of these calendars
    not_during: Names | None = None  # none of these
    confidence: Confidence | None = None  # at least
    transience: tuple[Literal[Transience, "unknown"], ...] | None = Field(default=None, min_length=1)
    categories: tuple[Category, ...] | None = Field(default=None, min_length=1)
    repeatable: tuple[Repeatable, ...] | None = Field(default=None, min_length=1)


class Limits(Part):
    """How much may go through: what is reached is denied, whatever later rules say."""

    per_hour: Annotated[int, Field(ge=1)] | None = None
    per_pipeline_per_hour: Annotated[int, Field(ge=1)] | None = None
    per_incident: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Limits:
        if self == Limits.model_construct():
            raise ValueError(f"give one of {', '.join(get_args(Limit))}")
        return self


class Terms(Part):
    """Who has to agree, and until when. `four_eyes`: not whoever asked for it."""

    roles: tuple[Role, ...] = Field(min_length=1)  # one of them
    approvals: Annotated[int, Field(ge=1, le=5)] = 1
    four_eyes: bool = True
    expires_minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)]


class Rule(Part):
    name: Text
    why: Text
    match: Match = Match()
    effect: Effect
    ask: Terms | None = Field(default=None, validate_default=True)
    limits: Limits | None = None

    @field_validator("ask")
    @classmethod
    def _terms_where_asked(cls, ask: Terms | None, info: ValidationInfo) -> Terms | None:
        effect = info.data.get("effect", "")
        if effect == "ask" and ask is None:
            raise ValueError("the effect is ask, so say whom: roles and expires_minutes")
        if ask is not None and effect in ("allow", "deny"):
            raise ValueError(f"the effect is {effect}, so nobody is asked")
        return ask

    @field_validator("limits")
    @classmethod
    def _nothing_to_limit(cls, limits: Limits | None, info: ValidationInfo) -> Limits | None:
        if limits is not None and info.data.get("effect") == "deny":
            raise ValueError("the effect is deny, so there is nothing to limit")
        return limits


@dataclass(frozen=True, slots=True)
class Case:
    """An operation, as rules see it. `factory` is its name, `at` is aware.

    What went through before it: `this_hour` in all factories, `of_pipeline_this_hour` of the same pipeline,
    `of_incident` for the same incident. What the diagnosis leaves empty is unknown.
    """

    action: str
    factory: str
    at: datetime
    factory_tags: Mapping[str, str] = field(default_factory=dict)
    pipeline: str = ""
    annotations: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    this_hour: int = 0
    of_pipeline_this_hour: int = 0
    of_incident: int = 0
    confidence: str = ""
    transience: str = ""
    category: str = ""
    repeatable: str = UNKNOWN

    def __post_init__(self) -> None:
        if self.at.utcoffset() is None:
            raise ValueError("`at` must be aware: which clock shows it?")


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that did not fit, and the first of its conditions that did not."""

    rule: str
    condition: str
    told: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` is empty where none fits, `terms` are there where people are asked. `why` is a sentence without its stop.

    `limit` names the limit that was reached: the same operation may be allowed later.
    """

    effect: Effect
    rule: str
    why: str
    terms: Terms | None = None
    trail: tuple[Passed, ...] = ()
    environment: str = ""  # of the factory; empty where it is in none
    limit: Limit | None = None
