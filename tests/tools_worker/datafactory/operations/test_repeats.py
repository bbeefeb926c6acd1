"""Which activities may be run twice: what the sink does decides, and what is not known is not safe."""

from __future__ import annotations

from typing import Any

import pytest

from tools_worker.datafactory.definitions import Step
from tools_worker.datafactory.models import Dataset, Pipeline
from tools_worker.datafactory.operations.repeats import Estate, Repeats, repeats_of
from tools_worker.datafactory.operations.sinks import sink_of

DATASETS = {
    "Table": Dataset("Table", "AzureSqlTable", "Dw", place={"schema": "stage", "table": "Customers"}),
    "AnyTable": Dataset(
        "AnyTable",
        "AzureSqlTable",
        "Dw",
        {"table": {"type": "string"}},
        {"schema": "stage", "table": {"value": "@dataset().table", "type": "Expression"}},
    ),
    "Folder": Dataset("Folder", "Parquet", "Lake", place={"location": {"fileSystem": "in", "folderPath": "sales"}}),
    "File": Dataset("File", "Parquet", "Lake", place={"location": {"folderPath": "sales", "fileName": "all.parquet"}}),
    "RunFile": Dataset(
        "RunFile", "Parquet", "Lake", place={"location": {"fileName": {"value": "@concat(pipeline().RunId, '.x')"}}}
    ),
}


def copy(sink: dict[str, Any], to: str = "Table", source: str = "AzureSqlSource", **given: Any) -> Step:
    output = {"referenceName": to, "type": "DatasetReference", "parameters": given}
    settings = {"source": {"type": source}, "sink": sink}
    return Step({"name": "CopyIt", "type": "Copy", "typeProperties": settings, "outputs": [output]})


SQL = "AzureSqlSink"
SINKS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("rows are added by default", {"type": SQL}, {}, "no"),
    ("rows are inserted", {"type": SQL, "writeBehavior": "insert"}, {}, "no"),
    ("rows are appended", {"type": "LakeHouseTableSink", "tableActionOption": "Append"}, {}, "no"),
    ("rows are copied into a warehouse", {"type": "SnowflakeV2Sink"}, {}, "no"),
    ("rows are merged", {"type": SQL, "writeBehavior": "Upsert"}, {}, "yes"),
    ("a table is overwritten", {"type": "LakeHouseTableSink", "tableActionOption": "Overwrite"}, {}, "yes"),
    ("how it writes is an expression", {"type": SQL, "writeBehavior": {"value": "@item().how"}}, {}, "unknown"),
    ("a procedure writes", {"type": SQL, "sqlWriterStoredProcedureName": "dw.Add"}, {}, "unknown"),
    ("the table is truncated", {"type": SQL, "preCopyScript": "truncate table stage.Customers"}, {}, "yes"),
    ("in brackets", {"type": SQL, "preCopyScript": "TRUNCATE TABLE [stage].[Customers];"}, {}, "yes"),
    ("all rows are deleted", {"type": SQL, "preCopyScript": "DELETE FROM Customers"}, {}, "yes"),
    ("after another statement", {"type": SQL, "preCopyScript": "select 1; delete customers"}, {}, "yes"),
    ("some rows are deleted", {"type": SQL, "preCopyScript": "delete from stage.Customers where a = 1"}, {}, "unknown"),
    ("another table is emptied", {"type": SQL, "preCopyScript": "truncate table audit.Log"}, {}, "no"),
    ("of another schema", {"type": SQL, "preCopyScript": "truncate table dw.Customers"}, {}, "no"),
    ("the script only looks", {"type": SQL, "preCopyScript": "select 1"}, {}, "unknown"),
    ("the script is an expression", {"type": SQL, "preCopyScript": {"value": "@item().script"}}, {}, "unknown"),
    (
        "the table is decided at run time",
        {"type": SQL, "preCopyScript": "truncate table stage.Customers"},
        {"to": "AnyTable", "table": "@item().name"},
        "unknown",
    ),
    (
        "the table is given",
        {"type": SQL, "preCopyScript": "truncate table stage.Customers"},
        {"to": "AnyTable", "table": "Customers"},
        "yes",
    ),
    ("a file of one name", {"type": "ParquetSink"}, {"to": "File"}, "yes"),
    ("files of made-up names", {"type": "ParquetSink"}, {"to": "Folder"}, "unknown"),
    ("a file named by its run", {"type": "ParquetSink"}, {"to": "RunFile"}, "unknown"),
    ("files keep their names", {"type": "BinarySink"}, {"to": "Folder", "source": "BinarySource"}, "yes"),
    (
        "files are renamed",
        {"type": "BinarySink", "storeSettings": {"copyBehavior": "FlattenHierarchy"}},
        {"to": "Folder", "source": "BinarySource"},
        "unknown",
    ),
    ("keys are made up", {"type": "AzureTableSink", "azureTableInsertType": "replace"}, {}, "unknown"),
    ("a sink nobody has seen", {"type": "MoonSink"}, {}, "unknown"),
    ("no sink at all", {}, {}, "unknown"),
]


