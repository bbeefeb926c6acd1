"""Planning a run by hand: a pipeline with parameters, held against those that it declares."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from core.errors import NotFound
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import resolve_pipeline
from tools_worker.datafactory.models import Pipeline
from tools_worker.datafactory.operations.grounds import (
    RISKS,
    Grounds,
    annotations_of,
    beside,
    definitions_fact,
    first,
    ids,
    repeating,
    shown,
    works_beside,
)
from tools_worker.datafactory.operations.model import Plan, Repeatable
from tools_worker.datafactory.operations.repeats import repeats_of
from tools_worker.datafactory.wording import listed, safe

MAX_BYTES = 200_000  # of all parameters together
MAX_TOLD = 12
LATELY, MAX_SEEN = timedelta(minutes=15), 50  # runs that could be taken for the one that it starts
_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "securestring": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "array": (list,),
    "object": (dict,),
}
SECURE = "securestring"  # a type of parameter whose value nobody is shown
HIDDEN = "(hidden)"
_TYPE_WORDS = {"string": "a text", "securestring": "a text", "int": "a whole number", "float": "a number",
               "bool": "true or false", "array": "a list", "object": "an object"}  # fmt: skip


async def plan_run(grounds: Grounds) -> Plan:
    """Raises NotFound with the closest names."""
    live, given = grounds.live, grounds.given.mapping("parameters")
    name = await resolve_pipeline(live, grounds.given.name("pipeline"))
    going, estate, lately = await asyncio.gather(
        grounds.going(name),
        grounds.estate(),
        live.pipeline_runs(grounds.now - LATELY, pipeline=name, limit=MAX_SEEN),
    )
    pipeline = estate.pipelines.get(name)
    if pipeline is None:  # deleted between the two reads
        raise NotFound(f"No pipeline named {name!r} in {live.name!r}.")
    parameters, refusal = _checked(pipeline, given)
    repeats = repeats_of(fields.items(pipeline.definition, "activities"), pipeline, estate, parameters)
    at_once = works_beside(going, pipeline)
    repeatable: Repeatable = "unknown" if at_once and repeats.repeatable == "yes" else repeats.repeatable
    return grounds.plan(
        f"Run {name}",
        {"pipeline": name, "parameters": parameters},
        effects=(
            f"A new run of {name} starts.",
            _with(pipeline, parameters),
            f"It calls {listed(repeats.children, MAX_TOLD)}." if repeats.children else "",
            beside(going, pipeline),
            f"If another run has done this work already: {repeating(repeats, at_once=at_once)[0].lower()}"
            f"{repeating(repeats, at_once=at_once)[1:]}",
        ),
        facts={
            "pipeline": name,
            "other runs going on": ids(going),
            "definitions": definitions_fact(pipeline, repeats.children, estate),
        },
        refusal=refusal,
        risk=RISKS[repeatable],
        pipeline=name,
        annotations=annotations_of(pipeline),
        repeatable=repeatable,
        seen=tuple(each.run_id for each in lately),
    )


def _checked(pipeline: Pipeline, given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The parameters under their declared names, and why they cannot be taken."""
    declared = fields.mapping(pipeline.definition, "parameters")
    spelt = {str(name).casefold(): str(name) for name in declared}
    taken = {spelt.get(name.casefold(), name): value for name, value in given.items()}
    kept = {name: HIDDEN if _secret(name, declared.get(name)) else value for name, value in taken.items()}
    return kept, first(
        *(_unknown(name, declared) for name in taken if name not in declared),
        *(_twice(name, given) for name in taken),
        *(_secret(name, declared.get(name)) for name in taken),
        *(_wrong(name, value, declared[name]) for name, value in taken.items() if name in declared),
        _missing(declared, taken),
        f"Its parameters are larger than {MAX_BYTES} bytes."
        if len(json.dumps(taken, default=str).encode("utf-8", "replace")) > MAX_BYTES
        else "",
    )


def _unknown(name: str, declared: Mapping[str, Any]) -> str:
    names = [str(known) for known in declared]
    close = get_close_matches(name, names, n=1)
    has = f"Closest: {close[0]}." if close else f"It has {listed(sorted(names), 12)}." if names else "It has none."
    return f"The pipeline has no parameter {safe(name, 60)!r}. {has}"


def _twice(name: str, given: Mapping[str, Any]) -> str:
    spellings = [each for each in given if each.casefold() == name.casefold()]
    return f"Parameter {name!r} is given more than once." if len(spellings) > 1 else ""


def _secret(name: str, declared: Any) -> str:
    """An operation is put on record, shown to people, and kept."""
    secret = fields.text(declared, "type").casefold() == SECURE
    return f"Parameter {name!r} is a secret: it is not taken here, where it would be kept." if secret else ""


def _wrong(name: str, value: Any, declared: Any) -> str:
    kind = fields.text(declared, "type").casefold()
    right = _JSON_TYPES.get(kind)
    if right is None or (isinstance(value, right) and (not isinstance(value, bool) or kind == "bool")):
        return ""
    return f"Parameter {name!r} is {_TYPE_WORDS[kind]}, and {shown(value)} is none."


def _missing(declared: Mapping[str, Any], taken: Mapping[str, Any]) -> str:
    left = [str(name) for name, raw in declared.items() if name not in taken and not _has_default(raw)]
    return f"It needs a value for {listed(sorted(left), 12)}." if left else ""


def _has_default(raw: Any) -> bool:
    return fields.as_mapping(raw).get("defaultValue") is not None


def _with(pipeline: Pipeline, parameters: Mapping[str, Any]) -> str:
    declared = fields.mapping(pipeline.definition, "parameters")
    if not declared:
        return "It takes no parameters."
    told = [f"{name} = {shown(value)}" for name, value in sorted(parameters.items())]
    rest = sorted(str(name) for name in declared if name not in parameters)
    by_default = f"{listed(rest, MAX_TOLD)} as by default" if rest else ""
    return f"Its parameters: {listed([*told, *([by_default] if by_default else [])], MAX_TOLD)}."
