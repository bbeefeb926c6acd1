"""adf_changes: who changed, deleted, stopped, started or cancelled what, from the Activity Log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from core.errors import AppError
from tools_worker.datafactory.activity_log import who
from tools_worker.datafactory.authorship import Deed, concerning, fetch_log, with_pipelines
from tools_worker.datafactory.breaks import Break, last_break, made_of
from tools_worker.datafactory.client import DataFactory, resolve_pipeline
from tools_worker.datafactory.log_period import KEPT_DAYS, LIMITS, LogPeriod
from tools_worker.datafactory.period import RETENTION_DAYS, last_hours
from tools_worker.datafactory.survey import Survey, survey, with_pipeline
from tools_worker.datafactory.wording import count, listed, sentences, stamp
from tools_worker.runtime.periods import Dates
from tools_worker.runtime.tables import table
from tools_worker.runtime.tools import Evidence, Reply, ToolContext, ToolSpec

MAX_TOLD = 8


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
    kind: (
        Literal[
            "pipelines",
            "datasets",
            "linkedservices",
            "dataflows",
            "triggers",
            "integrationruntimes",
            "pipelineruns",
            "factories",
        ]
        | None
    ) = Field(default=None, description="Only resources of this kind; pipelines includes their runs.")
    operation: Literal["write", "delete", "start", "stop", "cancel", "rerun", "createrun"] | None = Field(
        default=None,
        description="Only this: write is a save or deployment, createrun a run started by hand. start and stop include "
        "what was done to runs.",
    )
    person: str | None = Field(
        default=None, max_length=200, description="Only what this person did: the name before the @, or an address."
    )
    hours: int = Field(
        default=24 * 7,
        ge=1,
        le=24 * KEPT_DAYS,
        description="How far back to look, in hours. Not used when since or until is given.",
    )
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")
    limit: int = Field(default=10, ge=1, le=100, description="How many to list. The count is of all.")


@dataclass(frozen=True, slots=True)
class Answer:
    """`nameless`: runs that may be of the resource asked for, whose pipeline nobody could tell."""

    deeds: tuple[Deed, ...]
    complete: bool
    nameless: int = 0
    broke: Break | None = None
    gap: str = ""

    @property
    def exact(self) -> bool:
        return self.complete and not self.nameless and not self.gap


async def adf_changes(context: ToolContext, args: ChangesArguments) -> Reply:
    window = LogPeriod.of(
        args.dated(context.now) or last_hours(args.hours, context.now, args.timezone or ""), context.now
    )
    asked = {"since": stamp(window.since), "until": stamp(window.until or context.now)}
    if window.gone:
        return Reply(summary=sentences(window.caveat, LIMITS), data={**asked, "kept": False, "exact": False})
    answers = await _ask(context, args, window)
    deeds = [deed for _, answer in answers.answers for deed in answer.deeds]
    deeds.sort(key=lambda deed: deed.change.at or window.since, reverse=True)
    shown = deeds[: args.limit]
    return Reply(
        summary=sentences(
            _head(deeds, answers, args, window),
            *_broke_told(answers, args, window),
            *_unread([answer for _, answer in answers.answers]),
            answers.caveat,
            window.caveat,
            LIMITS,
        ),
        data={
            **asked,
            "total": len(deeds),
            "exact": window.whole and _exact(answers),
            "changes": table([_shown(deed) for deed in shown]),
            "left_out": len(deeds) - len(shown),
        },
        evidence=_evidence(shown, _broken(answers)),
        truncated=len(deeds) > len(shown),
        next=[f"adf_diagnose_run run_id={each.failed.run_id} factory={name}" for name, each in _broken(answers)[:1]],
    )


async def _ask(context: ToolContext, args: ChangesArguments, window: LogPeriod) -> Survey[Answer]:
    factories = await context.factories.chosen(args.factory)
    if not args.pipeline:
        return await survey(factories, lambda factory: _answer(factory, args, window))
    holders = await with_pipeline(factories, args.pipeline, context.now)
    spelling = {factory.name: name for factory, name in holders.answers}
    found = await survey(
        [factory for factory, _ in holders.answers],
        lambda factory: _of_pipeline(factory, spelling[factory.name], args, window),
    )
    return Survey(found.answers, (*holders.silent, *found.silent))


async def _answer(factory: DataFactory, args: ChangesArguments, window: LogPeriod) -> Answer:
    log = await fetch_log(factory, window.since, window.until)
    meant = [deed for deed in log.deeds if _meant(deed, args)]
    runs = any(deed.of_run for deed in meant)
    pipeline = await _pipeline_named(factory, args.name) if runs else None
    deeds, nameless = await with_pipelines(factory, meant, window.runs_since, pipeline)
    return Answer(tuple(deed for deed in deeds if _named(deed, args)), log.complete, nameless if args.name else 0)


async def _pipeline_named(factory: DataFactory, name: str | None) -> str | None:
    try:
        return await resolve_pipeline(factory, name) if name else None
    except AppError:  # it is none, or nobody can tell: then each run is asked for
        return None


async def _of_pipeline(factory: DataFactory, pipeline: str, args: ChangesArguments, window: LogPeriod) -> Answer:
    log = await fetch_log(factory, window.since, window.until)
    parts = await made_of(factory, pipeline)
    meant = [deed for deed in log.deeds if _meant(deed, args)]
    deeds, nameless = await with_pipelines(factory, meant, window.runs_since, pipeline)
    mine = [deed for deed in concerning(deeds, parts.names, pipeline) if _named(deed, args)]
    broke = await last_break(factory, pipeline, parts, log, window.until, window.now)
    return Answer(tuple(mine), log.complete, nameless, broke, parts.caveat)


def _meant(deed: Deed, args: ChangesArguments) -> bool:
    person = (args.person or "").strip().casefold()
    by = deed.change.by.casefold()
    return (
        (not person or person in (by, by.split("@")[0]))
        and (args.kind is None or deed.is_of(args.kind))
        and (args.operation is None or deed.did(args.operation))
    )


def _named(deed: Deed, args: ChangesArguments) -> bool:
    """A run is known by its pipeline's name too."""
    name = (args.name or "").strip().casefold()
    return not name or name in (deed.change.name.casefold(), deed.pipeline.casefold())


