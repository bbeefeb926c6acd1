"""adf_explain_pipeline: what a pipeline does, in which order, what starts it, and what is risky in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.definitions import Step, callers, expressions, hints, retries, sentence, starters, steps
from tools_worker.datafactory.masking import mask_value
from tools_worker.datafactory.models import Pipeline, Trigger
from tools_worker.datafactory.survey import with_pipeline
from tools_worker.datafactory.wording import count, listed, safe, sentences
from tools_worker.runtime.tables import table
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

MAX_TOLD = 15  # sentences of the summary
MAX_STEPS = 80  # of about 400 bytes; a pipeline has at most 80 activities at its top level


class ExplainPipelineArguments(Arguments):
    pipeline: str = Field(min_length=1, max_length=260, description="Name of the pipeline, in any case.")
    factory: str | None = Field(default=None, max_length=100, description="Name of the factory. Omit to look in all.")


async def adf_explain_pipeline(context: ToolContext, args: ExplainPipelineArguments) -> Reply:
    holders = await with_pipeline(await context.factories.chosen(args.factory), args.pipeline)
    factory, name = holders.answers[0]
    others = [other.name for other, _ in holders.answers[1:]]
    also = f"A pipeline of this name is also in {listed(others)}: it may differ." if others else ""
    return await explain(factory, name, sentences(also, holders.caveat))


async def explain(factory: DataFactory, name: str, caveat: str = "") -> Reply:
    pipeline = await factory.pipeline(name)
    found = steps(pipeline.definition)
    started = starters(name, await factory.triggers())
    parents = callers(name, await factory.pipelines())
    questions = hints(pipeline.definition)
    left = max(0, len(found) - MAX_TOLD)
    summary = sentences(
        f"Pipeline {name} in {factory.name} has {count(len(found), 'activity')}.",
        *(sentence(step) for step in found[:MAX_TOLD]),
        f"{left} more not told here." if left else "",
        _started(started, parents),
        _settings(pipeline),
        f"Worth a look: {' '.join(questions)}" if questions else "",
        caveat,
    )
    return Reply(
        summary=summary,
        data={
            "factory": factory.name,
            "pipeline": name,
            "activities": table([_row(step) for step in found[:MAX_STEPS]]),
            "left_out": max(0, len(found) - MAX_STEPS),
            "parameters": mask_value(_parameters(pipeline)),
            "concurrency": fields.whole(pipeline.definition, "concurrency"),
            "triggers": [{"trigger": t.name, "type": t.type, "state": t.state or "unknown"} for t in started[:20]],
            "called_by": parents[:20],
            "hints": questions,
        },
        evidence=[Evidence("pipeline", name, factory.name)],
        truncated=len(found) > MAX_STEPS,
        next=[f"adf_lineage pipeline={name} factory={factory.name}"],
    )


def _started(triggers: Sequence[Trigger], parents: Sequence[str]) -> str:
    told = [f"{t.name} ({t.type or 'type unknown'}, {t.state or 'state unknown'})" for t in triggers]
    ways = [f"trigger {listed(told)}"] if told else []
    ways += [f"pipeline {listed(parents)}"] if parents else []
    return f"It is started by {' and by '.join(ways)}." if ways else "No trigger and no other pipeline starts it."


def _settings(pipeline: Pipeline) -> str:
    names = list(_parameters(pipeline))
    limit = fields.whole(pipeline.definition, "concurrency")
    told = f"Parameters: {listed(names, 8)}." if names else "It has no parameters."
    return told + (f" At most {count(limit, 'run')} at a time." if limit is not None else "")


def _parameters(pipeline: Pipeline) -> dict[str, Any]:
    """Name → type and default; what is secure by its type has no default to show."""
    found = fields.mapping(pipeline.definition, "parameters")
    return {safe(str(name), 80): _parameter(raw) for name, raw in list(found.items())[:50]}


def _parameter(raw: object) -> dict[str, str]:
    kind = fields.text(raw, "type")
    default = "" if kind.casefold() == "securestring" else safe(fields.text(raw, "defaultValue"), 80)
    return {"type": kind} | ({"default": default} if default else {})


def _row(step: Step) -> dict[str, Any]:
    row = {
        "name": step.name,
        "type": step.type,
        "inside": step.inside or None,
        "branch": step.branch or None,
        "expressions": expressions(step) or None,
        "after": [name for name, _ in step.waits_for] or None,
        "datasets": step.datasets or None,
        "child": step.child or None,
        "retry": retries(step),
        "timeout": safe(fields.text(fields.mapping(step.raw, "policy"), "timeout"), 40) or None,
    }
    return {key: value for key, value in row.items() if value is not None}


TOOL = ToolSpec(
    name="adf_explain_pipeline",
    description=(
        "Explains an Azure Data Factory pipeline in plain sentences: its activities in order, conditions, loops, child "
        "pipelines, datasets, parameters, retries and timeouts, the triggers that start it, and weak points of the "
        "definition. Use it for what-does-it-do questions."
    ),
    arguments=ExplainPipelineArguments,
    run=adf_explain_pipeline,
)
