"""A pipeline's definition in sentences: what it does in which order, what starts it, and what is risky in it.

Sentences hold names and numbers only. What the author wrote beyond that (expressions, values of cases) is text from
outside: `expressions` gives it for the data, masked and cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.models import Pipeline, Trigger
from tools_worker.datafactory.wording import count, listed, safe

MAX_DEPTH = 8  # ADF itself nests containers two deep
MAX_TEXT = 120
EXTERNAL = frozenset({"Copy", "WebActivity", "Lookup", "AzureFunctionActivity", "SqlServerStoredProcedure", "Script"})
CONTROL = frozenset({"ForEach", "Until", "IfCondition", "Switch", "SetVariable", "AppendVariable", "Wait", "Filter",
                     "Fail", "ExecutePipeline"})  # fmt: skip
# The settings of an activity that hold its author's expressions.
EXPRESSIONS = ("items", "expression", "on", "condition", "waitTimeInSeconds", "storedProcedureName", "value")
_SPAN = re.compile(r"\d{1,3}\.\d{1,2}:\d{2}:\d{2}|\d{1,2}:\d{2}:\d{2}")
_OBJECT = re.compile(r"[\w.\[\]$#-]{1,128}")  # a name of a procedure, with its schema
_WORD = re.compile(r"\w{1,60}")
_WEEK = "7."  # timeouts read days.hours:minutes:seconds


@dataclass(frozen=True, slots=True)
class Step:
    """An activity where it stands: `branch` says in which arm of its container."""

    raw: Mapping[str, Any]
    depth: int = 0
    inside: str = ""
    branch: str = ""  # in words of ours
    case: str = ""  # the value of a Switch's case: its author's text

    @property
    def name(self) -> str:
        return fields.text(self.raw, "name") or "without a name"

    @property
    def type(self) -> str:
        return fields.text(self.raw, "type") or "of an unknown type"

    @property
    def settings(self) -> Mapping[str, Any]:
        return fields.mapping(self.raw, "typeProperties")

    @property
    def waits_for(self) -> list[tuple[str, list[str]]]:
        waits = [(fields.text(wait, "activity"), wait) for wait in fields.items(self.raw, "dependsOn")]
        return [(name, [str(c) for c in fields.items(wait, "dependencyConditions")]) for name, wait in waits if name]

    @property
    def child(self) -> str:
        return reference(self.settings.get("pipeline"))

    @property
    def datasets(self) -> list[str]:
        found = [*fields.items(self.raw, "inputs"), *fields.items(self.raw, "outputs"), self.settings.get("dataset")]
        return [name for name in map(reference, found) if name]


def steps(definition: Mapping[str, Any]) -> list[Step]:
    """Every activity, containers before what is in them, each level in the order in which it runs."""
    return list(_walk(fields.items(definition, "activities"), 0, "", ""))


def reference(raw: object) -> str:
    """The name in a reference; a name decided at run time is no name."""
    return fields.text(raw, "referenceName")


def _walk(activities: Sequence[object], depth: int, inside: str, branch: str, case: str = "") -> Iterator[Step]:
    for raw in ordered([fields.as_mapping(activity) for activity in activities if isinstance(activity, Mapping)]):
        step = Step(raw, depth, inside, branch, case)
        yield step
        if depth < MAX_DEPTH:
            for arm, value, inner in _arms(step.settings):
                yield from _walk(inner, depth + 1, step.name, arm, value)


def _arms(settings: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    yield "", "", fields.items(settings, "activities")
    yield "if true", "", fields.items(settings, "ifTrueActivities")
    yield "if false", "", fields.items(settings, "ifFalseActivities")
    cases = fields.items(settings, "cases")
    for number, case in enumerate(cases, start=1):
        value = safe(fields.text(case, "value"), 40)
        yield f"case {number} of {len(cases)}", value, fields.items(case, "activities")
    yield "in any other case", "", fields.items(settings, "defaultActivities")


def ordered(activities: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By dependency, else as written. A circle, which ADF refuses, is left as written."""
    placed: list[Mapping[str, Any]] = []
    waiting = list(activities)
    names = {fields.text(activity, "name") for activity in activities}
    done: set[str] = set()
    while waiting:
        ready = [a for a in waiting if all(w not in names or w in done for w, _ in Step(a).waits_for)] or waiting
        placed += ready
        done |= {fields.text(activity, "name") for activity in ready}
        waiting = [activity for activity in waiting if not any(activity is one for one in ready)]
    return placed


def sentence(step: Step) -> str:
    where = f" in {step.inside}{f' ({step.branch})' if step.branch else ''}" if step.inside else ""
    waits = listed([f"{name} {_when(conditions)}" for name, conditions in step.waits_for])
    off = " It is deactivated." if fields.text(step.raw, "state") == "Inactive" else ""
    return f"{step.name}{where}: {_does(step)}{f', after {waits}' if waits else ''}.{off}"


def _when(conditions: Sequence[str]) -> str:
    words = {"Succeeded": "succeeded", "Failed": "failed", "Skipped": "was skipped", "Completed": "ended in any way"}
    return " or ".join(words.get(condition, "ended in a way not known here") for condition in conditions) or "ended"


