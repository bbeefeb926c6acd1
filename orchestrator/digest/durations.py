"""Which pipelines are slower: of those that ran, the most important and the busiest beside their own history."""

from __future__ import annotations

import asyncio
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from orchestrator.digest.facts import Slower, Slowness
from orchestrator.policy.model import Policy
from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.history import MIN_GROWTH, MIN_RATIO, MIN_SECONDS, MIN_SIDE, Usual, drift, shift, timed
from tools_worker.datafactory.models import SUCCEEDED, PipelineRun

COMPARED = 8  # pipelines of a factory, one query each
HISTORY = timedelta(days=21)
MAX_HISTORY = 1000  # runs of a pipeline
MATTERS = 2  # the severity from which a pipeline is looked at before busier ones


async def fetch_slowness(
    factory: DataFactory, runs: Sequence[PipelineRun], policy: Policy, since: datetime, until: datetime
) -> Slowness:
    """`runs`: those that ended in the period."""
    by_pipeline: defaultdict[str, list[PipelineRun]] = defaultdict(list)
    for run, _ in timed(runs):
        by_pipeline[run.pipeline].append(run)
    names = sorted(by_pipeline, key=lambda name: _rank(factory.name, name, by_pipeline[name], policy))
    asked = names[:COMPARED]
    histories = await asyncio.gather(*(_history(factory, name, until) for name in asked))
    found, unknown = [], len(names) - len(asked)
    for name, history in zip(asked, histories, strict=True):
        before = [run for run in history if run not in by_pipeline[name] and _is_before(run, since)]
        if not history.complete and len(before) < MIN_SIDE:
            unknown += 1
        elif slower := judged(factory.name, name, before, by_pipeline[name]):
            found.append(slower)
    return Slowness(tuple(found), unknown)


async def _history(factory: DataFactory, pipeline: str, until: datetime) -> Found[PipelineRun]:
    return await factory.pipeline_runs(until - HISTORY, until, status=SUCCEEDED, pipeline=pipeline, limit=MAX_HISTORY)


def _rank(factory: str, pipeline: str, runs: Iterable[PipelineRun], policy: Policy) -> tuple[int, float, str]:
    entry = policy.importance_of(factory, pipeline)
    severity = entry.severity if entry and entry.severity <= MATTERS else MATTERS + 1
    return severity, -sum(run.duration_ms or 0 for run in runs), pipeline


def judged(factory: str, pipeline: str, before: Sequence[PipelineRun], period: Sequence[PipelineRun]) -> Slower | None:
    """A lasting change or a steady growth that the period still shows, else a period far beyond what is usual."""
    recent = [seconds for _, seconds in timed(period)]
    if not recent:
        return None
    took, together = statistics.median(recent), [*before, *period]
    changed, steady, usual = shift(together), drift(together), Usual.of(before)
    if changed and changed.slower and took >= changed.before * MIN_RATIO:
        return Slower(factory, pipeline, len(recent), changed.before, took, changed.since)
    if changed is None and steady and steady.slower and took >= steady.first * MIN_GROWTH:
        return Slower(factory, pipeline, len(recent), steady.first, took, steady.since, steady=True)
    if usual and usual.number >= MIN_SIDE and _beyond(took, usual):
        return Slower(factory, pipeline, len(recent), usual.p50, took)
    return None


def _beyond(took: float, usual: Usual) -> bool:
    return took > usual.p95 and took >= usual.p50 * MIN_RATIO and took - usual.p50 >= MIN_SECONDS


def _is_before(run: PipelineRun, since: datetime) -> bool:
    ended = run.end or run.updated or run.start
    return ended is not None and ended < since
