"""May a copy be done twice: what its sink does with the rows or files that are there already.

Read from the definition, before it runs. What is decided at run time is not known, and what is not known is not safe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.definitions import Step, reference
from tools_worker.datafactory.models import Dataset
from tools_worker.datafactory.operations.model import Repeatable
from tools_worker.datafactory.places import UNKNOWN, evaluated, place, plain_name

UPSERTS = frozenset({"upsert", "merge", "replace", "upload", "overwrite", "overwriteschema"})
ADDS = frozenset({"insert", "append"})
_BEHAVIOURS = ("writeBehavior", "tableActionOption", "azureTableInsertType")  # as the kinds of sink call it
FILES = frozenset(
    {"ParquetSink", "DelimitedTextSink", "JsonSink", "AvroSink", "OrcSink", "BinarySink", "BlobSink", "AzureBlobFSSink",
     "AzureDataLakeStoreSink", "FileSystemSink"}
)  # fmt: skip
# Kinds that add rows where they are told nothing else; those of SQL in their name besides.
ADDING = frozenset(
    {"OracleSink", "SnowflakeSink", "SnowflakeV2Sink", "AzureDatabricksDeltaLakeSink", "WarehouseSink", "TeradataSink",
     "AzureDataExplorerSink", "LakeHouseTableSink", "OdbcSink", "InformixSink", "MicrosoftAccessSink", "SapHanaSink",
     "SalesforceSink", "SalesforceV2Sink", "SalesforceServiceCloudSink", "SalesforceServiceCloudV2Sink",
     "DocumentDbCollectionSink", "MongoDbV2Sink", "MongoDbAtlasSink"}
)  # fmt: skip
_FILE_READERS = ("ParquetSource", "DelimitedTextSource", "JsonSource", "AvroSource", "OrcSource", "BinarySource",
                 "ExcelSource", "XmlSource", "BlobSource", "AzureBlobFSSource", "FileSystemSource")  # fmt: skip
_NAME = r"(?P<table>[\w.\[\]\"`$#{} ]{1,300}?)"
_CLEARS = re.compile(rf"\s*(?:truncate\s+table|delete\s+from|delete)\s+{_NAME}\s*", re.IGNORECASE)
MAX_SCRIPT = 20_000  # characters


@dataclass(frozen=True, slots=True)
class Found:
    """`why` is the end of a sentence that begins with the activity's name; empty where it may be repeated."""

    repeatable: Repeatable
    why: str = ""


YES = Found("yes")


def sink_of(copy: Step, datasets: Mapping[str, Dataset], parameters: Mapping[str, str]) -> Found:
    """`parameters` are the pipeline's, as far as they are known."""
    sink = fields.mapping(copy.settings, "sink")
    told = [evaluated(sink[key], parameters).casefold() for key in _BEHAVIOURS if sink.get(key) is not None]
    if any(UNKNOWN in each for each in told):
        return Found("unknown", "decides at run time how it writes")
    if fields.text(sink, "sqlWriterStoredProcedureName") or isinstance(
        sink.get("sqlWriterStoredProcedureName"), Mapping
    ):
        return Found("unknown", "writes through a stored procedure")
    kind = fields.text(sink, "type")
    if kind == "AzureTableSink" and not sink.get("azureTableRowKeyName"):
        return Found("unknown", "gives its rows new keys each time")
    if any(each in UPSERTS for each in told):
        return YES
    if sink.get("preCopyScript"):
        return _cleared(sink["preCopyScript"], _target(copy, datasets, parameters), parameters)
    if kind in FILES:
        return _files(copy, sink, datasets, parameters)
    if any(each in ADDS for each in told) or "sql" in kind.lower() or kind in ADDING:
        return Found("no", "adds rows, so that those written before would be there twice")
    return Found("unknown", "writes to a kind of sink of which it is not known whether it repeats rows")


def _target(copy: Step, datasets: Mapping[str, Dataset], parameters: Mapping[str, str]) -> str:
    output = next(iter(fields.items(copy.raw, "outputs")), None)
    given = fields.mapping(output, "parameters")
    return place(datasets.get(reference(output)), given, parameters)


def _cleared(script: Any, target: str, parameters: Mapping[str, str]) -> Found:
    """A script that empties the very table that is written to makes the copy safe; another one does not."""
    text = evaluated(script, parameters)
    if UNKNOWN in text or not text or len(text) > MAX_SCRIPT:
        return Found("unknown", "runs a script before it writes that is made at run time")
    tables = [_emptied(statement) for statement in text.split(";")]
    if not any(tables):
        return Found("unknown", "runs a script before it writes that does not empty a table")
    if not target or UNKNOWN in target:
        return Found("unknown", "empties a table first, and which one it writes to is decided at run time")
    if any(table and _same_table(table, target) for table in tables):
        return YES
    return Found("no", "empties another table than the one that it adds rows to")


def _emptied(statement: str) -> str:
    """The table of which this leaves nothing; a DELETE with a condition leaves the rest."""
    match = _CLEARS.fullmatch(statement)
    return plain_name(match["table"]) if match and not re.search(r"\s(?:where|using|join)\s", statement, re.I) else ""


def _same_table(one: str, other: str) -> bool:
    """With their schemas where both tell one."""
    left, right = one.casefold().split("."), other.casefold().split(".")
    shared = min(len(left), len(right))
    return left[-shared:] == right[-shared:]


def _files(
    copy: Step, sink: Mapping[str, Any], datasets: Mapping[str, Dataset], parameters: Mapping[str, str]
) -> Found:
    """A file of the same name is overwritten. Names made up anew each time leave the first ones beside them."""
    behaviour = evaluated(fields.mapping(sink, "storeSettings").get("copyBehavior"), parameters)
    behaviour = behaviour or evaluated(sink.get("copyBehavior"), parameters)
    if UNKNOWN in behaviour or behaviour.casefold() == "flattenhierarchy":
        return Found("unknown", "may give its files new names each time")
    written = _target(copy, datasets, parameters)
    if UNKNOWN in written:
        return Found("unknown", "decides at run time where it writes its files")
    named = _file_name(copy, datasets)
    if named or fields.text(fields.mapping(copy.settings, "source"), "type") in _FILE_READERS:
        return YES
    return Found("unknown", "writes files of which the definition gives no name, so that a second set may appear")


def _file_name(copy: Step, datasets: Mapping[str, Dataset]) -> bool:
    output = next(iter(fields.items(copy.raw, "outputs")), None)
    dataset = datasets.get(reference(output))
    if dataset is None:
        return False
    where = {**dataset.place, **fields.mapping(dataset.place, "location")}
    return bool(where.get("fileName"))
