"""adf_missed_runs: what should have started and did not, which windows wait and for what, and what ended late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from core.errors import not_found
from tools_worker.datafactory.activity_log import who
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.lateness import pipelines_of
from tools_worker.datafactory.models import TriggerRun
from tools_worker.datafactory.period import Period
from tools_worker.datafactory.punctuality import Answer, Checked, Late, check
from tools_worker.datafactory.punctuality.agreed import READ_BEFORE, Kept, clock, due_times, ended_at, held
from tools_worker.datafactory.punctuality.backlog import Backlog, unmet
from tools_worker.datafactory.punctuality.words import kept_told, late_told, told
from tools_worker.datafactory.survey import survey, with_pipeline
from tools_worker.datafactory.wording import count, listed, sentences, stamp
from tools_worker.runtime.periods import HoursOrDates, nothing_kept
from tools_worker.runtime.tables import table
from tools_worker.runtime.tools import Evidence, Reply, ToolContext, ToolSpec

MAX_TIMES = 6


class MissedRunsArguments(HoursOrDates):
    trigger: str | None = Field(
        default=None, max_length=260, description="Name of one trigger, in any case. Omit for all of them."
    )
    pipeline: str | None = Field(
        default=None, max_length=260, description="Only triggers that start this pipeline. Omit for all."
    )
    agreed_finish: str | None = Field(
        default=None,
        max_length=5,
        description="Time of day (HH:MM, in timezone) by which the pipeline must have ended well every day.",
    )
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")
    limit: int = Field(default=10, ge=1, le=25, description="How many triggers, and how many late runs, to list.")

    @model_validator(mode="after")
    def _of_a_pipeline(self) -> MissedRunsArguments:
        if self.agreed_finish and not self.pipeline:
            raise ValueError("agreed_finish needs pipeline: name the pipeline that must have ended")
        return self


async def adf_missed_runs(context: ToolContext, args: MissedRunsArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    period = args.period(context.now)
    if period.gone:
        return nothing_kept(period, context.now)
    kept = await _kept(factories, args, period, context) if args.agreed_finish else []
    asked = await survey(
        factories,
        lambda factory: check(factory, period, context.now, trigger=args.trigger, pipeline=args.pipeline),
    )
    checked = [each for _, answer in asked.answers for each in answer.checked]
    if not checked and not asked.silent:
        await _known(factories, args)
    late = [each for _, answer in asked.answers for each in answer.late]
    troubled = sorted((each for each in checked if each.troubled), key=lambda each: (not each.started, -_weight(each)))
    answers = [answer for _, answer in asked.answers]
    return Reply(
        summary=sentences(
            *(kept_told(each, context.now) for each in kept),
            _head(checked, [factory.name for factory, _ in asked.answers], args, period),
            "" if troubled or not checked else "No due time of a schedule or window was missed or is open.",
            *_told_all(troubled, context),
            late_told(late),
            *_unread(answers),
            asked.caveat,
            period.caveat,
        ),
        data={
            "window": period.as_data(context.now),
            "exact": not asked.silent and all(answer.complete for answer in answers),
            "agreed": [_kept_shown(each) for each in kept],
            "checked": len(checked),
            "not_started": sum(not each.started for each in checked),
            "triggers": [_shown(each) for each in troubled[: args.limit]],
            "triggers_left_out": max(0, len(troubled) - args.limit),
            "late": table([_late_shown(each) for each in late[: args.limit]]),
            "late_left_out": max(0, len(late) - args.limit),
        },
        evidence=[*_kept_evidence(kept), *_evidence(troubled[: args.limit]), *_late_evidence(late[: args.limit])],
        truncated=len(troubled) > args.limit or len(late) > args.limit,
        next=[f"adf_triggers trigger={each.trigger.name} factory={each.factory}" for each in troubled[:1]],
    )


async def _known(factories: Sequence[DataFactory], args: MissedRunsArguments) -> None:
    """Nothing was checked: because the name is wrong? NotFound offers the closest."""
    if args.trigger:
        names = [trigger.name for factory in factories for trigger in await factory.triggers()]
        if args.trigger.casefold() not in {name.casefold() for name in names}:
            raise not_found("trigger", args.trigger, names, factories[0].name if len(factories) == 1 else "")
    if args.pipeline:
        await with_pipeline(factories, args.pipeline)


async def _kept(
    factories: Sequence[DataFactory], args: MissedRunsArguments, period: Period, context: ToolContext
) -> list[Kept]:
    time = clock(args.agreed_finish or "")
    dues = due_times(time, period, context.now)
    holders = await with_pipeline(factories, args.pipeline or "")
    spelling = {factory.name: name for factory, name in holders.answers}

    async def days(factory: DataFactory) -> Kept:
        name = spelling[factory.name]
        runs = await factory.pipeline_runs(period.since - READ_BEFORE, None, pipeline=name)
        return Kept(factory.name, name, time, period.zone.name, tuple(held(runs.items, dues, context.now)))

    found = await survey([factory for factory, _ in holders.answers], days)
    return [kept for _, kept in found.answers]


def _head(checked: Sequence[Checked], factories: Sequence[str], args: MissedRunsArguments, period: Period) -> str:
    names = listed([repr(name) for name in factories])
    if not checked and args.pipeline:
        return f"No trigger starts {args.pipeline!r} in {names}: another pipeline or a person does, so no time is due."
    return f"{count(len(checked), 'trigger')} in {names} checked {period.words}."


def _unread(answers: Sequence[Answer]) -> list[str]:
    unjudged = sum(answer.unjudged for answer in answers)
    complete = all(answer.complete for answer in answers)
    return [
        "" if complete else "Not all runs could be read, so a time told as missed may have run.",
        f"{count(unjudged, 'more pipeline')} with long runs not held against their history." if unjudged else "",
        *dict.fromkeys(answer.log_gap for answer in answers),
    ]


def _weight(each: Checked) -> int:
    return len(each.missed) + each.open_windows + len(each.failed)


def _told_all(troubled: Sequence[Checked], context: ToolContext) -> list[str]:
    first = [told(each, context.now) for each in troubled[:MAX_TIMES]]
    more = len(troubled) - len(first)
    return [*first, f"{count(more, 'more trigger')} with trouble in the data." if more else ""]


def _shown(each: Checked) -> dict[str, Any]:
    return {
        "factory": each.factory,
        "trigger": each.trigger.name,
        "state": each.trigger.state or None,
        "pipelines": list(pipelines_of(each.trigger))[:MAX_TIMES],
        "missed": len(each.missed),
        "missed_at": [stamp(due.at) for due in each.missed[:MAX_TIMES]],
        "last_fired": {"id": each.last.id, "at": stamp(each.last.at)} if each.last else None,
        **(_backlog_shown(each.backlog) if each.backlog else {}),
        "failed_firings": [run.id for run in each.failed[:MAX_TIMES]],
        "stopped_and_started": [
            {"by": who(deed), "did": deed.operation, "at": stamp(deed.at)} for deed in each.deeds[:MAX_TIMES]
        ],
    }


def _backlog_shown(backlog: Backlog) -> dict[str, Any]:
    blocked = backlog.blocker
    return {
        "open_windows": len(backlog.open),
        "waiting": len(backlog.waiting),
        "windows": table(
            [
                {
                    "from": stamp(window.begin),
                    "status": window.status,
                    "trigger_run": window.run.id if window.run else None,
                }
                for window in backlog.open[:MAX_TIMES]
            ]
        ),
        "blocked_by": {
            "from": stamp(blocked.begin),
            "status": blocked.status,
            "trigger_run": blocked.run.id if blocked.run else None,
            "unmet": unmet(blocked.run),
        }
        if blocked
        else None,
    }


def _kept_shown(kept: Kept) -> dict[str, Any]:
    days = [
        {
            "day": day.day.isoformat(),
            "due": stamp(day.due),
            "state": day.state,
            "run_id": day.run.run_id if day.run else None,
            "ended": stamp(ended_at(day.run)) if day.run else None,
            "late_s": round(day.late_by.total_seconds()) if day.late_by is not None else None,
        }
        for day in kept.days
    ]
    return {"factory": kept.factory, "pipeline": kept.pipeline, "agreed_finish": f"{kept.agreed:%H:%M}", "days": days}


def _late_shown(each: Late) -> dict[str, Any]:
    return {
        "factory": each.factory,
        "pipeline": each.run.pipeline,
        "run_id": each.run.run_id,
        "status": each.run.status,
        "took_s": round(each.took),
        "usual_p50_s": round(each.usual.p50),
        "usual_p95_s": round(each.usual.p95),
    }


def _kept_evidence(kept: Sequence[Kept]) -> list[Evidence]:
    runs = [(each.factory, day.run) for each in kept for day in each.days]
    return [Evidence("pipeline_run", run.run_id, factory) for factory, run in runs if run and run.run_id]


def _evidence(troubled: Sequence[Checked]) -> list[Evidence]:
    return [
        Evidence("trigger_run", run_id, each.factory)
        for each in troubled
        for run_id in dict.fromkeys(run.id for run in _runs_named(each) if run is not None and run.id)
    ] + [Evidence("activity_log", deed.id, each.factory) for each in troubled for deed in each.deeds[:MAX_TIMES]]


def _runs_named(each: Checked) -> list[TriggerRun | None]:
    found: list[TriggerRun | None] = [*each.failed[:MAX_TIMES]]
    if each.backlog is not None:
        blocker = each.backlog.blocker
        found += [blocker.run if blocker else None, *(one.run for one in each.backlog.upstream)]
        found += [window.run for window in each.backlog.open[:MAX_TIMES]]
    if each.missed:
        found += [each.last, *(each.silence or ())]
    return found


def _late_evidence(late: Sequence[Late]) -> list[Evidence]:
    return [Evidence("pipeline_run", each.run.run_id, each.factory) for each in late if each.run.run_id]


TOOL = ToolSpec(
    name="adf_missed_runs",
    description=(
        "Finds Azure Data Factory runs that should have started and did not: due times of schedule triggers without a "
        "run (with time zones), tumbling windows that wait, are blocked or failed, stopped triggers and since when "
        "nothing fired, runs that are late by their own history or against an agreed finish time. Use it for 'did "
        "everything start on time', 'why did it not run' and 'was it late'."
    ),
    arguments=MissedRunsArguments,
    run=adf_missed_runs,
)
