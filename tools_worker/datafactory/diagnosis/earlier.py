"""A run beside the good runs before it: other parameters, a time out of the ordinary, copies that moved far less."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import AppError
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.comparison import compare
from tools_worker.datafactory.diagnosis.estate import bounded
from tools_worker.datafactory.diagnosis.history import WINDOW_DAYS, History
from tools_worker.datafactory.diagnosis.record import MaskedFailure
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.leaves import attempts
from tools_worker.datafactory.models import SUCCEEDED, ActivityRun, PipelineRun
from tools_worker.datafactory.performance import MEANING, copy_of
from tools_worker.datafactory.wording import lasted, listed

COMPARED = 3  # good runs whose activities are read: one call each
FEW = 0.1  # of the usual rows
MAX_NODES = 5  # of a large tree not every child is compared
ENOUGH_ROWS = 100  # below this a few rows more or less mean nothing
LONG, MIN_GOOD = 2.0, 3  # times the usual duration, known from so many runs
MAX_NAMES = 5


def differences(history: History) -> tuple[str, ...]:
    """What is known of the runs themselves, without another call. Names only: values are the author's words."""
    good = history.good_before[:COMPARED]
    changed = changed_parameters(history.run, good) if good else []
    told = [f"Parameters differ from the good runs before it: {listed(changed, MAX_NAMES)}."] if changed else []
    return (*told, *unusual_time(history))


def changed_parameters(run: PipelineRun, good: Sequence[PipelineRun]) -> list[str]:
    """Those that were the same in all the good runs and are not now. A date that changes daily says nothing."""
    names = sorted({name for each in (run, *good) for name in each.parameters})
    return [name for name in names if _steady(name, good) and run.parameters.get(name) != good[0].parameters.get(name)]


def _steady(name: str, runs: Sequence[PipelineRun]) -> bool:
    return all(run.parameters.get(name) == runs[0].parameters.get(name) for run in runs)


def unusual_time(history: History) -> tuple[str, ...]:
    usual = usual_ms(history)
    took = history.run.duration_ms
    if usual is None or took is None or history.run.status != SUCCEEDED or took < usual * LONG:
        return ()
    return (f"It took {lasted(took)}; the good runs before it took {lasted(round(usual))} in the median.",)


def usual_ms(history: History) -> float | None:
    """Median duration of the good runs before this one; None when there are too few to speak of a usual one."""
    times = [run.duration_ms for run in history.good_before if run.duration_ms]
    return statistics.median(times) if len(times) >= MIN_GOOD else None


def overdue(history: History, now: datetime) -> bool:
    """Whether a run that still goes on has taken far longer than the good ones before it."""
    usual, start = usual_ms(history), history.run.start
    return usual is not None and start is not None and (now - start).total_seconds() * 1000 > usual * LONG


@dataclass(frozen=True, slots=True)
class Good:
    """A run that went well, and what its activities did."""

    run: PipelineRun
    activities: tuple[ActivityRun, ...]


Earlier = Mapping[
    str, Sequence[Good]
]  # id of a run of the tree → good runs of the same pipeline before it, newest first


async def fetch_earlier(factory: DataFactory, tree: Node, history: History) -> Earlier:
    """Of this run; and of its children where it went well. Of a failed run the children that matter have failed."""
    nodes = [node for node in tree.walk() if node is tree or tree.run.status == SUCCEEDED]
    asked = [node for node in nodes if _copies(node.activities) or (node is tree and unusual_time(history))]
    found = await asyncio.gather(*(_goods(factory, node, tree, history) for node in asked[:MAX_NODES]))
    return {node.run.run_id: goods for node, goods in zip(asked, found, strict=False)}


async def _goods(factory: DataFactory, node: Node, tree: Node, history: History) -> list[Good]:
    runs = history.good_before[:COMPARED] if node is tree else await _good_before(factory, node.run)
    answers = await asyncio.gather(*(bounded(factory.activity_runs(run)) for run in runs))
    # what cannot be compared is not told
    return [Good(run, answer.items) for run, answer in zip(runs, answers, strict=True) if isinstance(answer, Found)]


def fewer_rows(tree: Node, earlier: Earlier) -> tuple[MaskedFailure, ...]:
    """Copies that moved far fewer rows than in the good runs before."""
    return tuple(
        _fewer(node.run, copy, rows, usual)
        for node in tree.walk()
        for copy, rows in _copies(node.activities)
        if (usual := _usual_rows(copy.name, earlier.get(node.run.run_id, ()))) is not None and _few(rows, usual)
    )


def _usual_rows(copy: str, earlier: Sequence[Good]) -> float | None:
    told = [rows for good in earlier for run, rows in _copies(good.activities) if run.name == copy]
    return statistics.median(told) if told else None


def slower(tree: Node, earlier: Earlier) -> tuple[str, ...]:
    """The activity that took most of the longer time, and why, where its output tells."""
    goods = earlier.get(tree.run.run_id, ())
    if not goods:
        return ()
    differences = [each for each in compare(tree.activities, goods[0].activities) if each.longer_by_ms > 0]
    worst = max(differences, key=lambda each: each.longer_by_ms, default=None)
    if worst is None or worst.one is None:
        return ()
    run = next(run for run in tree.activities if run.id == worst.one.id)
    than = f"{worst.name} took {lasted(worst.longer_by_ms)} longer than in the good run {goods[0].run.run_id}"
    return (f"{than}{_because(run)}.",)


def _because(run: ActivityRun) -> str:
    copy = copy_of(run)
    if copy is None or not copy.bottleneck:
        return ""
    if copy.slowed_by:
        return f": its {copy.slowed_by} refused {copy.throttled[copy.slowed_by]:,} requests (throttling)"
    return f", most of it for {copy.bottleneck}: {MEANING[copy.bottleneck]}"


async def _good_before(factory: DataFactory, run: PipelineRun) -> list[PipelineRun]:
    if run.start is None or not run.pipeline:
        return []
    since = run.start - timedelta(days=WINDOW_DAYS)
    question = factory.pipeline_runs(since, run.start, pipeline=run.pipeline, status=SUCCEEDED, limit=COMPARED)
    found = await bounded(question)
    return [] if isinstance(found, AppError | str) else list(found)


def _few(rows: int, usual: float) -> bool:
    return usual >= ENOUGH_ROWS and 0 < rows < usual * FEW  # none at all is told as such


def _fewer(parent: PipelineRun, run: ActivityRun, rows: int, usual: float) -> MaskedFailure:
    return MaskedFailure(
        kind="fewer_rows",
        activity=run.name,
        pipeline=parent.pipeline or run.pipeline,
        what=f"copy {run.name} moved {rows:,} rows; the good runs before it {round(usual):,} in the median",
        activity_run_id=run.id,
    )


def _copies(activities: Iterable[ActivityRun]) -> list[tuple[ActivityRun, int]]:
    """Copies that succeeded and tell their rows. Iterations of a loop are left out: they vary by nature."""
    found = []
    for run in (group.last for group in attempts(tuple(activities))):
        rows = fields.whole(run.output, "rowsCopied")
        if run.type == "Copy" and run.status == SUCCEEDED and rows is not None and not run.iteration:
            found.append((run, rows))
    return found
