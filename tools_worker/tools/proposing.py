"""What the write tools have in common: each plans a change of a factory and proposes it. None of them changes anything.

The reply holds the proposal in a form that is taken as it is: `data.proposal`, with the kind of the operation, the
factory's resource id and the arguments. Whoever reads it plans anew, asks the policy, and people where that says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import InvalidArguments, not_found
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis import Target, find_run_to_diagnose
from tools_worker.datafactory.masking import mask_value
from tools_worker.datafactory.models import Trigger
from tools_worker.datafactory.operations.model import Operation, OperationKind, Plan
from tools_worker.datafactory.operations.planning import plan
from tools_worker.datafactory.survey import survey, with_pipeline
from tools_worker.datafactory.wording import listed, sentences
from tools_worker.runtime.tools import Evidence, Reply, ToolContext

NEXT = "It is proposed; nothing has been done. Policy decides whether it is done at once, or who has to approve it."
RUN_ID = "Id (GUID) of the pipeline run."
FACTORY = "Name of the data factory. Omit to look in all of them."


async def propose(
    context: ToolContext,
    factory: DataFactory,
    kind: OperationKind,
    arguments: Mapping[str, Any],
    notes: Sequence[str] = (),
) -> Reply:
    """Raises what planning raises, and InvalidArguments for a value that the reply could not hold as it is."""
    if mask_value(dict(arguments)) != dict(arguments):
        raise InvalidArguments(
            "A value looks like a secret or a personal address, which no tool passes on.",
            hint="A person can propose it without a tool.",
        )
    found = await plan(factory, Operation(kind, factory.id.path, arguments), context.now)
    return Reply(summary=_summary(found, notes), data=_data(found), evidence=_evidence(found))


async def run_of(context: ToolContext, run_id: str | None, pipeline: str | None, factory: str | None) -> Target:
    """The run of an id, or the latest failed run of a pipeline. Raises NotFound and InvalidArguments."""
    if not run_id and not pipeline:
        raise InvalidArguments("Name the run (run_id), or the pipeline whose latest failed run is meant.")
    by_name = None if run_id else pipeline
    return await find_run_to_diagnose(
        context.factories, run_id=run_id, pipeline=by_name, factory=factory, now=context.now
    )


async def factory_of_pipeline(context: ToolContext, pipeline: str, factory: str | None) -> DataFactory:
    """The one that has it. Raises NotFound, and InvalidArguments where several do."""
    holders = await with_pipeline(await context.factories.chosen(factory), pipeline)
    return _only([holder for holder, _ in holders.answers], f"Pipeline {pipeline!r}")


async def factory_of_trigger(context: ToolContext, trigger: str, factory: str | None) -> DataFactory:
    """The one that has it. Raises NotFound, and InvalidArguments where several do."""
    chosen = await context.factories.chosen(factory)
    asked = await survey(chosen, _triggers)
    wanted = trigger.casefold()
    holders = [holder for holder, found in asked.answers if any(each.name.casefold() == wanted for each in found)]
    if not holders and asked.silent:  # it may live where nobody answered
        raise asked.silent[0][1]
    if not holders:
        names = [each.name for _, found in asked.answers for each in found]
        raise not_found("trigger", trigger, names, chosen[0].name if len(chosen) == 1 else "")
    return _only(holders, f"Trigger {trigger!r}")


async def _triggers(factory: DataFactory) -> Sequence[Trigger]:
    return await factory.triggers()


def _only(holders: Sequence[DataFactory], what: str) -> DataFactory:
    if len(holders) > 1:
        names = listed([holder.name for holder in holders])
        raise InvalidArguments(f"{what} is in several factories: say which one.", hint=f"It is in {names}.")
    return holders[0]


def _summary(found: Plan, notes: Sequence[str]) -> str:
    if found.refusal:
        return sentences(f"Not proposed: {found.title} in {found.factory_name}.", found.refusal, *notes)
    return sentences(f"Proposed: {found.title} in {found.factory_name}.", *found.effects, *notes, NEXT)


def _data(found: Plan) -> dict[str, Any]:
    """One that is refused is no proposal."""
    told = {
        "title": found.title,
        "effects": list(found.effects),
        "facts": dict(found.facts),
        "risk": found.risk,
        "repeatable": found.repeatable,
        "refusal": found.refusal,
    }
    if found.refusal:
        return told
    operation = found.operation
    proposal = {"kind": operation.kind, "factory": operation.factory, "arguments": dict(operation.arguments)}
    return {"proposal": proposal, **told}


def _evidence(found: Plan) -> list[Evidence]:
    fired = str(found.operation.arguments.get("trigger_run_id", ""))
    named = [("pipeline_run", found.run_id), ("trigger_run", fired)]
    return [Evidence(kind, each, found.factory_name) for kind, each in named if each]