def _head(deeds: Sequence[Deed], answers: Survey[Answer], args: ChangesArguments, window: LogPeriod) -> str:
    of = f" of what {args.pipeline!r} is made of" if args.pipeline else f" of {args.name!r}" if args.name else ""
    only = [f"{name} {value}" for name, value in (("kind", args.kind), ("operation", args.operation)) if value]
    by = (f" by {args.person!r}" if args.person else "") + (f" (only {listed(only)})" if only else "")
    where = listed([repr(factory.name) for factory, _ in answers.answers])
    if not deeds:
        read = "" if all(answer.complete for _, answer in answers.answers) else ", as far as it could be read"
        return f"The Activity Log shows no change{of}{by} in {where} {window.words}{read}."
    told = "; ".join(deed.told for deed in deeds[:MAX_TOLD])
    more = f"; and {len(deeds) - MAX_TOLD} more" if len(deeds) > MAX_TOLD else ""
    number = count(len(deeds), "action", all(answer.exact for _, answer in answers.answers))
    return f"{number}{of}{by} in {where} {window.words}, newest first: {told}{more}."


def _broke_told(answers: Survey[Answer], args: ChangesArguments, window: LogPeriod) -> list[str]:
    breaks = [each.told for _, each in _broken(answers)]
    if breaks or not args.pipeline:
        return breaks
    older = window.since < window.runs_since
    kept = f" (Data Factory keeps runs for {RETENTION_DAYS} days)" if older else ""
    return [f"No failed run of it is known {window.words}{kept}."]


def _unread(answers: Sequence[Answer]) -> list[str]:
    nameless = sum(answer.nameless for answer in answers)
    return [
        "" if all(answer.complete for answer in answers) else "There is more than could be read.",
        f"Of {count(nameless, 'run')} in the log it could not be told which pipeline ran." if nameless else "",
        *dict.fromkeys(answer.gap for answer in answers),
    ]


def _exact(answers: Survey[Answer]) -> bool:
    return not answers.silent and all(answer.exact for _, answer in answers.answers)


def _broken(answers: Survey[Answer]) -> list[tuple[str, Break]]:
    return [(factory.name, answer.broke) for factory, answer in answers.answers if answer.broke is not None]


def _evidence(shown: Sequence[Deed], broken: Sequence[tuple[str, Break]]) -> list[Evidence]:
    deeds = [*shown, *(each.between[0] for _, each in broken if each.between)]
    runs = [(name, run) for name, each in broken for run in (each.failed, each.good) if run is not None and run.run_id]
    found = [Evidence("activity_log", deed.id, deed.factory) for deed in deeds if deed.id]
    return list(dict.fromkeys([*found, *(Evidence("pipeline_run", run.run_id, name) for name, run in runs)]))


def _shown(deed: Deed) -> dict[str, Any]:
    change = deed.change
    found = {
        "factory": deed.factory,
        "at": stamp(change.at),
        "by": who(change),
        "did": change.operation,
        "kind": deed.kind,
        "name": deed.name,
        "pipeline": deed.pipeline,
        "count": deed.count if deed.count > 1 else None,
        "status": deed.status,
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
