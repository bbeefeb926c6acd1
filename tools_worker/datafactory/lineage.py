"""Who reads and writes which data, and what runs after what, from the definitions of one factory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.definitions import Step, reference, started_by, steps
from tools_worker.datafactory.models import Dataset, Pipeline, Trigger

UNKNOWN = "{decided at run time}"
READS, WRITES, DELETES = "reads", "writes", "deletes"
# What these touch stands in code or in another definition, which this app does not read.
OPAQUE = frozenset(
    {
        "SqlServerStoredProcedure",
        "Script",
        "ExecuteDataFlow",
        "DatabricksNotebook",
        "DatabricksSparkPython",
        "DatabricksSparkJar",
        "WebActivity",
        "AzureFunctionActivity",
        "SynapseNotebook",
        "Custom",
        "HDInsightSpark",
        "HDInsightHive",
        "ExecuteSSISPackage",
        "ExecuteWranglingDataflow",
    }
)
_PARAMETER = re.compile(r"@\{?\s{0,5}(?:dataset|pipeline)\(\)\.(?:parameters\.)?(\w{1,100})\s{0,5}\}?")
_PLACE = (
    "schema",
    "table",
    "tableName",
    "fileSystem",
    "container",
    "bucketName",
    "folderPath",
    "fileName",
    "relativeUrl",
    "collectionName",
    "collection",
    "entityName",
    "objectApiName",
)


@dataclass(frozen=True, slots=True)
class Touch:
    pipeline: str
    activity: str
    mode: str
    dataset: str
    store: str  # linked service
    place: str  # "sales.Orders", "landing/inventory"; UNKNOWN in it where the definition does not tell

    @property
    def resolved(self) -> bool:
        return UNKNOWN not in self.place and bool(self.place)


@dataclass(frozen=True, slots=True)
class Lineage:
    touches: tuple[Touch, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()  # parent pipeline, child pipeline
    waits: tuple[tuple[str, str, str], ...] = ()  # pipeline, pipeline after it, trigger that waits for the other
    opaque: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # pipeline → activities whose data is not in the definition

    def about(self, words: str) -> list[Touch]:
        """Touches of a table, file, folder or dataset. `Orders` finds sales.Orders, not OrdersArchive."""
        wanted = _plain(words)
        return [touch for touch in self.touches if _is(wanted, touch)]

    def after(self, pipeline: str) -> list[tuple[str, str]]:
        """What runs or reads after a pipeline, with the reason."""
        written = {_key(t) for t in self.touches if t.pipeline == pipeline and t.mode == WRITES and t.resolved}
        found = [(child, "is called by it") for parent, child in self.calls if parent == pipeline]
        found += [
            (later, f"its trigger {trigger} waits for it") for one, later, trigger in self.waits if one == pipeline
        ]
        found += [
            (t.pipeline, f"reads {t.place}")
            for t in self.touches
            if t.mode == READS and t.pipeline != pipeline and _key(t) in written
        ]
        return list(dict.fromkeys(found))

    def before(self, pipeline: str) -> list[tuple[str, str]]:
        read = {_key(t) for t in self.touches if t.pipeline == pipeline and t.mode == READS and t.resolved}
        found = [(parent, "calls it") for parent, child in self.calls if child == pipeline]
        found += [
            (one, f"the trigger {trigger} waits for it") for one, later, trigger in self.waits if later == pipeline
        ]
        found += [
            (t.pipeline, f"writes {t.place}")
            for t in self.touches
            if t.mode == WRITES and t.pipeline != pipeline and _key(t) in read
        ]
        return list(dict.fromkeys(found))

    def downstream(self, pipelines: Iterable[str]) -> list[str]:
        """Everything that may be wrong when these are, step by step; each once, circles end."""
        seen = list(dict.fromkeys(pipelines))
        start = len(seen)
        for name in seen:
            seen += [later for later in dict.fromkeys(n for n, _ in self.after(name)) if later not in seen]
        return seen[start:]


def lineage(pipelines: Sequence[Pipeline], datasets: Sequence[Dataset], triggers: Sequence[Trigger] = ()) -> Lineage:
    known = {dataset.name: dataset for dataset in datasets}
    found = [(pipeline, step) for pipeline in pipelines for step in steps(pipeline.definition)]
    opaque: dict[str, tuple[str, ...]] = {}
    for pipeline, step in found:
        if step.type in OPAQUE:
            opaque[pipeline.name] = (*opaque.get(pipeline.name, ()), step.name)
    return Lineage(
        tuple(touch for pipeline, step in found for touch in _touches(pipeline, step, known)),
        tuple(dict.fromkeys((pipeline.name, step.child) for pipeline, step in found if step.child)),
        tuple(_waits(triggers)),
        opaque,
    )


def _touches(pipeline: Pipeline, step: Step, known: Mapping[str, Dataset]) -> Iterator[Touch]:
    defaults = _defaults(fields.mapping(pipeline.definition, "parameters"))
    single = DELETES if step.type == "Delete" else READS
    named = [(READS, raw) for raw in fields.items(step.raw, "inputs")]
    named += [(WRITES, raw) for raw in fields.items(step.raw, "outputs")]
    named += [(single, step.settings.get("dataset"))]
    for mode, raw in named:
        name = reference(raw)
        if name:
            given = fields.mapping(raw, "parameters")
            store = known[name].linked_service if name in known else ""
            yield Touch(pipeline.name, step.name, mode, name, store, place(known.get(name), given, defaults))


def place(dataset: Dataset | None, given: Mapping[str, Any], pipeline: Mapping[str, Any]) -> str:
    """Where a dataset is, with its parameters filled in from the activity, then its defaults, then the pipeline's."""
    if dataset is None:
        return ""
    values = _defaults(dataset.parameters)
    values |= {str(name): _filled(value, pipeline) for name, value in given.items()}
    where = {**dataset.place, **fields.mapping(dataset.place, "location")}
    parts = [_filled(where[key], values) for key in _PLACE if where.get(key) not in (None, "")]
    joint = "." if "table" in where or "tableName" in where else "/"
    return joint.join(part for part in parts if part)


