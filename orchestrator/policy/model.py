"""The form of policy.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from orchestrator.policy import findings
from orchestrator.policy.calendars import Calendar
from orchestrator.policy.deadlines import WEEK, FinishBy, TimeZone, WeekDay, dues
from orchestrator.policy.deciding import decide
from orchestrator.policy.environments import Environment
from orchestrator.policy.globs import any_fits, fits
from orchestrator.policy.names import wrong_names
from orchestrator.policy.parts import Part, Text
from orchestrator.policy.playbooks import Healing, Mode, Playbook
from orchestrator.policy.rules import Case, Rule, Verdict

Severity = Annotated[int, Field(ge=0, le=4)]
T = TypeVar("T")


class Importance(Part):
    """What pipelines mean to people. The first entry that fits counts; names are globs, in any case."""

    factory: Text = "*"
    pipelines: tuple[Text, ...] = Field(default=("*",), min_length=1)
    severity: Severity
    why: Text
    finish_by: FinishBy | None = None  # to have ended well by then, each of them
    timezone: TimeZone = "UTC"
    days: tuple[WeekDay, ...] = Field(default=WEEK, min_length=1)

    @field_validator("timezone", "days")
    @classmethod
    def _of_a_deadline(cls, told: T, info: ValidationInfo) -> T:
        if info.data.get("finish_by", told) is None:
            raise ValueError("it says nothing without finish_by")
        return told

    def dues(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """When they have to have ended, after < time <= until."""
        if self.finish_by is not None:
            yield from dues(self.finish_by, self.timezone, self.days, after, until)

    def fits(self, factory: str, pipeline: str) -> bool:
        return fits(factory, self.factory) and any(fits(pipeline, glob) for glob in self.pipelines)

    def hides(self, later: Importance) -> bool:
        """Nothing is left for a later entry: each of its globs is one of ours, or ours takes everything."""
        globs = {glob.casefold() for glob in self.pipelines}
        factory = self.factory.casefold() in ("*", later.factory.casefold())
        return factory and ("*" in globs or {glob.casefold() for glob in later.pipelines} <= globs)


class Step(Part):
    """Where nobody has taken an incident up after so long, `to` hears of it."""

    after_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)]
    to: Text


class Escalation(Part):
    severity: tuple[Severity, ...] = Field(min_length=1)
    steps: tuple[Step, ...] = Field(min_length=1)

    @field_validator("steps")
    @classmethod
    def _later_and_later(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        minutes = [step.after_minutes for step in steps]
        if minutes != sorted(set(minutes)):
            raise ValueError("each step must come later than the one before it")
        return steps


class Policy(Part):
    importance: tuple[Importance, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    environments: tuple[Environment, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    rules: tuple[Rule, ...] = ()
    healing: tuple[Healing, ...] = ()
    playbooks: tuple[Playbook, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> Policy:
        """The error's context has the place of each."""
        if wrong := tuple(wrong_names(self)):
            raise PydanticCustomError("wrong_names", "names are wrong", {"places": wrong})
        return self

    def decide(self, case: Case) -> Verdict:
        """Whether an operation goes ahead. It depends on nothing but the case."""
        return decide(self, case)

    def importance_of(self, factory: str, pipeline: str) -> Importance | None:
        return next((entry for entry in self.importance if entry.fits(factory, pipeline)), None)

    def mode_of(self, factory: str) -> Mode:
        """What the app may do by itself there."""
        return next((entry.mode for entry in self.healing if any_fits(factory, entry.factories)), "off")

    def steps(self, severity: int) -> tuple[Step, ...]:
        return next((entry.steps for entry in self.escalation if severity in entry.severity), ())

    def findings(self) -> Iterator[str]:
        """What can never take effect, in sentences."""
        for number, entry in enumerate(self.importance):
            hiding = _first(n for n, other in enumerate(self.importance[:number]) if other.hides(entry))
            if hiding is not None:
                yield f"importance[{number}] is never reached: importance[{hiding}] takes all that it fits."
        seen: set[int] = set()
        for number, path in enumerate(self.escalation):
            if again := sorted(seen & set(path.severity)):
                yield f"escalation[{number}] names severity {again[0]}, which an earlier entry decides."
            seen |= set(path.severity)
        yield from findings.without_effect(self)

    def warnings(self) -> Iterator[str]:
        """What takes effect, but maybe not as it was meant."""
        yield from findings.softer_first(self)


def _first(numbers: Iterable[int]) -> int | None:
    return next(iter(numbers), None)
