"""adf_changes: who changed, deleted, stopped, started or cancelled what, from the Activity Log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from tools_worker.datafactory.activity_log import who
from tools_worker.datafactory.authorship import Break, Deed, concerning, fetch_deeds, last_break, made_of
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.period import RETENTION_DAYS
from tools_worker.datafactory.survey import Survey, survey, with_pipeline
from tools_worker.datafactory.wording import age, at, count, listed, sentences, stamp
from tools_worker.runtime.periods import Dates
from tools_worker.runtime.tools import Evidence, Reply, ToolContext, ToolSpec

KEPT_DAYS = 90
MAX_TOLD = 8
LIMITS = (
    f"The Activity Log is kept for {KEPT_DAYS} days and does not hold what was in a change: Git does, and a deployment "
    "shows the identity that deployed."
)


class ChangesArguments(Dates):
    pipeline: str | None = Field(
        default=None,
        max_length=260,
        description="A pipeline, in any case: changes of it, of what it is made of, its triggers, and its cancelled "
        "runs. Omit for the whole factory.",
    )
    name: str | None = Field(
        default=None, max_length=260, description="Only this trigger, dataset, linked service or other resource."
    )
    person: str | None = Field(
        default=None, max_length=200, description="Only what this person did: the name before the @, or an address."
    )
    hours: int = Field(
        default=24 * 7, ge=1, le=24 * KEPT_DAYS, description="How far back to look, in hours. Not used with since."
    )
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")
    limit: int = Field(default=20, ge=1, le=100, description="How many to list. The count is of all.")


@dataclass(frozen=True, slots=True)
class Window:
    since: datetime
    until: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    deeds: tuple[Deed, ...]
    complete: bool
    broke: Break | None = None


async def adf_changes(context: ToolContext, args: ChangesArguments) -> Reply:
    window = _window(args, context.now)
    answers = await _ask(context, args, window)
    deeds = [deed for _, answer in answers.answers for deed in answer.deeds]
    deeds.sort(key=lambda deed: deed.change.at or window.since, reverse=True)
    shown = deeds[: args.limit]
    breaks = [answer.broke for _, answer in answers.answers if answer.broke is not None]
    return Reply(
        summary=sentences(
            _head(deeds, [factory.name for factory, _ in answers.answers], args, window),
            *(_broke_told(each) for each in breaks),
            "" if all(answer.complete for _, answer in answers.answers) else "There is more than could be read.",
            answers.caveat,
            LIMITS,
        ),
        data={
            "since": stamp(window.since),
            "until": stamp(window.until or context.now),
            "total": len(deeds),
            "exact": not answers.silent and all(answer.complete for _, answer in answers.answers),
            "changes": [_shown(deed) for deed in shown],
            "left_out": len(deeds) - len(shown),
        },
        evidence=[
            *(Evidence("activity_log", deed.change.id, deed.factory) for deed in shown if deed.change.id),
            *(Evidence("pipeline_run", each.failed.run_id, name) for name, each in _broken(answers)),
        ],
        truncated=len(deeds) > len(shown),
        next=[f"adf_diagnose_run run_id={each.failed.run_id} factory={name}" for name, each in _broken(answers)[:1]],
    )


def _window(args: ChangesArguments, now: datetime) -> Window:
    """The log reaches further back than Data Factory's runs do."""
    period = args.dated(now)
    if period is None:
        return Window(now - timedelta(hours=args.hours), None, f"in the last {count(args.hours, 'hour')}")
    return Window(period.asked_since or period.since, period.until, period.words)


async def _ask(context: ToolContext, args: ChangesArguments, window: Window) -> Survey[Answer]:
    factories = await context.factories.chosen(args.factory)
    if not args.pipeline:
        return await survey(factories, lambda factory: _answer(factory, args, window))
    holders = await with_pipeline(factories, args.pipeline, context.now)
    spelling = {factory.name: name for factory, name in holders.answers}
    found = await survey(
        [factory for factory, _ in holders.answers],
        lambda factory: _of_pipeline(factory, spelling[factory.name], args, window, context.now),
    )
    return Survey(found.answers, (*holders.silent, *found.silent))


