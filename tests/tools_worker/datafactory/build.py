"""Runs and activities for tests: name only what matters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tools_worker.datafactory.models import ActivityError, ActivityRun, InvokedBy, PipelineRun

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def ago(**delta: float) -> datetime:
    return NOW - timedelta(**delta)


def make_run(
    number: int = 1,
    *,
    pipeline: str = "LoadSales",
    status: str = "Failed",
    start: datetime | None = None,
    minutes: float = 10,
    message: str = "",
    parent: str = "",
    group: str = "",
) -> PipelineRun:
    began = start or ago(hours=6)
    ended = began + timedelta(minutes=minutes)
    going = status in ("InProgress", "Queued")
    return PipelineRun(
        run_id=guid(number),
        pipeline=pipeline,
        status=status,
        start=began,
        end=None if going else ended,
        updated=began if going else ended,
        duration_ms=None if going else int(minutes * 60_000),
        message=message,
        group_id=group or guid(number),
        invoked_by=InvokedBy(type="PipelineActivity", run_id=parent)
        if parent
        else InvokedBy("Nightly", type="Schedule"),
    )


def make_activity(
    number: int = 1,
    *,
    name: str = "CopySales",
    type: str = "Copy",
    status: str = "Failed",
    error: str = "",
    code: str = "2200",
    minute: float = 0,
    minutes: float = 1,
    iteration: str = "",
    attempt: int | None = None,
    input: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | None = None,
) -> ActivityRun:
    began = ago(hours=6) + timedelta(minutes=minute)
    return ActivityRun(
        id=guid(10_000 + number),
        name=name,
        type=type,
        status=status,
        start=began,
        end=began + timedelta(minutes=minutes),
        duration_ms=int(minutes * 60_000),
        error=ActivityError(code, error, "UserError", name) if status == "Failed" else ActivityError(target=name),
        iteration=iteration,
        retry_attempt=attempt,
        input=input or {},
        output=output or {},
    )


def calls(number: int, child: int, *, name: str = "RunChild", status: str = "Failed", **more: Any) -> ActivityRun:
    """An ExecutePipeline activity and the run it started."""
    output = {"pipelineRunId": guid(child), "pipelineName": "Child"}
    return make_activity(number, name=name, type="ExecutePipeline", status=status, output=output, **more)
