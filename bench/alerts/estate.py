"""The estate that breaks: two factories, their pipelines, and the causes, each written down before anything fails.

The scenario that the Data Factory stand-in is given and the truth that incidents are compared with are both made from
the same causes. Every pipeline belongs to one cause, so that each failed run, and each alert about it, has one home.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.launch.cloud import SUBSCRIPTION

Json = dict[str, Any]
GROUPS = {"adf-orders": "rg-orders", "adf-plants": "rg-plants"}
QUIET_FACTORY = "adf-orders"
FIRST_MINUTES_AGO, LAST_MINUTES_AGO = 28.0, 12.0  # when the failed runs began
POLICY = {"timeout": "0.01:00:00", "retry": 0, "retryIntervalInSeconds": 30}
LAKE = "Lake"


@dataclass(frozen=True, slots=True)
class Cause:
    """`pipelines` fail by themselves, so many `times` each; every one of `parents` calls the one before it, the first
    calls the pipeline. `store` is the linked service that the pipelines read."""

    id: str
    factory: str
    pipelines: tuple[str, ...]
    error: Json
    store: str = ""
    parents: tuple[str, ...] = ()
    times: int = 1

    @property
    def everything(self) -> tuple[str, ...]:
        return (*self.pipelines, *self.parents)

    @property
    def runs(self) -> int:
        return len(self.everything) * self.times


def resource_id(factory: str) -> str:
    group = GROUPS.get(factory, "rg-elsewhere")
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.DataFactory/factories/{factory}"


def _chained(code: str, message: str, inner: str, kind: str = "System.Data.SqlClient.SqlException") -> Json:
    told = {"type": kind, "message": inner, "source": ".Net SqlClient Data Provider"}
    return {"side": "Source", "code": code, "message": message, "inner": told}


LOGIN = _chained(
    "SqlFailedToConnect",
    "Cannot connect to SQL Database. Please contact SQL server team for further support. Server: "
    "'sql-orders.database.windows.net', Database: 'orders', User: 'svc_load'.",
    "Login failed for user 'svc_load'.",
)
DEAD_SERVER = _chained(
    "SqlFailedToConnect",
    "Cannot connect to SQL Database. Please contact SQL server team for further support. Server: "
    "'sql-stock.contoso.example', Database: 'stock', User: 'svc_load'.",
    "A network-related or instance-specific error occurred while establishing a connection to SQL Server. The server "
    "was not found or was not accessible.",
)
LOCKED = _chained(
    "UserErrorFailedToConnectOdbcSource",
    "ERROR [28000] [Microsoft][ODBC Oracle Wire Protocol driver][Oracle]ORA-28000: The account is locked.",
    "ERROR [28000] [Microsoft][ODBC Oracle Wire Protocol driver][Oracle]ORA-28000: The account is locked.",
    "System.Data.Odbc.OdbcException",
)
SHARED = (
    Cause(
        "login-refused", "adf-orders", ("LoadOrders", "LoadReturns", "LoadBaskets", "LoadVouchers"), LOGIN, "OrderDb"
    ),
    Cause(
        "server-dead", "adf-orders", ("LoadStock", "LoadShelves", "LoadDepots", "LoadPallets"), DEAD_SERVER, "StockDb"
    ),
    Cause("account-locked", "adf-plants", ("LoadMeters", "LoadValves", "LoadPumps", "LoadTanks"), LOCKED, "PlantDb"),
)


def _column(name: str) -> Json:
    message = f"Column '{name}' specified in column mapping cannot be found in '{name.lower()}.csv' source file."
    return {"side": "Source", "code": "MappingColumnNameNotFoundInSourceFile", "message": message}


def _missing(name: str) -> Json:
    message = f"The required Blob is missing. ContainerName: incoming, path: {name.lower()}/today/."
    return {"side": "Source", "code": "UserErrorSourceBlobNotExist", "message": message}


def _value(name: str) -> Json:
    message = (
        f"Exception occurred when converting value '31.02.2026' for column name '{name}' from type 'String' "
        "(precision:, scale:) to type 'DateTime' (precision:23, scale:3). Additional info: String was not recognized "
        "as a valid DateTime."
    )
    return {"side": "Source", "code": "TypeConversionFailure", "message": message}


def _object(name: str) -> Json:
    told = f"Invalid object name 'dbo.{name}'."
    return _chained("SqlOperationFailed", f"A database operation failed with the following error: '{told}'", told)


def _key(name: str) -> Json:
    told = f"Violation of PRIMARY KEY constraint 'PK_{name}'. Cannot insert duplicate key in object 'dw.{name}'."
    text = f"A database operation failed with the following error: '{told}'"
    return {**_chained("SqlOperationFailed", text, told), "side": "Sink"}


KINDS = (_column, _missing, _value, _object, _key)
NESTED = (
    Cause("nested-1", "adf-orders", ("CollectPrices",), _column("Price"), parents=("RefreshPrices",)),
    Cause("nested-2", "adf-orders", ("CollectFares",), _object("Fares"), parents=("RefreshFares", "CloseDay")),
    Cause("nested-3", "adf-plants", ("CollectFlows",), _value("MeasuredAt"), parents=("RefreshFlows",), times=2),
)
OWN = {
    "adf-orders": ("Coupons", "Invoices", "Ledger", "Parcels", "Carriers", "Refunds", "Suppliers", "Clicks"),
    "adf-plants": ("Alarms", "Shifts", "Levels", "Batches", "Samples", "Permits"),
}
HEALTHY = {"adf-orders": ("CopyRates", "CopyWeather"), "adf-plants": ("CopyTides", "CopyHolidays")}
QUIET = ("Gifts", "Leads", "Tickets", "Tours", "Badges", "Polls", "Routes", "Kiosks", "Lockers", "Menus")


def burst_causes() -> tuple[Cause, ...]:
    """Twenty. Some of one pipeline's own fail two or three times; kinds of error come again in other pipelines."""
    own = [
        Cause(f"own-{name.lower()}", factory, (f"Import{name}",), KINDS[n % len(KINDS)](name), times=1 + n % 3)
        for factory, names in OWN.items()
        for n, name in enumerate(names)
    ]
    return (*SHARED, *NESTED, *own)