def _filled(raw: object, values: Mapping[str, Any]) -> str:
    text = fields.text(raw, "value") if isinstance(raw, Mapping) else fields.text({"value": raw}, "value")
    if not text.startswith("@") and "@{" not in text:
        return text
    done = _PARAMETER.sub(lambda found: str(values.get(found[1], UNKNOWN)), text)
    # A function around a parameter is not computed here.
    return UNKNOWN if "@" in done or "(" in done else done


def _defaults(parameters: Mapping[str, Any]) -> dict[str, str]:
    found = {str(name): fields.text(raw, "defaultValue") for name, raw in parameters.items()}
    return {name: value for name, value in found.items() if value and not value.startswith("@")}


def _waits(triggers: Sequence[Trigger]) -> Iterator[tuple[str, str, str]]:
    known = {trigger.name: trigger for trigger in triggers}
    for trigger in triggers:
        for need in fields.items(fields.mapping(trigger.definition, "typeProperties"), "dependsOn"):
            first = known.get(reference(fields.mapping(need, "referenceTrigger")))
            if first is not None and first is not trigger:
                for before in started_by(first):
                    yield from ((before, later, trigger.name) for later in started_by(trigger))


def _key(touch: Touch) -> tuple[str, str]:
    """The same text in two stores is not the same data."""
    return touch.store, touch.place.casefold()


def _plain(words: str) -> str:
    return words.strip().strip("[]/").replace("].[", ".").casefold()


def _is(wanted: str, touch: Touch) -> bool:
    if not wanted:
        return False
    names = {touch.dataset.casefold(), touch.place.casefold()}
    ends = (f".{wanted}", f"/{wanted}")
    parts = touch.place.casefold()
    return wanted in names or parts.endswith(ends) or parts.startswith(f"{wanted}/") or f"/{wanted}/" in parts
