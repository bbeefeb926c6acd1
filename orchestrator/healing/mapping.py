"""What to change in a pipeline whose source renamed a column: a patch for a person to review, never applied here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from orchestrator.incidents.record import Incident
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.wording import safe

MISSING = re.compile(
    r"Column '(?P<name>[^']{1,128})' specified in column mapping cannot be found in '[^']*' source file"
)
FOUND = re.compile(r"Columns found: (?P<names>[^\n]{1,4000})")
CUTOFF = 0.6  # how alike two names must be


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`patch` is a JSON Patch (RFC 6902) of the pipeline's definition."""

    pipeline: str
    column: str
    instead: str
    patch: Sequence[Mapping[str, str]]

    @property
    def told(self) -> str:
        places = ", ".join(str(step["path"]) for step in self.patch)
        where = f"change {places} of {self.pipeline}" if self.patch else f"change the mapping in {self.pipeline}"
        gone, near = safe(self.column, 128), safe(self.instead, 128)
        return (
            f"The source has no column {gone!r} any more; the closest is {near!r}. "
            f"If it was renamed, {where}. A person has to review this: nothing was changed."
        )

    def as_data(self) -> dict[str, Any]:
        return {"pipeline": self.pipeline, "column": self.column, "instead": self.instead, "patch": list(self.patch)}


async def suggested(factory: DataFactory, incident: Incident) -> Suggestion | None:
    """None where the error does not tell which column is gone, or nothing that is there is like it."""
    run = await factory.pipeline_run(incident.runs[0].run_id)
    texts = [each.error.message for each in await factory.activity_runs(run) if each.failed]
    for text in texts:
        if told := read(text):
            column, instead = told
            pipeline = await factory.pipeline(run.pipeline)
            return Suggestion(run.pipeline, column, instead, patch(pipeline.definition, column, instead))
    return None


def read(text: str) -> tuple[str, str] | None:
    """The column that is missing, and the one that is most like it, of an error's text."""
    missing, found = MISSING.search(text), FOUND.search(text)
    if not missing or not found:
        return None
    names = [name.strip(" .'\"") for name in found["names"].split(",")]
    by_folded = {name.casefold(): name for name in names}
    near = get_close_matches(missing["name"].casefold(), list(by_folded), 1, CUTOFF)
    return (missing["name"], by_folded[near[0]]) if near else None


def patch(definition: Mapping[str, Any], column: str, instead: str) -> list[dict[str, str]]:
    """Each place of a copy's mapping that names the column as a source."""
    return [
        step
        for path, source in _sources(definition, "")
        if fields.text(source, "name") == column
        for step in (
            {"op": "test", "path": f"{path}/name", "value": column},
            {"op": "replace", "path": f"{path}/name", "value": instead},
        )
    ]


def _sources(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Sources of mappings, wherever in the definition, with JSON Pointers."""
    if isinstance(value, Mapping):
        mappings = fields.items(fields.mapping(value, "translator"), "mappings")
        for number, mapping in enumerate(mappings):
            yield f"{path}/translator/mappings/{number}/source", fields.mapping(mapping, "source")
        for name, inner in value.items():
            yield from _sources(inner, f"{path}/{_escaped(str(name))}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _sources(inner, f"{path}/{number}")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
