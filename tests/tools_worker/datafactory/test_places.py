"""Where data is, of datasets, expressions and queries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools_worker.datafactory.lineage import Lineage, lineage
from tools_worker.datafactory.models import Dataset, Pipeline, Trigger
from tools_worker.datafactory.places import UNKNOWN, evaluated, place
from tools_worker.datafactory.queries import tables_of


def of(name: str) -> dict[str, str]:
    return {"referenceName": name, "type": "DatasetReference"}


def copy(one: str, other: str, **settings: Any) -> dict[str, Any]:
    return {"name": "C", "type": "Copy", "inputs": [of(one)], "outputs": [of(other)], "typeProperties": settings}


def table(name: str, **place: str) -> Dataset:
    return Dataset(name, "AzureSqlTable", "Db", place=place)


def folder(name: str, path: str, file: str = "") -> Dataset:
    return Dataset(
        name, "Parquet", "Lake", place={"location": {"fileSystem": "raw", "folderPath": path, "fileName": file}}
    )


def reading(dataset: Dataset, **settings: Any) -> Lineage:
    return lineage([Pipeline("P", {"activities": [copy(dataset.name, "X", **settings)]})], [dataset])


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        ("@pipeline().parameters.p", "Sales"),
        ("@{dataset().p}/in", "Sales/in"),
        ("in/@{pipeline().parameters.p}/@{utcnow('yyyy')}/x", f"in/Sales/{UNKNOWN}/x"),
        ("@concat('a/', dataset().p, '/b''s')", "a/Sales/b's"),
        ("@concat('a,(', toLower(dataset().p), ')')", "a,(sales)"),
        ("@toUpper(variables('v'))", UNKNOWN),
        ("@@home", "@home"),
        ("@pipeline().parameters.p.inner", UNKNOWN),
        ("@pipeline().parameters.p[0]", UNKNOWN),
        ("@pipeline().globalParameters.p", UNKNOWN),
        ("@pipeline().RunId", UNKNOWN),
        ("@item().p", UNKNOWN),
        ("@concat(dataset().p", UNKNOWN),
        ("in/@{dataset().p", "in/Sales"),
        ("@concat('a') 'b')", UNKNOWN),
        ("@" + "concat(" * 200, UNKNOWN),
        ("@{" * 500, UNKNOWN),
    ],
)
def test_computes_parameters_and_literals_and_nothing_else(expression: str, value: str) -> None:
    assert evaluated(expression, {"p": "Sales", "RunId": "wrong", "globalParameters": "wrong"}) == value


@given(st.text("@{}()',.'apdconcatse \\", max_size=60))
def test_evaluates_any_text(text: str) -> None:
    assert isinstance(evaluated(text, {"p": "x"}), str)


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        ("SELECT * FROM [sales].[Orders] o JOIN dbo.Customers c ON 1=1", ["sales.Orders", "dbo.Customers"]),
        ("select a\nfrom\n  sales.orders where x = 'from nowhere'", ["sales.orders"]),
        ('select 1 from "Sales"."Orders"', ["Sales.Orders"]),
        ("WITH recent AS (SELECT * FROM sales.Orders) SELECT * FROM recent", ["sales.Orders"]),
        ("select extract(day from ts) from log -- from old", ["log"]),
        ("select * from openrowset(bulk 'x') r", []),
        ("select * from (select 1 a) t", []),
        (f"select * from {UNKNOWN}", [UNKNOWN]),
        (f"select * from stage.{UNKNOWN} s join stage.A a", [UNKNOWN, "stage.A"]),
        ("EXEC sales.Load", []),
        ("", []),
    ],
)
def test_names_the_tables_of_a_query(query: str, tables: list[str]) -> None:
    assert tables_of(query) == tables


def test_a_query_goes_before_the_table_of_the_dataset() -> None:
    source = {"type": "SqlServerSource", "sqlReaderQuery": "select * from sales.Orders"}
    found = reading(table("D", schema="dbo", table="Placeholder"), source=source)
    assert [t.place for t in found.touches if t.mode == "reads"] == ["sales.Orders"]
    assert not found.about("dbo.Placeholder")


def test_a_stored_procedure_as_a_source_reads_what_nobody_can_see() -> None:
    found = reading(table("D", table="T"), source={"sqlReaderStoredProcedureName": "dbo.Read"})
    assert [t.resolved for t in found.touches] == [False, False]


def test_a_query_of_cosmos_reads_the_collection_of_the_dataset() -> None:
    source = {"type": "CosmosDbSqlApiSource", "query": "select * from c"}
    found = reading(
        Dataset("D", "CosmosDbSqlApiCollection", "Cosmos", place={"collectionName": "orders"}), source=source
    )
    assert found.touches[0].place == "orders"


def test_a_pattern_of_the_activity_goes_before_the_folder_of_the_dataset() -> None:
    store = {"storeSettings": {"wildcardFolderPath": "in/2026", "wildcardFileName": "*.csv"}}
    assert reading(folder("D", "in", "x.csv"), source=store).touches[0].place == "raw/in/2026/*.csv"


@pytest.mark.parametrize(
    "words",
    [
        "sales.Orders",
        "SALES.ORDERS",
        "[sales].[Orders]",
        '"sales"."orders"',
        "Orders",
        " orders ",
        "Dwh.sales.Orders",
        "D",
    ],
)
@pytest.mark.parametrize("named", [{"tableName": "[sales].[Orders]"}, {"schema": "sales", "table": "Orders"}])
def test_a_table_is_found_however_it_is_written(named: dict[str, str], words: str) -> None:
    assert reading(table("D", **named)).about(words)


@pytest.mark.parametrize("words", ["Order", "OrdersArchive", "purchases.Orders", "sales", "", "[]", "."])
def test_another_table_is_not_found(words: str) -> None:
    assert not reading(table("D", tableName="[sales].[Orders]")).about(words)


def test_dbo_is_the_schema_of_a_table_without_one() -> None:
    assert reading(table("D", tableName="Orders")).about("dbo.Orders")
    assert not reading(table("D", tableName="Orders")).about("sales.Orders")


def handed_on(written: Dataset, read: Dataset) -> list[str]:
    writes, reads = copy("S", written.name), copy(read.name, "T")
    found = lineage([Pipeline("P", {"activities": [writes]}), Pipeline("Q", {"activities": [reads]})], [written, read])
    return [name for name, _ in found.after("P")]


@pytest.mark.parametrize(
    ("written", "read"),
    [("in/sales", "in/sales"), ("in/sales", "in"), ("in", "in/sales"), ("IN/Sales", "in/sales"), ("in/sales", "")],
)
def test_a_folder_is_handed_on_with_what_is_in_it(written: str, read: str) -> None:
    assert handed_on(folder("A", written), folder("B", read)) == ["Q"]


@pytest.mark.parametrize(("written", "read"), [("in/sales", "in/salesman"), ("in/a", "in/b"), ("@item()", "in")])
def test_a_folder_beside_it_is_not(written: str, read: str) -> None:
    assert handed_on(folder("A", written), folder("B", read)) == []


def test_places_in_unknown_stores_are_not_taken_for_the_same() -> None:
    assert handed_on(Dataset("A", place={"table": "T"}), Dataset("B", place={"table": "T"})) == []


def test_what_is_deactivated_touches_nothing() -> None:
    off = copy("A", "B") | {"state": "Inactive"}
    found = lineage([Pipeline("P", {"activities": [off]})], [table("A", table="a"), table("B", table="b")])
    assert found.touches == ()


def test_a_pipeline_called_in_another_case_is_the_same() -> None:
    call = {"name": "R", "type": "ExecutePipeline", "typeProperties": {"pipeline": of("LOADSALES")}}
    found = lineage([Pipeline("Master", {"activities": [call]}), Pipeline("LoadSales")], [])
    assert found.downstream(["Master"]) == ["LoadSales"]


def test_two_ways_of_naming_one_table_are_told_once() -> None:
    assert place(table("D", schema="s", table="t", tableName="s.t"), {}, {}) == "s.t"


def test_pipelines_that_all_share_one_folder_are_told_once_each() -> None:
    datasets = [folder("A", "in"), folder("B", "in")]
    pipelines = [Pipeline(f"P{n}", {"activities": [copy("A", "B")]}) for n in range(300)]
    assert len(lineage(pipelines, datasets).downstream(["P0"])) == 299


@pytest.mark.parametrize("broken", [None, 3, "x", [], {"a": {"b": []}}, [[{}]], float("nan")])
def test_broken_parts_of_a_dataset_or_a_copy_raise_nothing(broken: Any) -> None:
    raw = {"name": "D", "properties": {"type": broken, "linkedServiceName": broken, "parameters": broken}}
    datasets = [Dataset.of({**raw, "properties": {**raw["properties"], "typeProperties": part}})  # type: ignore[dict-item]
                for part in (broken, {"location": broken, "table": broken, "schema": broken})]  # fmt: skip
    source = {"sqlReaderQuery": broken, "query": broken, "storeSettings": {"wildcardFolderPath": broken}}
    activity = copy("D", "D", source=source, storeSettings=broken) | {"state": broken}
    activity["inputs"] = [{"referenceName": "D", "parameters": {"x": broken}}, broken]
    trigger = Trigger.of({"name": "T", "properties": {"pipelines": broken, "typeProperties": {"dependsOn": broken}}})
    for dataset in datasets:
        found = lineage([Pipeline("P", {"activities": [activity], "parameters": broken})], [dataset], [trigger])
        assert {t.pipeline for t in found.touches} <= {"P"}
        assert found.after("P") == []
