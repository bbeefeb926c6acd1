"""Tool calls through the real handler, and what must hold of every reply whatever ADF sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.tools_worker.properties.worlds import World, factory_of
from tools_worker.datafactory import fields
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.masking import mask
from tools_worker.runtime.answers import MemoryAnswerSlots
from tools_worker.runtime.catalogue import BY_NAME, TOOLS
from tools_worker.runtime.handler import Delivery, answer
from tools_worker.runtime.messages import MAX_REPLY_BYTES
from tools_worker.runtime.tables import is_table
from tools_worker.runtime.worker import Worker

ERRORS = {"not_found", "invalid_arguments", "invalid_request", "upstream_unavailable"}
# Fields of `data` that hold a name or an id of ADF's.
NAMING = {
    "pipeline",
    "activity",
    "run_id",
    "activity_run_id",
    "child_run_id",
    "trigger",
    "runtime",
    "dataset",
    "id",
}  # fmt: skip
# What is said in place of a name that cannot be read.
NAMELESS = {"", "without a name", "unnamed", "unknown", "of an unknown type", "of an unreadable name"}


def questions(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every tool, asked in each of the ways that it can be asked in."""
    run, pipeline = {"run_id": world.run}, {"pipeline": world.pipeline}
    ways: dict[str, list[dict[str, Any]]] = {
        "adf_activity_runs": [run],
        "adf_diagnose_run": [run, pipeline],
        "adf_compare_runs": [run],
        "adf_run_history": [pipeline],
        "adf_explain_pipeline": [pipeline],
        "adf_run_performance": [run],
        "adf_cost": [run, pipeline, {}],
        "adf_lineage": [pipeline, {"data": "sales.Orders"}],
        "adf_pipeline_runs": [{}, pipeline],
        "adf_missed_runs": [{"hours": 48}],
        "adf_triggers": [{}, pipeline],
        "adf_rerun": [run, pipeline, run | {"mode": "whole"}],
        "adf_cancel_run": [run],
        "adf_start_trigger": [{"trigger": "Nightly"}],
        "adf_stop_trigger": [{"trigger": "nightly"}],
        "adf_rerun_window": [{"trigger": "Hourly", "trigger_run_id": "0858402"}],
        "adf_run_pipeline": [pipeline, pipeline | {"parameters": {"table": "x"}}],
        "adf_pause_schedule": [pipeline],
        "adf_resume_schedule": [pipeline],
    }
    for tool in TOOLS:
        for arguments in ways.get(tool.name, [{}]):
            yield tool.name, arguments


async def call(world: World, raw: Any, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The reply's value, after everything that holds of every reply was checked."""
    worker = Worker(Factories([factory_of(raw)]), MemoryAnswerSlots(), None, 60, lambda: world.now)
    body = json.dumps({"CorrelationId": "c-1", **arguments}).encode()
    reply = await answer(BY_NAME[tool], Delivery("m-1", body, world.now), worker)
    assert reply is not None
    assert len(reply.encode("utf-8")) <= MAX_REPLY_BYTES
    message = strict(reply)
    assert message["CorrelationId"] == "c-1"
    value: dict[str, Any] = strict(message["Value"])
    if value["ok"]:
        assert value["summary"].strip()
        nothing_invented(value, raw, world)
        assert all(evidence["id"] for evidence in value["evidence"]), f"{tool} gives evidence without an id"
        if not any("None" in text or "nan" in text for text in texts(raw)):
            assert not re.search(r"\b(None|nan|inf)\b", value["summary"]), value["summary"]
    else:
        assert value["code"] in ERRORS, value
        assert value["error"].strip()
    return value


def strict(text: str) -> Any:
    """JSON as the standard has it: without NaN and Infinity."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def nothing_invented(value: dict[str, Any], raw: Any, world: World) -> None:
    """Every id and name that the reply gives stands in what ADF sent, or in the question."""
    names = {text for text in texts(raw) if len(text) <= fields.MAX_NAME}
    names |= {text.split(" (")[0].strip() for text in names}  # "AutoResolveIntegrationRuntime (East US)"
    names |= {" ".join(text.split()) for text in names}
    known = NAMELESS | set(map(mask, names)) | {world.run, world.pipeline}
    for evidence in value["evidence"]:
        assert evidence["id"] in known, f"evidence {evidence!r} is made up"
    for name, said in named(value["data"]):
        assert said in known, f"{name}: {said!r} is made up"


def named(data: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if is_table(data):
        for row in data["rows"]:
            yield from named(dict(zip(data["columns"], row, strict=True)))
    if isinstance(data, dict):
        for inner, value in data.items():
            yield from named(value, inner)
    elif isinstance(data, list):
        for value in data:
            yield from named(value, key)
    elif isinstance(data, str) and key in NAMING:
        yield key, data


def texts(raw: Any) -> set[str]:
    """Every text, number and field name of a document, as text."""
    found: set[str] = set()
    waiting = [raw]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found |= set(map(str, value))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif not isinstance(value, int) or abs(value) <= fields.MAX_WHOLE:
            found.add(str(value))
    return found
