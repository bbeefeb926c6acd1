"""May activities be run twice without harm to the data? By their definitions, down to the pipelines that they call."""

from __future__ import annotations

import json
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
from tools_worker.datafactory.places import UNKNOWN, defaults, evaluated

MAX_PIPELINES = 40  # called one by the other
MAX_VALUE = 1000  # characters of a parameter; what names a table or a folder is shorter
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


def repeats_of(
    activities: Sequence[Mapping[str, Any]], pipeline: Pipeline, estate: Estate, parameters: Mapping[str, Any]
) -> Repeats:
    """Of these activities of a pipeline, with all that is inside them and all that they call. `parameters` are those of
    the run, which decide where it writes; what is left out has its default."""
    given = {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    called: dict[_Called, None] = {}
    found = list(_found(activities, _values(pipeline) | given, estate, called))
    reasons = {
        grade: tuple(dict.fromkeys(f"{name} {each.why}" for name, each in found if each.repeatable == grade))
        for grade in ("no", "unknown")
    }
    worst: Repeatable = "no" if reasons["no"] else "unknown" if reasons["unknown"] else "yes"
    children = dict.fromkeys(name for name, _ in called)
    return Repeats(worst, (*reasons["no"], *reasons["unknown"]), tuple(children))


_Called = tuple[str, frozenset[tuple[str, str]]]  # a pipeline with its parameters: with others it writes elsewhere


def _found(
    activities: Sequence[Mapping[str, Any]],
    values: Mapping[str, str],
    estate: Estate,
    called: dict[_Called, None],
) -> Iterator[tuple[str, Found]]:
    for step in active(steps({"activities": list(activities)})):
        yield step.name, _of(step, estate, values)
        if step.type != EXECUTE_PIPELINE:
            continue
        child = estate.pipelines.get(step.child)
        if child is None or len(called) >= MAX_PIPELINES:
            yield step.name, Found("unknown", "calls a pipeline that is not known before it runs")
            continue
        passed = fields.mapping(step.settings, "parameters")
        handed = {str(name): _short(evaluated(raw, values)) for name, raw in passed.items()}
        its = _values(child) | handed
        key = (step.child, frozenset(its.items()))
        if key not in called:
            called[key] = None
            yield from _found(fields.items(child.definition, "activities"), its, estate, called)


def _short(value: str) -> str:
    """Pipelines in a circle may make it longer with each round."""
    return value if len(value) <= MAX_VALUE else UNKNOWN


def _values(pipeline: Pipeline) -> dict[str, str]:
    return defaults(fields.mapping(pipeline.definition, "parameters"))


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