async def _answer(factory: DataFactory, args: ChangesArguments, window: Window) -> Answer:
    deeds, complete = await fetch_deeds(factory, window.since, window.until)
    return Answer(tuple(deed for deed in deeds if _meant(deed, args)), complete)


async def _of_pipeline(
    factory: DataFactory, pipeline: str, args: ChangesArguments, window: Window, now: datetime
) -> Answer:
    deeds, complete = await fetch_deeds(factory, window.since, window.until)
    mine = concerning(deeds, await made_of(factory, pipeline), pipeline)
    broke = await last_break(factory, pipeline, mine, max(window.since, now - timedelta(days=RETENTION_DAYS)))
    return Answer(tuple(deed for deed in mine if _meant(deed, args)), complete, broke)


def _meant(deed: Deed, args: ChangesArguments) -> bool:
    person = (args.person or "").strip().casefold()
    name = (args.name or "").strip().casefold()
    by = deed.change.by.casefold()
    return (not person or person in (by, by.split("@")[0])) and (not name or name == deed.change.name.casefold())


def _head(deeds: Sequence[Deed], factories: Sequence[str], args: ChangesArguments, window: Window) -> str:
    of = f" of what {args.pipeline!r} is made of" if args.pipeline else f" of {args.name!r}" if args.name else ""
    by = f" by {args.person!r}" if args.person else ""
    where = listed([repr(name) for name in factories])
    if not deeds:
        return f"The Activity Log shows no change{of}{by} in {where} {window.words}."
    told = "; ".join(deed.told for deed in deeds[:MAX_TOLD])
    more = f"; and {len(deeds) - MAX_TOLD} more" if len(deeds) > MAX_TOLD else ""
    return f"{count(len(deeds), 'action')}{of}{by} in {where} {window.words}, newest first: {told}{more}."


def _broke_told(each: Break) -> str:
    run, moment = each.failed, each.failed.end or each.failed.start
    failed = f"its last failed run ({run.run_id}, {at(moment)})"
    good = f"its last good run before that ({each.good.run_id}, {at(each.good.start)})" if each.good else ""
    if not each.between:
        return f"Nothing it is made of was changed {f'between {good} and' if good else 'before'} {failed}."
    newest = each.between[0]
    before = f"{age(newest.change.at, moment)} before " if newest.change.at and moment else "before "
    more = f" ({count(len(each.between), 'change')} since {good})" if good else ""
    return f"The newest change before it broke: {newest.told}, {before}{failed}{more}."


def _broken(answers: Survey[Answer]) -> list[tuple[str, Break]]:
    return [(factory.name, answer.broke) for factory, answer in answers.answers if answer.broke is not None]


def _shown(deed: Deed) -> dict[str, Any]:
    change = deed.change
    found = {
        "factory": deed.factory,
        "at": stamp(change.at),
        "by": who(change),
        "did": change.operation,
        "kind": change.kind,
        "name": change.name,
        "pipeline": deed.pipeline,
        "count": deed.count if deed.count > 1 else None,
        "status": "" if change.status == "Succeeded" else change.status,
    }
    return {key: value for key, value in found.items() if value not in ("", None)}


TOOL = ToolSpec(
    name="adf_changes",
    description=(
        "Who changed, deleted, deployed, stopped, started or cancelled what in Azure Data Factory, and when: "
        "definitions of pipelines, datasets, linked services and triggers, cancelled runs, runs started by hand. For a "
        "pipeline it points out the newest change before it broke. From the Activity Log of the last 90 days. Use it "
        "for who questions: who changed it, who stopped the trigger, what was changed or deployed."
    ),
    arguments=ChangesArguments,
    run=adf_changes,
)
