"""Who reads and writes which data, asked in the ways in which people write names."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.tools_worker.tools.asking import ask, prod, rows_of
from tools_worker.datafactory.models import Dataset, Pipeline
from tools_worker.tools.adf_lineage import MAX_SHOWN, TOOL

ORDERS = Dataset("SalesOrders", "AzureSqlTable", "Erp", place={"tableName": "[sales].[Orders]"})
STAGE = Dataset("Stage", "Parquet", "Lake", place={"location": {"fileSystem": "stage", "folderPath": "sales"}})
FACTS = Dataset("Facts", "AzureSqlTable", "Dwh", place={"schema": "dwh", "table": "FactSales"})


def copy(one: Dataset, other: Dataset, **settings: Any) -> dict[str, Any]:
    inputs, outputs = ([{"referenceName": each.name, "type": "DatasetReference"}] for each in (one, other))
    return {"name": "Copy1", "type": "Copy", "inputs": inputs, "outputs": outputs, "typeProperties": settings}


def world(*more: Pipeline) -> Any:
    load = Pipeline("LoadSales", {"activities": [copy(ORDERS, STAGE)]})
    facts = Pipeline("LoadFacts", {"activities": [copy(STAGE, FACTS)]})
    return prod(pipelines=[load, facts, *more], datasets=[ORDERS, STAGE, FACTS])


@pytest.mark.parametrize(
    "name", ["sales.Orders", "SALES.orders", "[sales].[orders]", "Orders", "orders", "Erp.sales.Orders"]
)
async def test_who_reads_a_table_however_it_is_written(name: str) -> None:
    reply = await ask(TOOL, world(), data=name)
    assert "is written by no pipeline and read by LoadSales in adf-prod (activity Copy1 reads it)" in reply.summary
    assert "After its readers come: LoadFacts in adf-prod." in reply.summary
    assert [(e.kind, e.id) for e in reply.evidence] == [("pipeline", "LoadSales")]


async def test_who_reads_a_table_that_only_a_query_names() -> None:
    source = {
        "type": "AzureSqlSource",
        "sqlReaderQuery": "SELECT * FROM sales.Customers c JOIN sales.Regions r ON 1 = 1",
    }
    by_query = Pipeline("Export", {"activities": [copy(ORDERS, STAGE, source=source)]})
    reply = await ask(TOOL, world(by_query), data="sales.customers")
    assert "read by Export in adf-prod" in reply.summary
    assert "Export" not in (await ask(TOOL, world(by_query), data="sales.Orders")).summary


async def test_who_writes_a_folder() -> None:
    reply = await ask(TOOL, world(), data="stage/sales/")
    assert "is written by LoadSales in adf-prod (activity Copy1 writes it)" in reply.summary


async def test_what_nobody_names_is_said_to_be_named_by_nobody() -> None:
    hidden = Pipeline("Notebook", {"activities": [{"name": "N", "type": "DatabricksNotebook"}]})
    reply = await ask(TOOL, world(hidden), data="sales.Nothing")
    assert "No activity in 'adf-prod' names 'sales.Nothing'" in reply.summary
    assert "1 activity (procedures, notebooks, data flows, calls) may touch more" in reply.summary
    assert (reply.evidence, reply.data["touches"]) == ([], [])


async def test_what_runs_around_a_pipeline() -> None:
    reply = await ask(TOOL, world(), pipeline="loadfacts")
    assert "Before it: LoadSales (writes stage/sales)." in reply.summary


async def test_more_touches_than_fit_are_counted() -> None:
    many = [Pipeline(f"P{n}", {"activities": [copy(ORDERS, FACTS)]}) for n in range(MAX_SHOWN + 5)]
    reply = await ask(TOOL, world(*many), data="sales.Orders")
    assert (len(rows_of(reply.data["touches"])), reply.data["left_out"], reply.truncated) == (MAX_SHOWN, 6, True)


@pytest.mark.parametrize("given", [{}, {"data": " "}, {"data": "x", "pipeline": "y"}])
def test_one_of_data_and_pipeline_is_needed(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="name data"):
        TOOL.arguments.model_validate(given)
