"""adf_failures: what broke in the last hours, grouped by cause, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tools_worker.datafactory.failure_groups import FactoryFailures, FailureGroup, group_failures, worst_first
from tools_worker.datafactory.period import Period
from tools_worker.datafactory.survey import Survey, survey
from tools_worker.datafactory.wording import at, count, listed, safe, sentences, spoken, stamp, times
from tools_worker.runtime.periods import HoursOrDates, nothing_kept
from tools_worker.runtime.tools import Evidence, Reply, ToolContext, ToolSpec

MAX_GROUPS = 20  # about 1 KiB each; a reply holds 48 KiB before base64
MAX_RUN_IDS = 5
MAX_TOLD = 6  # causes in the summary; all are in the data


class FailuresArguments(HoursOrDates):
    factory: str | None = Field(
        default=None, max_length=100, description="Name of one data factory. Omit to ask all of them."
    )


async def adf_failures(context: ToolContext, args: FailuresArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    period = args.period(context.now)
    if period.gone:
        return nothing_kept(period, context.now)
    found = await survey(factories, lambda factory: group_failures(factory, period.since, period.until))
    groups = [group for _, answer in found.answers for group in answer.groups]
    groups.sort(key=worst_first)
    shown = groups[:MAX_GROUPS]
    return Reply(
        summary=sentences(_summary(found, groups, period), found.caveat, period.caveat),
        data={
            "window": period.as_data(context.now),
            "by_factory": {
                factory.name: {"failed": answer.failed, "exact": answer.complete} for factory, answer in found.answers
            },
            "groups": [_shown(group) for group in shown],
            "groups_left_out": len(groups) - len(shown),
        },
        evidence=_evidence(shown),
        truncated=len(groups) > len(shown),
        next=[f"adf_diagnose_run run_id={g.latest.run_id} factory={g.factory}" for g in shown[:3] if g.latest.run_id],
    )


def _summary(found: Survey[FactoryFailures], groups: Sequence[FailureGroup], period: Period) -> str:
    where = listed([repr(factory.name) for factory, _ in found.answers])
    if not groups:
        return f"No pipeline run failed in {where} {period.words}."
    failed = sum(answer.failed for _, answer in found.answers)
    exact = all(answer.complete for _, answer in found.answers)
    head = f"{count(failed, 'failed run', exact)} in {where} {period.words}, from {count(len(groups), 'cause')}."
    spread = ", ".join(f"{factory.name} {answer.failed}" for factory, answer in found.answers)
    per_factory = f"By factory: {spread}." if len(found.answers) > 1 else ""
    told = [f"({number}) {_told(group)}" for number, group in enumerate(groups[:MAX_TOLD], start=1)]
    more = f"{count(len(groups) - MAX_TOLD, 'more cause')} in the data." if len(groups) > MAX_TOLD else ""
    return sentences(head, per_factory, *told, more)


def _told(group: FailureGroup) -> str:
    """No text of the error itself: it comes from outside, and stays in the data."""
    activity = f" at activity {group.activity!r}" if group.activity else ""
    also = listed(list(dict.fromkeys(run.pipeline for run in group.parents)))
    parents = f" and took down {also}" if also else ""
    latest = f"latest {at(group.latest.end or group.latest.start)}, run {group.latest.run_id}"
    known = f"{spoken(group.failure.category)}. {group.failure.cause.rstrip('.')}."
    cause = known if group.failure.cause else "the cause is not clear from the error."
    return f"{listed(group.pipelines)} failed {times(len(group.runs))}{activity}{parents} ({latest}): {cause}"


def _shown(group: FailureGroup) -> dict[str, Any]:
    row: dict[str, Any] = {
        "factory": group.factory,
        "pipelines": list(group.pipelines[:10]),
        "activity": group.activity,
        "activity_type": group.activity_type,
        "count": len(group.runs),
        "category": group.failure.category,
        "transience": group.failure.transience,
        "error_code": group.failure.code,
        "error": safe(group.failure.message),
        "cause": group.failure.cause,
        "fix": group.failure.fix,
        "first": stamp(group.runs[-1].start),
        "last": stamp(group.latest.start),
        "run_ids": [run.run_id for run in group.runs[:MAX_RUN_IDS]],
        "run_ids_left_out": max(0, len(group.runs) - MAX_RUN_IDS),
        "parents_failed": [{"pipeline": run.pipeline, "run_id": run.run_id} for run in group.parents[:MAX_RUN_IDS]],
    }
    return {key: value for key, value in row.items() if value not in ("", None, [], 0)}


def _evidence(groups: Sequence[FailureGroup]) -> list[Evidence]:
    found: list[Evidence] = []
    for group in groups:
        if group.latest.run_id:
            found.append(Evidence("pipeline_run", group.latest.run_id, group.factory))
        if group.activity_run_id:
            found.append(Evidence("activity_run", group.activity_run_id, group.factory))
    return found


TOOL = ToolSpec(
    name="adf_failures",
    description=(
        "Tells what is failing in Azure Data Factory: the failed pipeline runs of the last hours, or between two "
        "dates, in all data factories, grouped by cause, worst first, with counts, error, likely cause, fix and run "
        "ids. Use it for questions such as what failed, what broke last night, which errors are most common, what many "
        "alerts have in common, is anything failing."
    ),
    arguments=FailuresArguments,
    run=adf_failures,
)
