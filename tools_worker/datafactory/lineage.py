"""Who reads and writes which data, and what runs after what, from the definitions of one factory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import Any, TypeVar

from tools_worker.datafactory import fields
from tools_worker.datafactory.definitions import Step, reference, started_by, steps
from tools_worker.datafactory.models import Dataset, Pipeline, Trigger
from tools_worker.datafactory.places import UNKNOWN, defaults, evaluated, place, plain_name
from tools_worker.datafactory.queries import tables_of

__all__ = ["DELETES", "READS", "UNKNOWN", "WRITES", "Lineage", "Touch", "lineage", "place"]

K = TypeVar("K")
V = TypeVar("V")
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
        "HDInsightMapReduce",
        "HDInsightPig",
        "HDInsightStreaming",
        "SparkJob",
        "SqlPoolStoredProcedure",
        "DatabricksJob",
        "DataLakeAnalyticsU-SQL",
        "AzureDataExplorerCommand",
        "AzureMLBatchExecution",
        "AzureMLExecutePipeline",
        "WebHook",
        "ExecuteSSISPackage",
        "ExecuteWranglingDataflow",
    }
)
MAX_RECENT = 4  # factories
QUERIES = ("sqlReaderQuery", "oracleReaderQuery")
# Their `query` is not SQL over tables, or names what the dataset names already.
OTHER_QUERIES = frozenset({"CosmosDbSqlApiSource", "DocumentDbCollectionSource", "AzureDataExplorerSource"})


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


@dataclass(frozen=True)
class Lineage:
    touches: tuple[Touch, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()  # parent pipeline, child pipeline
    waits: tuple[tuple[str, str, str], ...] = ()  # pipeline, pipeline after it, trigger that waits for the other
    opaque: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # pipeline → activities whose data is not in the definition

    def about(self, words: str) -> list[Touch]:
        """Touches of a table, file, folder or dataset. `Orders` finds sales.Orders, not OrdersArchive."""
        wanted = plain_name(words).strip("/").casefold()
        return [touch for touch in self.touches if wanted and _is(wanted, touch)]

    def after(self, pipeline: str) -> list[tuple[str, str]]:
        """What runs or reads after a pipeline, with the reason."""
        return [(later, why) for later, why, _ in self._after.get(pipeline, ())]

    def before(self, pipeline: str) -> list[tuple[str, str]]:
        return [(earlier, why) for earlier, _, why in self._before.get(pipeline, ())]

    def downstream(self, pipelines: Iterable[str]) -> list[str]:
        """Everything that may be wrong when these are, step by step; each once, circles end."""
        seen = dict.fromkeys(pipelines)
        start, waiting = len(seen), list(seen)
        for name in waiting:
            fresh = [later for later in dict.fromkeys(n for n, _ in self.after(name)) if later not in seen]
            seen |= dict.fromkeys(fresh)
            waiting += fresh
        return list(seen)[start:]

    @cached_property
    def _after(self) -> Mapping[str, list[tuple[str, str, str]]]:
        """Pipeline → (other pipeline, why it comes after, why this one comes before)."""
        return _grouped((one, (later, after, before)) for one, later, after, before in self._links)

    @cached_property
    def _before(self) -> Mapping[str, list[tuple[str, str, str]]]:
        return _grouped((later, (one, after, before)) for one, later, after, before in self._links)

    @cached_property
    def _links(self) -> list[tuple[str, str, str, str]]:
        """Earlier pipeline, later pipeline, and the reason in the words of either side."""
        found = [(parent, child, "is called by it", "calls it") for parent, child in self.calls]
        found += [
            (one, later, f"its trigger {trigger} waits for it", f"the trigger {trigger} waits for it")
            for one, later, trigger in self.waits
        ]
        found += [
            (writer.pipeline, reader.pipeline, f"reads {reader.place}", f"writes {writer.place}")
            for writer, reader in _handed_on(self.touches)
        ]
        return list(dict.fromkeys(found))


def lineage(pipelines: Sequence[Pipeline], datasets: Sequence[Dataset], triggers: Sequence[Trigger] = ()) -> Lineage:
    """Of the same definitions, as the client keeps them for a while, it is worked out once."""
    key = (
        *((pipeline.name, id(pipeline.definition)) for pipeline in pipelines),
        *((dataset.name, dataset.linked_service, id(dataset.parameters), id(dataset.place)) for dataset in datasets),
        *((trigger.name, id(trigger.definition)) for trigger in triggers),
    )
    found = _recent.pop(key, None) or _Recent(
        (*pipelines, *datasets, *triggers), _worked_out(pipelines, datasets, triggers)
    )
    _recent[key] = found
    while len(_recent) > MAX_RECENT:
        _recent.popitem(last=False)
    return found.lineage


@dataclass(frozen=True, slots=True)
class _Recent:
    definitions: tuple[object, ...]  # held, so that no other object gets one of their ids
    lineage: Lineage


_recent: OrderedDict[tuple[object, ...], _Recent] = OrderedDict()


def _worked_out(pipelines: Sequence[Pipeline], datasets: Sequence[Dataset], triggers: Sequence[Trigger]) -> Lineage:
    known = {dataset.name.casefold(): dataset for dataset in datasets}
    names = {pipeline.name.casefold(): pipeline.name for pipeline in pipelines}
    found = [(pipeline, step) for pipeline in pipelines for step in steps(pipeline.definition) if _active(step)]
    calls = ((pipeline.name, names.get(step.child.casefold(), step.child)) for pipeline, step in found if step.child)
    hidden = _grouped((pipeline.name, step.name) for pipeline, step in found if step.type in OPAQUE)
    return Lineage(
        tuple(touch for pipeline, step in found for touch in _touches(pipeline, step, known)),
        tuple(dict.fromkeys(calls)),
        tuple(_waits(triggers)),
        {name: tuple(activities) for name, activities in hidden.items()},
    )


def _active(step: Step) -> bool:
    return fields.text(step.raw, "state") != "Inactive"


def _touches(pipeline: Pipeline, step: Step, known: Mapping[str, Dataset]) -> Iterator[Touch]:
    values = defaults(fields.mapping(pipeline.definition, "parameters"))
    single = DELETES if step.type == "Delete" else READS
    named = [(READS, raw) for raw in fields.items(step.raw, "inputs")]
    named += [(WRITES, raw) for raw in fields.items(step.raw, "outputs")]
    named += [(single, step.settings.get("dataset"))]
    for mode, raw in named:
        name = reference(raw)
        if name:
            dataset = known.get(name.casefold())
            narrowed = fields.NOTHING if mode == WRITES else _narrowed(step)
            where = place(dataset, fields.mapping(raw, "parameters"), values, narrowed)
            for each in _queried(step, values, where) if mode == READS else [where]:
                yield Touch(pipeline.name, step.name, mode, name, dataset.linked_service if dataset else "", each)


def _narrowed(step: Step) -> dict[str, Any]:
    """A folder or file pattern of the activity goes before the dataset's own."""
    store = fields.mapping(step.settings, "storeSettings") or fields.mapping(
        fields.mapping(step.settings, "source"), "storeSettings"
    )
    patterns = {"folderPath": store.get("wildcardFolderPath"), "fileName": store.get("wildcardFileName")}
    return {part: raw for part, raw in patterns.items() if raw not in (None, "")}


