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
from tools_worker.runtime.tables import table
from tools_worker.runtime.tools import Evidence, Reply, ToolContext, ToolSpec

MAX_RUN_IDS = 5
MAX_TOLD = 5  # causes in the summary; the others have a short row in the data
MAX_NAMED = 5  # pipelines of those others in the summary
MAX_DETAILED = 3  # causes with error and fix in the data; adf_diagnose_run has those of any run
MAX_ERROR = 120  # characters


class FailuresArguments(HoursOrDates):
    factory: str | None = Field(
        default=None, max_length=100, description="Name of one data factory. Omit to ask all of them."
    )
    limit: int = Field(default=10, ge=1, le=100, description="How many causes to list. The counts are of all.")


async def adf_failures(context: ToolContext, args: FailuresArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    period = args.period(context.now)
    if period.gone:
        return nothing_kept(period, context.now)
    found = await survey(factories, lambda factory: group_failures(factory, period.since, period.until))
    groups = [group for _, answer in found.answers for group in answer.groups]
    groups.sort(key=worst_first)
    shown = groups[: args.limit]
    return Reply(
        summary=sentences(_summary(found, groups, period, len(shown)), found.caveat, period.caveat),
        data={
            "window": period.as_data(context.now),
            "by_factory": _by_factory(found),
            "groups": [_detailed(group) for group in shown[:MAX_DETAILED]],
            "more_groups": table([_short(group) for group in shown[MAX_TOLD:]], few=0),
            "groups_left_out": len(groups) - len(shown),
        },
        evidence=[
            Evidence("pipeline_run", group.latest.run_id, group.factory)
            for group in groups[:MAX_TOLD]
            if group.latest.run_id
        ],
        truncated=len(groups) > len(shown),
        next=[f"adf_diagnose_run run_id={g.latest.run_id} factory={g.factory}" for g in shown[:1] if g.latest.run_id],
    )


def _by_factory(found: Survey[FactoryFailures]) -> dict[str, Any]:
    """Of one factory the summary tells all."""
    several = found.answers if len(found.answers) > 1 else ()
    return {factory.name: {"failed": each.failed, "exact": each.complete} for factory, each in several}


def _summary(found: Survey[FactoryFailures], groups: Sequence[FailureGroup], period: Period, shown: int) -> str:
    where = listed([repr(factory.name) for factory, _ in found.answers])
    if not groups:
        return f"No pipeline run failed in {where} {period.words}."
    failed = sum(answer.failed for _, answer in found.answers)
    exact = all(answer.complete for _, answer in found.answers)
    head = f"{count(failed, 'failed run', exact)} in {where} {period.words}, from {count(len(groups), 'cause')}."
    spread = ", ".join(f"{factory.name} {answer.failed}" for factory, answer in found.answers)
    per_factory = f"By factory: {spread}." if len(found.answers) > 1 else ""
    told = [f"({number}) {_told(group)}" for number, group in enumerate(groups[:MAX_TOLD], start=1)]
    return sentences(head, per_factory, *told, _more(groups, shown))


def _more(groups: Sequence[FailureGroup], shown: int) -> str:
    in_data, nowhere = groups[MAX_TOLD:shown], len(groups) - max(shown, MAX_TOLD)
    named = listed(list(dict.fromkeys(group.pipelines[0] for group in in_data)), MAX_NAMED)
    rest = f"{count(nowhere, 'cause')} not listed (limit={len(groups)} lists all)." if nowhere > 0 else ""
    return sentences(f"{count(len(in_data), 'more cause')} in the data: {named}." if in_data else "", rest)


def _told(group: FailureGroup) -> str:
    """No text of the error itself: it comes from outside, and stays in the data."""
    activity = f" at activity {group.activity!r}" if group.activity else ""
    also = listed(list(dict.fromkeys(run.pipeline for run in group.parents)))
    parents = f" and took down {also}" if also else ""
    latest = f"latest {at(group.latest.end or group.latest.start)}, run {group.latest.run_id}"
    known = f"{spoken(group.failure.category)}. {group.failure.cause.rstrip('.')}."
    cause = known if group.failure.cause else "the cause is not clear from the error."
    return f"{listed(group.pipelines)} failed {times(len(group.runs))}{activity}{parents} ({latest}): {cause}"


def _detailed(group: FailureGroup) -> dict[str, Any]:
    """What the summary does not tell: it has the activity, the latest run and the cause, in the same order."""
    runs, parents = group.runs[:MAX_RUN_IDS], group.parents[:MAX_RUN_IDS]
    row: dict[str, Any] = {
        "pipelines": list(group.pipelines[:10]),
        "count": len(group.runs),
        "category": group.failure.category,
        "transience": group.failure.transience,
        "error_code": group.failure.code,
        "error": safe(group.failure.message, MAX_ERROR),
        "fix": group.failure.fix,
        "first": stamp(group.runs[-1].start) if len(group.runs) > 1 else None,
        "earlier_run_ids": [run.run_id for run in runs[1:]],
        "earlier_left_out": len(group.runs) - len(runs),
        "parents_failed": [{"pipeline": run.pipeline, "run_id": run.run_id} for run in parents],
    }
    return _told_only(row)


def _short(group: FailureGroup) -> dict[str, Any]:
    return _told_only(
        {
            "factory": group.factory,
            "pipeline": group.pipelines[0],
            "more_pipelines": len(group.pipelines) - 1,
            "activity": group.activity,
            "count": len(group.runs),
            "category": group.failure.category,
            "last": stamp(group.latest.start),
            "run_id": group.latest.run_id,
        }
    )


def _told_only(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value not in ("", None, [], 0)}


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
