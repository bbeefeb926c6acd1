"""adf_activity_runs: what happened inside one run, activity by activity, failures first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from tools_worker.datafactory import fields
from tools_worker.datafactory.client import Found
from tools_worker.datafactory.factories import LocatedRun
from tools_worker.datafactory.failures import classify, peel
from tools_worker.datafactory.leaves import Attempts, attempts
from tools_worker.datafactory.models import ActivityRun
from tools_worker.datafactory.wording import at, count, lasted, safe, sentences, spoken, stamp
from tools_worker.runtime.tables import table
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

_NEVER = datetime.max.replace(tzinfo=UTC)
_COPY_FACTS = ("rowsRead", "rowsCopied", "rowsSkipped", "filesRead", "filesWritten", "dataRead", "dataWritten")


class ActivityRunsArguments(Arguments):
    run_id: str = Field(min_length=1, max_length=100, description="Id (GUID) of the pipeline run to look into.")
    factory: str | None = Field(
        default=None, max_length=100, description="Name of the data factory. Omit to look in all of them."
    )
    limit: int = Field(default=15, ge=1, le=100, description="How many activities to list. The counts are of all.")


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity of the run with all its turns: a loop of 60 is one line."""

    name: str
    type: str
    turns: tuple[Attempts, ...]

    @property
    def statuses(self) -> dict[str, int]:
        return dict(Counter(turn.last.status or "unknown" for turn in self.turns).most_common())

    @property
    def telling(self) -> ActivityRun:
        """The first turn that failed, else the first."""
        return next((turn.last for turn in self.turns if turn.last.failed), self.turns[0].last)

    @property
    def retries(self) -> int:
        return sum(len(turn.runs) - 1 for turn in self.turns)


async def adf_activity_runs(context: ToolContext, args: ActivityRunsArguments) -> Reply:
    located = await context.factories.find_run(args.run_id, args.factory)
    found = await located.factory.activity_runs(located.run)
    activities = _by_activity(found.items)
    shown = activities[: args.limit]
    return Reply(
        summary=_summary(located, activities, found),
        data={
            "factory": located.factory.name,
            "pipeline": located.run.pipeline,
            "run_id": located.run.run_id,
            "status": located.run.status,
            "start": stamp(located.run.start),
            "end": stamp(located.run.end),
            "activity_runs": len(found),
            "exact": found.complete,
            "activities": table([_shown(activity) for activity in shown]),
            "left_out": len(activities) - len(shown),
        },
        evidence=_evidence(located, shown),
        truncated=len(activities) > len(shown),
        next=_next(located, shown),
    )


def _by_activity(runs: Sequence[ActivityRun]) -> list[Activity]:
    """Failed ones first, then by time."""
    groups: dict[str, list[Attempts]] = {}
    for group in attempts(runs):
        groups.setdefault(group.last.name, []).append(group)
    found = [Activity(name, turns[0].last.type, tuple(turns)) for name, turns in groups.items()]
    return sorted(found, key=lambda activity: (not activity.telling.failed, activity.turns[0].runs[0].start or _NEVER))


def _summary(located: LocatedRun, activities: Sequence[Activity], found: Found[ActivityRun]) -> str:
    run = located.run
    elsewhere = f"The run is not in {located.asked!r}, it belongs to {located.factory.name!r}." if located.asked else ""
    status = run.status or "status unknown"
    pipeline = run.pipeline or "an unnamed pipeline"
    about = f"Run {run.run_id} of {pipeline} in {located.factory.name} ({status}, started {at(run.start)})"
    if not activities:
        return sentences(elsewhere, f"{about} has no activity runs.")
    statuses = Counter(turn.last.status or "unknown" for activity in activities for turn in activity.turns)
    told = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
    size = f"{count(len(found), 'activity run', found.complete)} of {count(len(activities), 'activity')}"
    failures = [f"{_told(activity)}" for activity in activities if activity.telling.failed][:3]
    return sentences(elsewhere, f"{about} has {size}: {told}.", *failures, _longest(activities))


def _told(activity: Activity) -> str:
    failed = activity.statuses.get("Failed", 0)
    turns = f" in {failed} of {len(activity.turns)} iterations" if len(activity.turns) > 1 else ""
    retried = f" after {count(activity.retries, 'retry')}" if activity.retries else ""
    run = activity.telling
    failure = classify(run.error.message, run.error.code, run.type)
    code = f" ({failure.code})" if failure.code else ""
    cause = f"{spoken(failure.category)}{code}. {failure.cause}".strip()
    kind = activity.type or "type unknown"
    return f"{activity.name or 'An unnamed activity'} ({kind}) failed{turns}{retried}: {cause}"


def _longest(activities: Sequence[Activity]) -> str:
    timed = [(run.duration_ms, a.name) for a in activities for t in a.turns for run in t.runs if run.duration_ms]
    if len(activities) < 2 or not timed:
        return ""
    duration, name = max(timed)
    return f"The longest was {name or 'an unnamed activity'} with {lasted(duration)}."


def _shown(activity: Activity) -> dict[str, Any]:
    run = activity.telling
    row: dict[str, Any] = {
        "name": activity.name,
        "type": activity.type,
        "status": run.status,
        "activity_run_id": run.id,
        "start": stamp(activity.turns[0].runs[0].start),
        "duration_s": round(run.duration_ms / 1000, 1) if run.duration_ms is not None else None,
        "iterations": activity.statuses if len(activity.turns) > 1 else None,
        "retries": activity.retries,
        "error_code": run.error.code if run.failed else None,
        "error": safe(peel(run.error.message).message) if run.failed else None,
        "child_run_id": run.child_run_id,
        **{name: fields.whole(run.output, name) for name in _COPY_FACTS},
    }
    return {
        key: value for key, value in row.items() if value not in ("", None, 0) or (key in _COPY_FACTS and value == 0)
    }


def _evidence(located: LocatedRun, shown: Sequence[Activity]) -> list[Evidence]:
    factory = located.factory.name
    ids = [activity.telling.id for activity in shown if activity.telling.id]
    run = [Evidence("pipeline_run", located.run.run_id, factory)] if located.run.run_id else []
    return [*run, *(Evidence("activity_run", activity_id, factory) for activity_id in ids)]


def _next(located: LocatedRun, shown: Sequence[Activity]) -> list[str]:
    factory = located.factory.name
    if located.run.failed:
        return [f"adf_diagnose_run run_id={located.run.run_id} factory={factory}"]
    children = [a.telling.child_run_id for a in shown if a.telling.child_run_id]
    return [f"adf_activity_runs run_id={child} factory={factory}" for child in children[:3]]


TOOL = ToolSpec(
    name="adf_activity_runs",
    description=(
        "Lists what happened inside one Azure Data Factory pipeline run, by its run id: each activity with status, "
        "start, duration, error, rows copied, retries and loop iterations, failed ones first. Use it to see the steps "
        "of a run; to learn why a run failed, diagnose it instead."
    ),
    arguments=ActivityRunsArguments,
    run=adf_activity_runs,
)
