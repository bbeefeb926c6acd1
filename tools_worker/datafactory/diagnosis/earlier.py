"""A run beside the good runs before it: other parameters, a time out of the ordinary, copies that moved far less."""

from __future__ import annotations

import asyncio
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from core.errors import AppError
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis.estate import bounded
from tools_worker.datafactory.diagnosis.history import WINDOW_DAYS, History
from tools_worker.datafactory.diagnosis.record import MaskedFailure
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.leaves import attempts
from tools_worker.datafactory.models import SUCCEEDED, ActivityRun, PipelineRun
from tools_worker.datafactory.wording import count, lasted, listed

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


async def fetch_fewer_rows(factory: DataFactory, tree: Node, history: History) -> tuple[MaskedFailure, ...]:
    """Copies that moved far fewer rows than in the good runs before: of this run, and of its children where it went
    well. Of a failed run the children that matter have failed."""
    nodes = [node for node in tree.walk() if node is tree or tree.run.status == SUCCEEDED]
    asked = [node for node in nodes if _copies(node.activities)][:MAX_NODES]
    answers = await asyncio.gather(*(_fewer_of(factory, node, tree, history) for node in asked))
    return tuple(masked for answer in answers for masked in answer)


async def _fewer_of(factory: DataFactory, node: Node, tree: Node, history: History) -> list[MaskedFailure]:
    good = history.good_before[:COMPARED] if node is tree else await _good_before(factory, node.run)
    answers = await asyncio.gather(*(factory.activity_runs(run) for run in good), return_exceptions=True)
    before: defaultdict[str, list[int]] = defaultdict(list)
    for answer in answers:
        if isinstance(answer, AppError):  # what cannot be compared is not told
            continue
        if isinstance(answer, BaseException):
            raise answer
        for run, rows in _copies(answer.items):
            before[run.name].append(rows)
    now = _copies(node.activities)
    return [_fewer(node.run, run, rows, before[run.name]) for run, rows in now if _few(rows, before[run.name])]


async def _good_before(factory: DataFactory, run: PipelineRun) -> list[PipelineRun]:
    if run.start is None or not run.pipeline:
        return []
    since = run.start - timedelta(days=WINDOW_DAYS)
    question = factory.pipeline_runs(since, run.start, pipeline=run.pipeline, status=SUCCEEDED, limit=COMPARED)
    found = await bounded(question)
    return [] if isinstance(found, AppError | str) else list(found)


def _few(rows: int, before: Sequence[int]) -> bool:
    usual = statistics.median(before) if before else 0
    return usual >= ENOUGH_ROWS and 0 < rows < usual * FEW  # none at all is told as such


def _fewer(parent: PipelineRun, run: ActivityRun, rows: int, before: Sequence[int]) -> MaskedFailure:
    usual = round(statistics.median(before))
    return MaskedFailure(
        kind="fewer_rows",
        activity=run.name,
        pipeline=parent.pipeline or run.pipeline,
        what=f"copy {run.name} moved {count(rows, 'row')}; the good runs before it {usual:,} in the median",
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
