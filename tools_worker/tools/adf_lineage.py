"""adf_lineage: who reads or writes a table, file or folder, and what runs before and after a pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from core.errors import NotFound
from tools_worker.datafactory.client import DataFactory, resolve_pipeline
from tools_worker.datafactory.lineage import READS, Lineage, Touch, lineage
from tools_worker.datafactory.survey import survey, with_pipeline
from tools_worker.datafactory.wording import count, listed, sentences
from tools_worker.runtime.tables import table
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

MAX_PIPELINES = 2000  # of one factory: read as lists, so a few calls
MAX_SHOWN = 25
NAMELESS = "an unnamed pipeline"


class LineageArguments(Arguments):
    data: str | None = Field(
        default=None, max_length=300, description="Table, file, folder or dataset, as 'sales.Orders' or 'landing'."
    )
    pipeline: str | None = Field(default=None, max_length=260, description="Name of a pipeline, in any case.")
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")

    @model_validator(mode="after")
    def _one_of_them(self) -> LineageArguments:
        if bool((self.data or "").strip()) == bool((self.pipeline or "").strip()):
            raise ValueError("name data (a table, file, folder or dataset) or a pipeline, and not both")
        return self


async def adf_lineage(context: ToolContext, args: LineageArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    holders = await with_pipeline(factories, args.pipeline) if args.pipeline else None
    asked = await survey([f for f, _ in holders.answers] if holders else factories, _read)
    caveat = sentences(holders.caveat if holders else "", asked.caveat)
    maps = [(factory, *answer) for factory, answer in asked.answers]
    if args.pipeline:
        return await _of_pipeline(maps, args.pipeline, caveat)
    return _of_data(maps, (args.data or "").strip(), caveat)


Map = tuple[DataFactory, Lineage, int]


async def _read(factory: DataFactory) -> tuple[Lineage, int]:
    pipelines, datasets, triggers = await asyncio.gather(factory.pipelines(), factory.datasets(), factory.triggers())
    return lineage(pipelines[:MAX_PIPELINES], datasets, triggers), max(0, len(pipelines) - MAX_PIPELINES)


def _of_data(maps: Sequence[Map], words: str, caveat: str) -> Reply:
    found = [(factory.name, touch) for factory, known, _ in maps for touch in known.about(words)]
    broken = [
        f"{name or NAMELESS} in {factory.name}"
        for factory, known, _ in maps
        for name in known.downstream(t.pipeline for t in known.about(words) if t.mode == READS)
    ]
    writers = _names(found, lambda touch: touch.mode != READS)
    readers = _names(found, lambda touch: touch.mode == READS)
    summary = sentences(
        f"{words!r} is written by {listed(writers, 8) or 'no pipeline'} "
        f"and read by {listed(readers, 8) or 'no pipeline'}."
        if found
        else f"No activity in {listed([repr(f.name) for f, _, _ in maps])} names {words!r} in its definition.",
        f"After its readers come: {listed(broken, 8)}." if broken else "",
        _limits(maps),
        caveat,
    )
    return Reply(
        summary=summary,
        data={
            "data": words,
            "touches": table([_row(name, touch) for name, touch in found[:MAX_SHOWN]]),
            "left_out": max(0, len(found) - MAX_SHOWN),
            "downstream": broken[:MAX_SHOWN],
            "not_readable": _opaque(maps),
        },
        evidence=[Evidence("pipeline", t.pipeline, f) for f, t in dict.fromkeys(found)][:MAX_SHOWN],
        truncated=len(found) > MAX_SHOWN or len(broken) > MAX_SHOWN,
        next=[f"adf_explain_pipeline pipeline={t.pipeline} factory={name}" for name, t in found[:1]],
    )


async def _of_pipeline(maps: Sequence[Map], asked: str, caveat: str) -> Reply:
    told: list[str] = []
    rows: list[dict[str, Any]] = []
    evidence: list[Evidence] = []
    for factory, known, _ in maps:
        try:
            name = await resolve_pipeline(factory, asked)
        except NotFound:  # deleted between two questions
            continue
        before, after = known.before(name), known.after(name)
        touches = [touch for touch in known.touches if touch.pipeline == name]
        later = [other for other in known.downstream([name]) if other not in {n for n, _ in after}]
        told.append(
            sentences(
                f"{name} in {factory.name} {_data_told(touches)}.",
                f"Before it: {listed([f'{n or NAMELESS} ({why})' for n, why in before], 6) or 'nothing known'}.",
                f"After it: {listed([f'{n or NAMELESS} ({why})' for n, why in after], 6) or 'nothing known'}.",
                f"Further downstream: {listed([other or NAMELESS for other in later], 8)}." if later else "",
            )
        )
        rows.append(
            {
                "factory": factory.name,
                "pipeline": name,
                "data": table([_row(factory.name, touch) for touch in touches[:MAX_SHOWN]]),
                "before": [{"pipeline": n, "why": why} for n, why in before[:MAX_SHOWN]],
                "after": [{"pipeline": n, "why": why} for n, why in after[:MAX_SHOWN]],
                "further_downstream": later[:MAX_SHOWN],
                "left_out": sum(max(0, len(part) - MAX_SHOWN) for part in (touches, before, after, later)),
            }
        )
        evidence.append(Evidence("pipeline", name, factory.name))
    return Reply(
        summary=sentences(*told, _limits(maps), caveat),
        data={"pipelines": rows[:5], "factories_left_out": max(0, len(rows) - 5), "not_readable": _opaque(maps)},
        evidence=evidence,
        truncated=len(rows) > 5 or any(row["left_out"] for row in rows),
        next=[f"adf_explain_pipeline pipeline={row['pipeline']} factory={row['factory']}" for row in rows[:1]],
    )


def _data_told(touches: Sequence[Touch]) -> str:
    told = [f"{touch.mode} {touch.place or touch.dataset}" for touch in touches]
    return listed(list(dict.fromkeys(told)), 8) or "names no data in its definition"


def _names(found: Sequence[tuple[str, Touch]], keep: Any) -> list[str]:
    names = (
        f"{t.pipeline or NAMELESS} in {factory} (activity {t.activity} {t.mode} it)" for factory, t in found if keep(t)
    )
    return list(dict.fromkeys(names))


def _limits(maps: Sequence[Map]) -> str:
    open_places = sum(not touch.resolved for _, known, _ in maps for touch in known.touches)
    hidden = sum(len(names) for _, known, _ in maps for names in known.opaque.values())
    cut = sum(left for _, _, left in maps)
    return sentences(
        f"{count(open_places, 'place')} decided at run time or unknown." if open_places else "",
        f"{count(hidden, 'activity')} (procedures, notebooks, data flows, calls) may touch more: "
        "their code is not read."
        if hidden
        else "",
        f"{count(cut, 'pipeline')} not read." if cut else "",
    )


def _opaque(maps: Sequence[Map]) -> dict[str, int]:
    return {f"{f.name}/{name}": len(a) for f, known, _ in maps for name, a in list(known.opaque.items())[:20]}


def _row(factory: str, touch: Touch) -> dict[str, Any]:
    return {
        "factory": factory,
        "pipeline": touch.pipeline,
        "activity": touch.activity,
        "mode": touch.mode,
        "dataset": touch.dataset,
        "store": touch.store,
        "place": touch.place or None,
    }


TOOL = ToolSpec(
    name="adf_lineage",
    description=(
        "Data lineage from Azure Data Factory definitions: which pipelines read or write a table, file, folder or "
        "dataset (data), or what runs before and after a pipeline and breaks downstream (pipeline). Use it for impact "
        "and dependency questions."
    ),
    arguments=LineageArguments,
    run=adf_lineage,
)
