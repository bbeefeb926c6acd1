"""The default world, grown to what people run: 220 pipelines more in its production factory, some 1,700 runs a day.

In the small world the raw replies of Data Factory are small as well, and every system looks frugal. Here a day has as
many runs, and as many failed ones, as a team with hundreds of pipelines has. Names, schedules and faults are counted
out, not drawn, so that every system is asked about the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bench.alerts.estate import DEAD_SERVER, KINDS, LOCKED, LOGIN
from localcloud.adf.scenario import WORLDS

Json = dict[str, Any]
FACTORY = "adf-prod"
DAYS = 4  # since when the further pipelines have been running
AREAS = ("Sales", "Finance", "People", "Supply", "Web", "Plant", "Stores", "Risk", "Care", "Fleet", "Energy")
THINGS = (
    *("Orders", "Invoices", "Parties", "Products", "Stock", "Shipments", "Payments", "Contracts", "Prices", "Budgets"),
    *("Visits", "Returns", "Tickets", "Assets", "Sensors", "Claims", "Suppliers", "Rates", "Forecasts", "Audits"),
)
BUSY = "MirrorSalesOrders"  # every quarter of an hour
EVERY_MINUTES = {"Mirror": 15, "Sync": 60, "Load": 1440}
FAILING = 5  # of the daily pipelines each fifth fails, twice in the last days
TABLES = 12  # that a daily pipeline copies
ONCE = {"timeout": "0.02:00:00", "retry": 0, "retryIntervalInSeconds": 30}


def write(folder: Path) -> Path:
    """The scenario, with its definitions beside it."""
    world = yaml.safe_load((WORLDS / "default.yaml").read_text(encoding="utf-8"))
    for factory in world["factories"].values():
        definitions = yaml.safe_load((WORLDS / factory["definitions"]).read_text(encoding="utf-8"))
        factory["definitions"] = f"{Path(factory['definitions']).stem}.json"
        if factory["definitions"].startswith(FACTORY):
            for name, thing in pipelines():
                definitions["pipelines"][name] = pipeline(name, thing)
                definitions["triggers"][f"{name}Trigger"] = trigger(name)
        (folder / factory["definitions"]).write_text(json.dumps(definitions), encoding="utf-8")
    world["faults"] += faults()
    world["profile"] += profile()
    path = folder / "compare.yaml"
    path.write_text(json.dumps(world), encoding="utf-8")
    return path


def pipelines() -> Iterator[tuple[str, str]]:
    """Names, and what is moved: one in twenty of a quarter of an hour, one in five hourly, the rest daily."""
    for area in AREAS:
        for number, thing in enumerate(THINGS):
            verb = "Mirror" if number == 0 else "Sync" if number % 5 == 1 else "Load"
            yield f"{verb}{area}{thing}", thing


def minutes(name: str) -> int:
    return next(every for verb, every in EVERY_MINUTES.items() if name.startswith(verb))


def pipeline(name: str, thing: str) -> Json:
    if minutes(name) < EVERY_MINUTES["Load"]:
        activities = [copy(f"Copy{thing}"), procedure(f"Merge{thing}", f"Copy{thing}")]
    else:
        activities = [lookup(), each(thing), procedure(f"Merge{thing}", f"ForEach{thing}")]
    return {"activities": activities, "annotations": ["warehouse"], "folder": {"name": "Warehouse"}}


def copy(name: str) -> Json:
    return {
        "name": name,
        "type": "Copy",
        "dependsOn": [],
        "policy": ONCE,
        "typeProperties": {"source": {"type": "AzureSqlSource"}, "sink": {"type": "ParquetSink"}},
        "inputs": [{"referenceName": "SalesOrders", "type": "DatasetReference"}],
        "outputs": [{"referenceName": "StagingParquet", "type": "DatasetReference", "parameters": {"folder": name}}],
    }


def lookup() -> Json:
    query = "select name from ctl.Tables where active = 1"
    told = {"source": {"type": "AzureSqlSource", "sqlReaderQuery": query}, "firstRowOnly": False}
    dataset = {"referenceName": "ControlTable", "type": "DatasetReference"}
    told_of = {"typeProperties": {**told, "dataset": dataset}}
    return {"name": "ListTables", "type": "Lookup", "dependsOn": [], "policy": ONCE, **told_of}


def each(thing: str) -> Json:
    items = {"value": "@activity('ListTables').output.value", "type": "Expression"}
    inner = {"items": items, "isSequential": False, "batchCount": 8, "activities": [copy(f"Copy{thing}")]}
    return {"name": f"ForEach{thing}", "type": "ForEach", "dependsOn": after("ListTables"), "typeProperties": inner}


def procedure(name: str, previous: str) -> Json:
    return {
        "name": name,
        "type": "SqlServerStoredProcedure",
        "dependsOn": after(previous),
        "policy": ONCE,
        "typeProperties": {"storedProcedureName": f"dw.{name}"},
        "linkedServiceName": {"referenceName": "Warehouse", "type": "LinkedServiceReference"},
    }


def after(activity: str) -> list[Json]:
    return [{"activity": activity, "dependencyConditions": ["Succeeded"]}]


def trigger(name: str) -> Json:
    number = [each for each, _ in pipelines()].index(name)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = (midnight - timedelta(days=DAYS) + timedelta(minutes=number * 7 % 360)).strftime("%Y-%m-%dT%H:%M:%SZ")
    recurrence = {"frequency": "Minute", "interval": minutes(name), "startTime": begin, "timeZone": "UTC"}
    if minutes(name) == EVERY_MINUTES["Load"]:
        recurrence |= {"frequency": "Day", "interval": 1}
    started = [{"pipelineReference": {"referenceName": name, "type": "PipelineReference"}}]
    rest = {"pipelines": started, "typeProperties": {"recurrence": recurrence}}
    return {"type": "ScheduleTrigger", "runtimeState": "Started", **rest}


def profile() -> Iterator[Json]:
    return (
        {"factory": FACTORY, "pipeline": name, "activity": f"ForEach{thing}", "rounds": TABLES}
        for name, thing in pipelines()
        if minutes(name) == EVERY_MINUTES["Load"]
    )


def faults() -> list[Json]:
    """Three shared causes and five kinds of a pipeline's own, in turn."""
    shared = (LOGIN, DEAD_SERVER, LOCKED)
    daily = [each for each in pipelines() if minutes(each[0]) == EVERY_MINUTES["Load"]][::FAILING]
    return [
        {
            "id": f"fails-{name}",
            "factory": FACTORY,
            "pipeline": name,
            "activity": f"Copy{thing}",
            "iteration": 3,
            "when": {"latest": [1, 3]},
            "seconds": 20,
            "error": shared[number % 3] if number % 2 else KINDS[number % len(KINDS)](thing),
        }
        for number, (name, thing) in enumerate(daily)
    ]
