"""The common pattern's tools: a synchronous queue function each, which answers with what Data Factory said.

One client and one credential for the process, right base64, right CorrelationId, newest runs first: nothing is slower
or clumsier than it has to be. What is left is what the pattern is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import azure.functions as func
from azure.mgmt.datafactory import DataFactoryManagementClient
from azure.mgmt.datafactory.models import RunFilterParameters, RunQueryFilter, RunQueryOrderBy

from bench.compare.pattern.plain_http import AllowHttp, FixedToken

MAX_BYTES = 48 * 1024  # a queue message holds 64 KiB, in base64
RETENTION = timedelta(days=45)
app = func.FunctionApp()


def tool(work: Callable[[Mapping[str, Any]], Iterable[Any]]) -> None:
    """A function on the tool's input queue, whose answer goes to its output queue."""
    name = work.__name__
    queue = f"azure-function-{name.replace('_', '-')}"

    @app.function_name(name)
    @app.queue_trigger(arg_name="msg", queue_name=f"{queue}-input", connection="STORAGE")
    @app.queue_output(arg_name="reply", queue_name=f"{queue}-output", connection="STORAGE")
    def run(msg: func.QueueMessage, reply: func.Out[str]) -> None:
        call = json.loads(msg.get_body())
        try:
            value = json.dumps({"value": [record.as_dict() for record in work(call)]}, default=str)
        except Exception as exc:  # noqa: BLE001 - as the samples do: the model is told whatever it was
            value = json.dumps({"error": str(exc)})
        reply.set(cut(value, call["CorrelationId"]))


def cut(value: str, correlation: str) -> str:
    """The reply, with as much of the value as a message holds."""
    room = len(value)
    while len(text := json.dumps({"Value": value[:room], "CorrelationId": correlation})) > MAX_BYTES:
        room -= len(text) - MAX_BYTES
    return text


@cache
def factory() -> DataFactoryManagementClient:
    return DataFactoryManagementClient(
        FixedToken(),
        os.environ["ADF_SUBSCRIPTION_ID"],
        base_url=os.environ["ADF_ENDPOINT"],
        per_call_policies=[AllowHttp()],
    )


def runs(hours: float, **wanted: str) -> Iterable[Any]:
    """Pipeline runs of the last hours, newest first."""
    filters = [
        RunQueryFilter(operand=name, operator="Equals", values_property=[value]) for name, value in wanted.items()
    ]
    order = [RunQueryOrderBy(order_by="RunStart", order="DESC")]
    since, until = window(timedelta(hours=hours))
    asked = RunFilterParameters(last_updated_after=since, last_updated_before=until, filters=filters, order_by=order)
    return list(factory().pipeline_runs.query_by_factory(*place(), asked).value)


def window(length: timedelta) -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - length, now + timedelta(days=1)


def place() -> tuple[str, str]:
    return os.environ["ADF_RESOURCE_GROUP"], os.environ["ADF_FACTORY"]


def get_pipeline_runs(call: Mapping[str, Any]) -> Iterable[Any]:
    return runs(call.get("hours") or 24, PipelineName=call["pipeline_name"])


def get_failed_runs(call: Mapping[str, Any]) -> Iterable[Any]:
    return runs(call.get("hours") or 24, Status="Failed")


def get_activity_runs(call: Mapping[str, Any]) -> Iterable[Any]:
    since, until = window(RETENTION)
    asked = RunFilterParameters(last_updated_after=since, last_updated_before=until)
    return list(factory().activity_runs.query_by_pipeline_run(*place(), call["run_id"], asked).value)


for each in (get_pipeline_runs, get_failed_runs, get_activity_runs):
    tool(each)
