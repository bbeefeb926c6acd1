"""Playbooks: what the app does about an incident by itself, or proposes to do. The first one that fits is followed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from orchestrator.policy.globs import fits
from orchestrator.policy.parts import Globs, Part, Text
from orchestrator.policy.rules import RANKS, Category
from tools_worker.datafactory.failures.consequences import Transience
from tools_worker.datafactory.failures.rules import Confidence

Minutes = Annotated[int, Field(ge=1, le=24 * 60)]
Mode = Literal["off", "review", "autonomous"]
WAITS = ("runtime", "upstream", "time")


def _one_verb(step: Step) -> Step:
    given = [name for name in ("rerun", "wait_for", "suggest") if getattr(step, name) is not None]
    if len(given) != 1:
        raise ValueError("a step does one thing: rerun, wait_for or suggest")
    if (step.wait_for is None) != (step.minutes is None):
        raise ValueError("minutes belong to wait_for, and wait_for needs them")
    return step


class Step(Part):
    """One thing. `wait_for` runtime: until the integration runtime of what failed is online. upstream: until the
    pipelines that write what the failed one reads have run well since. time: so long. The first two give up after
    `minutes`. `suggest` works out a change for a person to review, and changes nothing."""

    rerun: Literal["from_failure", "whole"] | None = None
    wait_for: Literal["runtime", "upstream", "time"] | None = None
    minutes: Minutes | None = None
    suggest: Literal["mapping"] | None = None

    @model_validator(mode="after")
    def _checked(self) -> Step:
        return _one_verb(self)


class Finding(Part):
    """Of the diagnosis; what is left out does not matter."""

    categories: Annotated[tuple[Category, ...], Field(min_length=1)] | None = None
    transience: Annotated[tuple[Transience, ...], Field(min_length=1)] | None = None
    confidence: Confidence | None = None  # at least
    pipelines: Globs | None = None  # one of those that failed

    def holds(self, category: str, transience: str, confidence: str, pipelines: tuple[str, ...]) -> bool:
        return (
            (self.categories is None or category in self.categories)
            and (self.transience is None or transience in self.transience)
            and (self.confidence is None or RANKS.get(confidence, -1) >= RANKS[self.confidence])
            and (self.pipelines is None or any(fits(name, glob) for name in pipelines for glob in self.pipelines))
        )


def _not_empty(when: Finding) -> Finding:
    if when == Finding():
        raise ValueError("say for which findings: categories, transience, confidence or pipelines")
    return when


class Playbook(Part):
    """`attempts` of its reruns in all, with these pauses before the second one, the third … (the last one again)."""

    name: Text
    when: Annotated[Finding, AfterValidator(_not_empty)]
    steps: tuple[Step, ...] = Field(min_length=1, max_length=10)
    attempts: Annotated[int, Field(ge=1, le=5)] = 1
    pause_minutes: tuple[Minutes, ...] = Field(default=(5,), min_length=1)

    def pause(self, attempts: int) -> int:
        """Minutes, after so many attempts."""
        return self.pause_minutes[min(attempts, len(self.pause_minutes)) - 1]


class Healing(Part):
    """What the app does in the factories that fit: nothing, propose to people, or act where the rules allow it."""

    factories: Globs
    mode: Mode