@pytest.mark.parametrize(("name", "sink", "more", "expected"), SINKS, ids=[each[0] for each in SINKS])
def test_what_the_sink_does_decides(name: str, sink: dict[str, Any], more: dict[str, Any], expected: str) -> None:
    found = sink_of(copy(sink, **more), DATASETS, {})
    assert found.repeatable == expected
    assert bool(found.why) == (expected != "yes")


def activity(name: str, kind: str, **settings: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "typeProperties": settings}


INSERT = copy({"type": SQL, "writeBehavior": "insert"}).raw
UPSERT = copy({"type": SQL, "writeBehavior": "upsert"}).raw


def repeats(*activities: Any, **children: list[Any]) -> Repeats:
    pipelines = {name: Pipeline(name, {"activities": list(each)}) for name, each in children.items()}
    return repeats_of(activities, Pipeline("Load", {"activities": list(activities)}), Estate(pipelines, DATASETS), {})


def calling(child: str, name: str = "RunChild") -> dict[str, Any]:
    return activity(name, "ExecutePipeline", pipeline={"referenceName": child, "type": "PipelineReference"})


def test_the_worst_activity_decides() -> None:
    assert repeats(UPSERT).repeatable == "yes"
    assert repeats(UPSERT, activity("Merge", "SqlServerStoredProcedure")).repeatable == "unknown"
    found = repeats(activity("Merge", "SqlServerStoredProcedure"), INSERT)
    assert found.repeatable == "no"
    assert found.reasons[0].startswith("CopyIt adds rows")


@pytest.mark.parametrize("arm", ["activities", "ifTrueActivities", "ifFalseActivities", "defaultActivities"])
def test_what_is_inside_a_container_counts(arm: str) -> None:
    assert repeats(activity("Each", "ForEach", **{arm: [INSERT]})).repeatable == "no"


def test_what_a_called_pipeline_does_counts() -> None:
    found = repeats(calling("Child"), Child=[calling("Grandchild")], Grandchild=[INSERT])
    assert (found.repeatable, found.children) == ("no", ("Child", "Grandchild"))


EMPTYING = copy(
    {"type": SQL, "preCopyScript": "truncate table stage.Customers"},
    to="AnyTable",
    table={"value": "@pipeline().parameters.table", "type": "Expression"},
).raw
TABLES = {"table": {"type": "string", "defaultValue": "Customers"}}


@pytest.mark.parametrize(
    ("given", "expected"), [({}, "yes"), ({"table": "Customers"}, "yes"), ({"table": "Orders"}, "no")]
)
def test_the_parameters_of_the_run_decide_which_table_it_is(given: dict[str, str], expected: str) -> None:
    pipeline = Pipeline("Load", {"activities": [EMPTYING], "parameters": TABLES})
    assert repeats_of([EMPTYING], pipeline, Estate({}, DATASETS), given).repeatable == expected