def _queried(step: Step, values: Mapping[str, str], where: str) -> list[str]:
    """A query reads its own tables, whatever table the dataset names."""
    source = fields.mapping(step.settings, "source")
    if source.get("sqlReaderStoredProcedureName") or source.get("storedProcedureName"):
        return [UNKNOWN]
    given = [source[key] for key in QUERIES if source.get(key) not in (None, "")]
    if not given and (source.get("query") in (None, "") or fields.text(source, "type") in OTHER_QUERIES):
        return [where]
    query = evaluated(given[0] if given else source["query"], values)
    return tables_of(query) or [UNKNOWN]


def _waits(triggers: Sequence[Trigger]) -> Iterator[tuple[str, str, str]]:
    known = {trigger.name: trigger for trigger in triggers}
    for trigger in triggers:
        for need in fields.items(fields.mapping(trigger.definition, "typeProperties"), "dependsOn"):
            first = known.get(reference(fields.mapping(need, "referenceTrigger")))
            if first is not None and first is not trigger:
                for before in started_by(first):
                    yield from ((before, later, trigger.name) for later in started_by(trigger))


def _handed_on(touches: Sequence[Touch]) -> Iterator[tuple[Touch, Touch]]:
    """Who writes and who reads the same place, or one inside the other. The same text in two stores is not the same
    data, and in an unknown store it may be any."""
    told = [touch for touch in touches if touch.resolved and touch.store]
    reads = [(touch, _folders(touch)) for touch in told if touch.mode == READS]
    at = _grouped((folders[-1], touch) for touch, folders in reads)
    below = _grouped((folder, touch) for touch, folders in reads for folder in folders[:-1])
    for writer in told:
        if writer.mode == WRITES:
            folders = _folders(writer)
            readers = [touch for folder in folders for touch in at.get(folder, ())] + below.get(folders[-1], [])
            yield from ((writer, reader) for reader in readers if reader.pipeline != writer.pipeline)


def _folders(touch: Touch) -> list[tuple[str, str]]:
    """The place as a key, after all folders that it is in. A pattern of files stands for its folder."""
    parts = touch.place.casefold().split("/")
    parts = list(takewhile(lambda part: "*" not in part, parts)) or parts
    return [(touch.store, "/".join(parts[: depth + 1])) for depth in range(len(parts))]


def _is(wanted: str, touch: Touch) -> bool:
    where = touch.place.casefold()
    if wanted in (touch.dataset.casefold(), where) or where.endswith((f".{wanted}", f"/{wanted}")):
        return True
    if where.startswith(f"{wanted}/") or f"/{wanted}/" in where:
        return True
    # A database before the schema, or the schema that SQL Server takes where none is named.
    return wanted == f"dbo.{where}" or ("." in where and wanted.endswith(f".{where}"))


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