def quiet_causes() -> tuple[Cause, ...]:
    """Their runs are started one at a time, by hand, long after the burst."""
    return tuple(
        Cause(f"quiet-{name.lower()}", QUIET_FACTORY, (f"Sync{name}",), KINDS[n % len(KINDS)](name))
        for n, name in enumerate(QUIET)
    )


# What the stand-in is told


def write(folder: Path) -> Path:
    """The scenario and the definitions beside it; YAML's older brother is read as well."""
    causes = (*burst_causes(), *quiet_causes())
    for factory in GROUPS:
        definitions = _definitions(factory, [cause for cause in causes if cause.factory == factory])
        (folder / f"{factory}.yaml").write_text(json.dumps(definitions), encoding="utf-8")
    path = folder / "estate.yaml"
    path.write_text(json.dumps(_scenario()), encoding="utf-8")
    return path


def _scenario() -> Json:
    burst, quiet = burst_causes(), quiet_causes()
    by_hand = [run for cause in burst for run in _runs(cause)]
    good = [_good(factory, name) for factory, names in HEALTHY.items() for name in names]
    spread = (FIRST_MINUTES_AGO - LAST_MINUTES_AGO) / len(by_hand)
    for number, run in enumerate(by_hand):  # neighbours in the list are of one cause: apart in time, as they would be
        run["minutes_ago"] = round(FIRST_MINUTES_AGO - spread * (number * 17 % len(by_hand)), 2)
    return {
        "subscription": SUBSCRIPTION,
        "days": 1,
        "factories": {name: {"resource_group": group, "definitions": f"{name}.yaml"} for name, group in GROUPS.items()},
        "faults": [fault for cause in burst for fault in _faults(cause)]
        + [fault for cause in quiet for fault in _faults(cause, always=True)],
        "runs": by_hand + good,
    }


def _runs(cause: Cause) -> list[Json]:
    return [{"label": label, "factory": cause.factory, "pipeline": root} for label, root, _ in _labels(cause)]


def _good(factory: str, name: str) -> Json:
    return {"label": f"good-{name}", "factory": factory, "pipeline": name, "minutes_ago": 20}


def _labels(cause: Cause) -> Iterator[tuple[str, str, str]]:
    """A label, the pipeline that is started, and the one that fails by itself."""
    for pipeline in cause.pipelines:
        for time in range(cause.times):
            yield f"{cause.id}-{pipeline}-{time}", cause.parents[-1] if cause.parents else pipeline, pipeline


def _faults(cause: Cause, *, always: bool = False) -> list[Json]:
    return [
        {
            "id": label,
            "factory": cause.factory,
            "root": root,
            "pipeline": pipeline,
            "activity": f"Copy{pipeline}",
            "when": {"always": True} if always else {"label": label},
            "seconds": 0.2 if always else 24,
            "error": cause.error,
        }
        for label, root, pipeline in _labels(cause)
    ]


def _definitions(factory: str, causes: Sequence[Cause]) -> Json:
    pipelines: Json = {name: _copying(name, f"{name}Data") for name in HEALTHY[factory]}
    stores = {LAKE: {"type": "AzureBlobFS", "typeProperties": {"url": "https://stlake.dfs.core.windows.net"}}}
    datasets: Json = {"LakeData": _dataset(LAKE, "Parquet")}
    datasets |= {f"{name}Data": _dataset(LAKE, "Parquet") for name in HEALTHY[factory]}
    for cause in causes:
        store = cause.store or f"Store{cause.pipelines[0]}"
        stores[store] = {"type": "AzureSqlDatabase", "typeProperties": {"connectionString": f"Server=tcp:{store}"}}
        for pipeline in cause.pipelines:
            datasets[f"{pipeline}Data"] = _dataset(store, "AzureSqlTable")
            pipelines[pipeline] = _copying(pipeline, f"{pipeline}Data")
        for child, parent in zip((cause.pipelines[0], *cause.parents), cause.parents, strict=False):
            pipelines[parent] = _calling(child)
    return {"linkedservices": stores, "datasets": datasets, "pipelines": pipelines}


def _dataset(store: str, kind: str) -> Json:
    reference = {"referenceName": store, "type": "LinkedServiceReference"}
    return {"type": kind, "linkedServiceName": reference, "schema": [], "typeProperties": {}}


def _copying(pipeline: str, dataset: str) -> Json:
    copy = {
        "name": f"Copy{pipeline}",
        "type": "Copy",
        "dependsOn": [],
        "policy": POLICY,
        "typeProperties": {"source": {"type": "AzureSqlSource"}, "sink": {"type": "ParquetSink"}},
        "inputs": [{"referenceName": dataset, "type": "DatasetReference"}],
        "outputs": [{"referenceName": "LakeData", "type": "DatasetReference"}],
    }
    return {"activities": [copy]}


def _calling(child: str) -> Json:
    called = {"pipeline": {"referenceName": child, "type": "PipelineReference"}, "waitOnCompletion": True}
    return {
        "activities": [{"name": f"Run{child}", "type": "ExecutePipeline", "dependsOn": [], "typeProperties": called}]
    }