def _does(step: Step) -> str:
    settings = step.settings
    names = listed([repr(name) for name in step.datasets])
    match step.type:
        case "Copy":
            source = listed([repr(n) for n in map(reference, fields.items(step.raw, "inputs")) if n])
            sink = listed([repr(n) for n in map(reference, fields.items(step.raw, "outputs")) if n])
            return f"copies from {source or 'a source'} to {sink or 'a sink'}"
        case "ExecutePipeline":
            waits = "and waits for it" if settings.get("waitOnCompletion") is not False else "without waiting for it"
            return f"runs {f'pipeline {step.child!r}' if step.child else 'a pipeline that cannot be read'} {waits}"
        case "ForEach":
            batch = fields.whole(settings, "batchCount") or 20
            way = "one after the other" if settings.get("isSequential") is True else f"up to {batch} at once"
            return f"loops over the list of an expression {way}"
        case "Until":
            return f"repeats until its condition holds (timeout {_limit(step)})"
        case "IfCondition":
            return "decides by its condition"
        case "Switch":
            return f"chooses one of {count(len(fields.items(settings, 'cases')), 'case')}"
        case "Filter":
            return "filters a list by its condition"
        case "Lookup" | "GetMetadata":
            return f"{'looks up rows' if step.type == 'Lookup' else 'reads metadata'} of {names or 'a dataset'}"
        case "Delete":
            return f"deletes files of {names or 'a dataset'}"
        case "SetVariable" | "AppendVariable":
            return f"sets variable {safe(fields.text(settings, 'variableName'), 60) or 'unknown'!r}"
        case "Wait":
            seconds = fields.whole(settings, "waitTimeInSeconds")
            return f"waits {seconds} seconds" if seconds is not None else "waits for a time that an expression tells"
        case "Fail":
            return "ends the pipeline as failed on purpose"
        case "SqlServerStoredProcedure":
            name = fields.text(settings, "storedProcedureName")
            return f"calls stored procedure {name!r}" if _OBJECT.fullmatch(name) else "calls a stored procedure"
        case _:
            service = reference(step.raw.get("linkedServiceName"))
            kind = step.type if _WORD.fullmatch(step.type) else "unknown"
            return f"{kind} activity{f' on {service!r}' if service else ''}"


def expressions(step: Step) -> dict[str, str]:
    """Setting → what its author wrote, masked and cut. Of the settings that say what a step goes by."""
    found = {key: _written(step.settings, key) for key in EXPRESSIONS} | {"case": step.case}
    return {key: text for key, text in found.items() if text}


def _written(settings: Mapping[str, Any], key: str) -> str:
    raw = settings.get(key)
    text = fields.text(raw, "value") if isinstance(raw, Mapping) else fields.text(settings, key)
    return safe(text, MAX_TEXT)


def _timeout(step: Step) -> str:
    return safe(fields.text(fields.mapping(step.raw, "policy"), "timeout") or fields.text(step.settings, "timeout"), 40)


def _limit(step: Step) -> str:
    told = _timeout(step)
    return told if _SPAN.fullmatch(told) else "told by an expression" if told else "not set"


def retries(step: Step) -> int | None:
    return fields.whole(fields.mapping(step.raw, "policy"), "retry")


def hints(definition: Mapping[str, Any]) -> list[str]:
    """What an experienced reader would question."""
    found = steps(definition)
    bare = [s.name for s in found if s.type in EXTERNAL and not retries(s) and "retry" not in _dynamic(s)]
    week = [s.name for s in found if _timeout(s).startswith(_WEEK) and s.type not in {"Until"}]
    endless = [s.name for s in found if s.type == "Until" and (_timeout(s).startswith(_WEEK) or not _timeout(s))]
    loose = [s.name for s in found if s.type == "ExecutePipeline" and s.settings.get("waitOnCompletion") is False]
    masked = sorted({name for s in found for name, conditions in s.waits_for if "Failed" in conditions})
    texts = [
        f"No retry: {listed(bare)}: a short outage fails the run." if bare else "",
        f"Timeout of 7 days: {listed(week)}: a stuck activity is noticed late." if week else "",
        f"Loop that may go on for 7 days: {listed(endless)}." if endless else "",
        f"Not waited for: {listed(loose)}: a failure in the child does not fail this run." if loose else "",
        f"A failure of {listed(masked)} has a handler: the run can succeed although it failed." if masked else "",
        "Concurrency is not limited: runs can overlap." if fields.whole(definition, "concurrency") is None else "",
    ]
    return [text for text in texts if text]


def _dynamic(step: Step) -> set[str]:
    """Settings of the policy that are decided at run time."""
    return {str(key) for key, value in fields.mapping(step.raw, "policy").items() if isinstance(value, Mapping)}


def starters(pipeline: str, triggers: Sequence[Trigger]) -> list[Trigger]:
    return [trigger for trigger in triggers if pipeline in started_by(trigger)]


def started_by(trigger: Trigger) -> list[str]:
    """The pipelines that a trigger starts. A tumbling window names one, the others a list."""
    named = [*fields.items(trigger.definition, "pipelines"), trigger.definition.get("pipeline")]
    return [name for name in (reference(fields.as_mapping(raw).get("pipelineReference")) for raw in named) if name]


def callers(name: str, pipelines: Sequence[Pipeline]) -> list[str]:
    return [p.name for p in pipelines if any(step.child == name for step in steps(p.definition))]