@pytest.mark.parametrize(
    ("handed", "expected"),
    [
        ([{}], "yes"),
        ([{"table": "Customers"}], "yes"),
        ([{"table": "Orders"}], "no"),
        ([{"table": "Customers"}, {"table": "Orders"}], "no"),
        ([{"table": {"value": "@item().name", "type": "Expression"}}], "unknown"),
        ([{"table": {"value": "@pipeline().parameters.name", "type": "Expression"}}], "no"),
    ],
)
def test_what_a_child_is_handed_decides_which_table_it_is(handed: list[dict[str, Any]], expected: str) -> None:
    child = Pipeline("Child", {"activities": [EMPTYING], "parameters": TABLES})
    own = [calling("Child", f"Call{number}") for number, _ in enumerate(handed)]
    for call, parameters in zip(own, handed, strict=True):
        call["typeProperties"]["parameters"] = parameters
    found = repeats_of(own, Pipeline("Load", {}), Estate({"Child": child}, DATASETS), {"name": "Orders"})
    assert (found.repeatable, found.children) == (expected, ("Child",))


def test_pipelines_that_call_each_other_in_a_circle_end() -> None:
    assert repeats(calling("One"), One=[calling("Two")], Two=[calling("One"), UPSERT]).repeatable == "yes"


def test_a_circle_that_hands_on_ever_more_ends_soon() -> None:
    call = calling("Child")
    twice = {"value": "@concat(pipeline().parameters.table, pipeline().parameters.table)", "type": "Expression"}
    call["typeProperties"]["parameters"] = {"table": twice}
    child = Pipeline("Child", {"activities": [call, EMPTYING], "parameters": TABLES})
    found = repeats_of([call], Pipeline("Load", {}), Estate({"Child": child}, DATASETS), {"table": "x"})
    assert found.repeatable != "yes"


def test_a_called_pipeline_that_nobody_knows_is_not_safe() -> None:
    assert repeats(calling("Nowhere")).repeatable == "unknown"
    assert repeats(activity("RunChild", "ExecutePipeline", pipeline="@item()")).repeatable == "unknown"


def test_what_is_switched_off_does_not_run() -> None:
    assert repeats({**INSERT, "state": "Inactive"}).repeatable == "yes"
    assert repeats(activity("Each", "ForEach", activities=[INSERT]) | {"state": "Inactive"}, UPSERT).repeatable == "yes"
    assert repeats(activity("Each", "ForEach", activities=[]) | {"state": "Inactive"}, INSERT).repeatable == "no"


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("Wait", {}, "yes"),
        ("GetMetadata", {}, "yes"),
        ("Lookup", {"source": {"type": "AzureSqlSource", "sqlReaderQuery": "select 1"}}, "yes"),
        ("Lookup", {"source": {"sqlReaderQuery": "select a into copy from t"}}, "unknown"),
        ("Lookup", {"source": {"sqlReaderQuery": "with c as (select 1) delete from c"}}, "unknown"),
        ("Lookup", {"source": {"sqlReaderQuery": "exec dw.Merge"}}, "unknown"),
        ("Lookup", {"source": {"sqlReaderStoredProcedureName": "dw.Merge"}}, "unknown"),
        ("WebActivity", {"method": "GET"}, "yes"),
        ("WebActivity", {"method": "POST"}, "unknown"),
        ("DatabricksNotebook", {}, "unknown"),
        ("ExecuteDataFlow", {}, "unknown"),
        ("Delete", {}, "unknown"),
        ("SomethingNew", {}, "unknown"),
    ],
)
def test_activities_beside_copies(kind: str, settings: dict[str, Any], expected: str) -> None:
    assert repeats(activity("It", kind, **settings)).repeatable == expected
