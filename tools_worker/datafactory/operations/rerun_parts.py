"""Which activities of a pipeline a rerun takes: all, those that failed and what comes after, or from one of them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tools_worker.datafactory import fields
from tools_worker.datafactory.definitions import Step, steps
from tools_worker.datafactory.operations.rerun_state import State
from tools_worker.datafactory.wording import listed, safe


@dataclass(frozen=True, slots=True)
class Part:
    """The activities of the pipeline's own level that the rerun takes, and those that it leaves out."""

    taken: tuple[Step, ...] = ()
    left: tuple[Step, ...] = ()
    refusal: str = ""
    again: tuple[Step, ...] = field(default=())  # of `taken`: those that have worked before


def part_of(state: State, mode: str, activity: str) -> Part:
    if state.pipeline is None:
        return Part()
    found = steps(state.pipeline.definition)
    own = [step for step in found if step.depth == 0 and fields.text(step.raw, "state") != "Inactive"]
    begins, refusal = _begins(state, mode, activity, own, found)
    if refusal:
        return Part(refusal=refusal)
    names = {step.name for step in own} if begins is None else _with_those_after(begins, own)
    taken = sorted(
        (step for step in own if step.name in names), key=lambda step: begins is None or step.name not in begins
    )
    left = tuple(step for step in own if step.name not in names)
    return Part(tuple(taken), left, again=tuple(step for step in taken if step.name in state.begun))


def _begins(
    state: State, mode: str, activity: str, own: Sequence[Step], found: Sequence[Step]
) -> tuple[set[str] | None, str]:
    """Where it begins (None: at the beginning), or why it cannot."""
    if mode == "whole":
        return None, ""
    names = {step.name for step in own}
    if mode == "from_failure":
        begins = {run.name for run in state.failed} & names
        where = f"No failed activity of {state.run.pipeline} is to be seen in run {state.run.run_id}, so that nothing "
        return begins, "" if begins else f"{where}says where to begin; it can be rerun whole."
    wanted = next((step for step in found if step.name.casefold() == activity.casefold()), None) if activity else None
    if wanted is None:
        told = f"has no activity {safe(activity, 80)}" if activity else "needs the activity to begin with"
        return None, f"{state.run.pipeline} {told}. It has {listed(sorted(names), 10)}."
    if wanted.name not in names:
        return (
            None,
            f"{wanted.name} is inside {wanted.inside} or switched off: a rerun begins at {_above(wanted, found)}.",
        )
    return {wanted.name}, ""


def _above(step: Step, found: Sequence[Step]) -> str:
    """The activity of the pipeline's own level that holds it."""
    by_name = {each.name: each for each in found}
    for _ in found:
        if not step.inside or step.inside not in by_name:
            break
        step = by_name[step.inside]
    return step.name


def _with_those_after(begins: set[str], own: Sequence[Step]) -> set[str]:
    names = set(begins)
    while more := {step.name for step in own if any(name in names for name, _ in step.waits_for)} - names:
        names |= more
    return names
