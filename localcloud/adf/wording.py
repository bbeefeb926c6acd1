"""The error text of a failed activity, in the layers in which Data Factory writes it.

A scenario names the innermost cause; the layers around it follow from the activity's type: a copy says on which side it
happened and chains typed exceptions, a data flow answers with JSON text, Databricks only with the address of a page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.adf import dice
from localcloud.adf.definitions import Activity, Json
from localcloud.adf.simulated import Failure

HYBRID = "Microsoft.DataTransfer.Common.Shared.HybridDeliveryException"
OUTER_CODES = {
    "Copy": "2200",
    "Lookup": "2100",
    "GetMetadata": "2100",
    "SqlServerStoredProcedure": "2402",
    "Script": "2011",
    "DatabricksNotebook": "3204",
    "SynapseNotebook": "6002",
    "WebActivity": "2108",
    "WebHook": "2108",
    "AzureFunctionActivity": "3608",
    "Custom": "2500",
    "HDInsightSpark": "2300",
    "ExecuteSSISPackage": "2906",
    "SetVariable": "InvalidTemplate",
    "AppendVariable": "InvalidTemplate",
    "ForEach": "InvalidTemplate",
    "IfCondition": "InvalidTemplate",
}
TIMEOUT_CODE = "2500"


def failure_of(activity: Activity, error: Json, run_id: str) -> Failure:
    """`error` holds code, message and, where they apply, side, source, inner, outer, failure_type, details."""
    writer = {"ExecuteDataFlow": _data_flow, "DatabricksNotebook": _databricks}.get(activity.type, _chained)
    code = str(error.get("outer") or _outer_code(activity, error))
    return Failure(code, writer(activity, error, run_id), str(error.get("failure_type", "UserError")))


def timed_out(activity: Activity) -> Failure:
    limit = (activity.raw.get("policy") or {}).get("timeout", "0.12:00:00")
    return Failure(TIMEOUT_CODE, f"Activity '{activity.name}' exceeded its timeout of {limit} and was stopped.")


def _outer_code(activity: Activity, error: Json) -> str:
    if activity.type == "ExecuteDataFlow":
        return str(error.get("code", "DF-Executor-InternalServerError"))
    return OUTER_CODES.get(activity.type, "2100")


def _chained(activity: Activity, error: Json, run_id: str) -> str:
    side = f"Failure happened on '{error['side']}' side. " if error.get("side") else ""
    message = str(error.get("message", ""))
    if not error.get("code"):
        return side + message
    inner = "".join(_layer(layer) for layer in _layers(error.get("inner")))
    source = error.get("source", "Microsoft.DataTransfer.ClientLibrary")
    return f"{side}ErrorCode={error['code']},'Type={HYBRID},Message={message},Source={source},'{inner}"


def _layers(inner: Any) -> list[Mapping[str, Any]]:
    return [inner] if isinstance(inner, Mapping) else list(inner or [])


def _layer(layer: Json) -> str:
    numbers = "".join(f"{key}={value}," for key, value in (layer.get("numbers") or {}).items())
    errors = _sql_errors(layer) if "SqlErrorNumber" in (layer.get("numbers") or {}) else ""
    return f"'Type={layer['type']},Message={layer['message']},Source={layer.get('source', '')},{numbers}{errors}'"


def _sql_errors(layer: Json) -> str:
    numbers = layer["numbers"]
    number, rank, state = numbers["SqlErrorNumber"], numbers.get("Class", 16), numbers.get("State", 1)
    return f"Errors=[{{Class={rank},Number={number},State={state},Message={layer['message']},}},],"


def _data_flow(activity: Activity, error: Json, run_id: str) -> str:
    where = f"at {error['side']} '{error['transformation']}': " if error.get("transformation") else ""
    message = f"Job failed due to reason: {where}{error.get('message', '')}"
    told = {"StatusCode": error.get("code"), "Message": message, "Details": error.get("details", "")}
    return json.dumps(told, ensure_ascii=False)


def _databricks(activity: Activity, error: Json, run_id: str) -> str:
    return (
        f"Databricks execution failed with error state: {error.get('state', 'InternalError')}. "
        f"For more details please check the run page url: {run_page(activity, run_id)}"
    )


def run_page(activity: Activity, run_id: str) -> str:
    job = dice.whole(10**14, 10**15 - 1, "job", activity.name)
    run = dice.whole(10**14, 10**15 - 1, "notebook", run_id, activity.name)
    return f"https://adb-4418207735519283.3.azuredatabricks.net/?o=4418207735519283#job/{job}/run/{run}"
