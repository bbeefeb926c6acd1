"""adf_factories: all factories in one view: what ran, failed and runs, worst first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field

from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import CANCELLED
from tools_worker.datafactory.survey import survey
from tools_worker.datafactory.wording import count, listed, sentences
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

RETENTION_DAYS = 45
MAX_SHOWN = 50


class FactoriesArguments(Arguments):
    hours: int = Field(
        default=24, ge=1, le=24 * RETENTION_DAYS, description="How far back to look, in hours: 168 is a week."
    )


@dataclass(frozen=True, slots=True)
class View:
    """One factory in the window. `rate` is of the runs that succeeded or failed; None when there was none."""

    name: str
    failed: int
    running: int
    succeeded: int
    cancelled: int
    other: int
    exact: bool
    newest_failed: str

    @property
    def rate(self) -> float | None:
        ended = self.failed + self.succeeded
        return self.succeeded / ended if ended else None

    @property
    def told(self) -> str:
        counts = f"{self.failed} failed, {self.running} running, {self.succeeded} succeeded"
        counts += f", {self.cancelled} cancelled" if self.cancelled else ""
        counts += f", {self.other} in another status" if self.other else ""
        rate = "no run ended" if self.rate is None else f"{percent(self.rate)} of the ended ones succeeded"
        return f"{self.name}: {'' if self.exact else 'at least '}{counts} ({rate})"


async def adf_factories(context: ToolContext, args: FactoriesArguments) -> Reply:
    since = context.now - timedelta(hours=args.hours)

    async def view(factory: DataFactory) -> View:
        return await _view(factory, since)

    asked = await survey(await context.factories.all(), view)
    views = sorted((view for _, view in asked.answers), key=_badness)
    shown = views[:MAX_SHOWN]
    silent = [name for name, _ in asked.silent]
    summary = sentences(
        f"{count(len(views) + len(silent), 'data factory')} in the last {count(args.hours, 'hour')}, worst first: "
        f"{'; '.join(view.told for view in shown[:8])}{f'; {len(views) - 8} more' if len(views) > 8 else ''}.",
        "No run failed in those that answered." if not any(view.failed for view in views) else "",
        f"No answer from {listed([repr(name) for name in silent])}." if silent else "",
        asked.caveat,
    )
    worst = next((view for view in views if view.failed), None)
    return Reply(
        summary=summary,
        data={
            "hours": args.hours,
            "factories": [_row(view) for view in shown],
            "left_out": len(views) - len(shown),
            "no_answer": silent,
        },
        evidence=[Evidence("pipeline_run", view.newest_failed, view.name) for view in shown if view.newest_failed],
        truncated=len(views) > len(shown),
        next=[f"adf_failures factory={worst.name} hours={args.hours}"] if worst else [],
    )


async def _view(factory: DataFactory, since: datetime) -> View:
    runs = await factory.pipeline_runs(since)
    counts = Counter(_kind(run.status) for run in runs)
    newest = next((run.run_id for run in runs if run.failed), "")
    return View(
        name=factory.name,
        failed=counts["failed"],
        running=counts["running"],
        succeeded=counts["succeeded"],
        cancelled=counts["cancelled"],
        other=counts["other"],
        exact=runs.complete,
        newest_failed=newest,
    )


def _badness(view: View) -> tuple[bool, float, int]:
    return view.failed == 0, 1.0 if view.rate is None else view.rate, -view.failed


def _kind(status: str) -> str:
    if status in CANCELLED:
        return "cancelled"
    return {"Failed": "failed", "Succeeded": "succeeded", "InProgress": "running", "Queued": "running"}.get(
        status, "other"
    )


def percent(rate: float) -> str:
    """Down to a tenth: one failure in a thousand runs is not 100%."""
    return f"{int(rate * 1000) / 10:g}%"


def _row(view: View) -> dict[str, object]:
    return {
        "factory": view.name,
        "failed": view.failed,
        "running": view.running,
        "succeeded": view.succeeded,
        "cancelled": view.cancelled,
        "other": view.other,
        "success_rate": None if view.rate is None else round(view.rate, 4),
        "exact": view.exact,
    }


TOOL = ToolSpec(
    name="adf_factories",
    description=(
        "All Azure Data Factory instances in one view for a window of hours: failed, running, succeeded and cancelled "
        "runs and the success rate of each, worst first, zeros shown. Use it to compare factories or for which "
        "factory is worst."
    ),
    arguments=FactoriesArguments,
    run=adf_factories,
)
