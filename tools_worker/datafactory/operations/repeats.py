"""May activities be run twice without harm to the data? By their definitions, down to the pipelines that they call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.definitions import Step, steps
from tools_worker.datafactory.leaves import EXECUTE_PIPELINE
from tools_worker.datafactory.models import Dataset, Pipeline
from tools_worker.datafactory.operations.model import Repeatable
from tools_worker.datafactory.operations.sinks import YES, Found, sink_of
from tools_worker.datafactory.places import defaults, evaluated

MAX_PIPELINES = 40  # called one by the other
READING = frozenset({"GetMetadata", "Validation"})
CONTROL = frozenset({"ForEach", "Until", "IfCondition", "Switch", "SetVariable", "AppendVariable", "Wait", "Filter",
                     "Fail"})  # fmt: skip
_DOES: Mapping[str, str] = {  # the end of a sentence that begins with the activity's name
    "SqlServerStoredProcedure": "calls a stored procedure",
    "Script": "runs a script",
    "ExecuteDataFlow": "runs a data flow",
    "Delete": "deletes files, those too that came since",
    "WebActivity": "calls a web service",
    "WebHook": "calls a web service",
    "AzureFunctionActivity": "calls a function",
}
# What a statement that begins as a question may do besides.
_MORE = re.compile(r"\b(?:into|insert|update|delete|merge|truncate|drop|exec|execute|call)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Estate:
    """What is defined in a factory, by name."""

    pipelines: Mapping[str, Pipeline]
    datasets: Mapping[str, Dataset]


@dataclass(frozen=True, slots=True)
class Repeats:
    """`reasons` are whole phrases (`CopySales adds rows …`), those that make it unsafe first."""

    repeatable: Repeatable
    reasons: tuple[str, ...] = ()
    children: tuple[str, ...] = ()  # pipelines that are called


def repeats_of(activities: Sequence[Mapping[str, Any]], pipeline: Pipeline, estate: Estate) -> Repeats:
    """Of these activities of a pipeline, with all that is inside them and all that they call."""
    called: dict[str, None] = {}
    found = list(_found(activities, pipeline, estate, called))
    reasons = {
        grade: tuple(dict.fromkeys(f"{name} {each.why}" for name, each in found if each.repeatable == grade))
        for grade in ("no", "unknown")
    }
    worst: Repeatable = "no" if reasons["no"] else "unknown" if reasons["unknown"] else "yes"
    return Repeats(worst, (*reasons["no"], *reasons["unknown"]), tuple(called))


def _found(
    activities: Sequence[Mapping[str, Any]], pipeline: Pipeline, estate: Estate, called: dict[str, None]
) -> Iterator[tuple[str, Found]]:
    values = defaults(fields.mapping(pipeline.definition, "parameters"))
    for step in active(steps({"activities": list(activities)})):
        yield step.name, _of(step, estate, values)
        if step.type != EXECUTE_PIPELINE or step.child in called:
            continue
        child = estate.pipelines.get(step.child)
        if child is None or len(called) >= MAX_PIPELINES:
            yield step.name, Found("unknown", "calls a pipeline that is not known before it runs")
            continue
        called[step.child] = None
        yield from _found(fields.items(child.definition, "activities"), child, estate, called)


def active(found: Iterable[Step]) -> Iterator[Step]:
    """Without those that are switched off, and what is inside them."""
    off: int | None = None  # the depth of the one that is switched off
    for step in found:
        if off is not None and step.depth > off:
            continue
        off = step.depth if fields.text(step.raw, "state") == "Inactive" else None
        if off is None:
            yield step


def _of(step: Step, estate: Estate, parameters: Mapping[str, str]) -> Found:
    if step.type == "Copy":
        return sink_of(step, estate.datasets, parameters)
    if step.type in READING or step.type in CONTROL or step.type == EXECUTE_PIPELINE:
        return YES
    if step.type == "Lookup":
        return _lookup(step, parameters)
    if step.type in ("WebActivity", "AzureFunctionActivity") and fields.text(step.settings, "method").upper() == "GET":
        return YES
    return Found("unknown", _DOES.get(step.type, "does its work outside of Data Factory"))


def _lookup(step: Step, parameters: Mapping[str, str]) -> Found:
    """It reads, unless it makes the store do more: a procedure, or a statement that is no SELECT."""
    source = fields.mapping(step.settings, "source")
    if any("procedure" in key.lower() for key in map(str, source)):
        return Found("unknown", "looks up through a stored procedure")
    for key in (key for key in map(str, source) if key.lower().endswith("query")):
        query = evaluated(source[key], parameters).strip().casefold()
        if not query.startswith(("select", "with")) or _MORE.search(query):
            return Found("unknown", "looks up with a statement that may do more than read")
    return YES
