"""What is asked of Data Factory for a digest, and no more: a bounded number of queries for each factory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from core.errors import AppError
from orchestrator.digest.costs import BILLED, fetch_cost
from orchestrator.digest.durations import COMPARED, fetch_slowness
from orchestrator.digest.facts import Cost, Counted, FactoryFacts, Failures, Slowness
from orchestrator.digest.failures import sorted_out
from orchestrator.incidents.record import Incident
from orchestrator.policy.model import Policy
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.failure_groups import by_cause
from tools_worker.datafactory.models import CANCELLED, FAILED, PipelineRun

T = TypeVar("T")
LOOKED_INTO = 6  # failures that no incident tells of: one query each, for the activity that failed
MAX_RUNS = 5_000  # that a query for runs reads, by pages of 100
# The runs, those that failed where the runs are too many, and what is asked of some failures, pipelines and runs.
QUERIES_A_DAY = 2 + LOOKED_INTO + COMPARED + BILLED
QUERIES_A_WEEK = QUERIES_A_DAY + 2 + BILLED  # and the week before: its runs, and what they cost


@dataclass(frozen=True, slots=True)
class Ran:
    """Runs that ended in a period, newest first, and those of them that failed, which are asked for by themselves where
    there are too many runs (not `complete`)."""

    ended: tuple[PipelineRun, ...]
    failed: tuple[PipelineRun, ...]
    complete: bool

    @property
    def counted(self) -> Counted:
        cancelled = sum(run.status in CANCELLED for run in self.ended)
        return Counted(len(self.ended), len(self.failed), cancelled, self.complete)


async def fetch_runs(factory: DataFactory, since: datetime, until: datetime) -> Ran:
    found = await factory.pipeline_runs(since, until, limit=MAX_RUNS)
    ended = tuple(run for run in found if _ended_in(run, since, until))
    if found.complete:
        return Ran(ended, tuple(run for run in ended if run.failed), complete=True)
    failed = await factory.pipeline_runs(since, until, status=FAILED, limit=MAX_RUNS)
    return Ran(ended, tuple(run for run in failed if _ended_in(run, since, until)), complete=False)


def _ended_in(run: PipelineRun, since: datetime, until: datetime) -> bool:
    ended = run.end or run.updated
    return not run.unfinished and ended is not None and since <= ended < until


@dataclass(frozen=True)
class Inquiry:
    """The same for every factory. `since_before`: where the period begins with which this one is compared. `deadline`
    is one of the event loop: what is not answered by then is left out, and told."""

    since: datetime
    until: datetime
    since_before: datetime | None
    incidents: Sequence[Incident]
    policy: Policy
    deadline: float

    async def ask(self, factory: DataFactory) -> FactoryFacts:
        """Raises AppError or TimeoutError where not even the runs are told."""
        async with asyncio.timeout_at(self.deadline):
            ran = await fetch_runs(factory, self.since, self.until)
        failures, gaps = sorted_out(factory.name, ran.ended, ran.failed, self.incidents), list[str]()

        async def part(what: str, answer: Awaitable[T], otherwise: T) -> T:
            try:
                async with asyncio.timeout_at(self.deadline):
                    return await answer
            except (AppError, TimeoutError) as exc:
                gaps.append(f"{factory.name}: {what} could not be read: {exc or 'it took too long'}")
                return otherwise

        slowness = fetch_slowness(factory, ran.ended, self.policy, self.since, self.until)
        why, slow, cost, (before, cost_before) = await asyncio.gather(
            part("why some runs failed", looked_into(factory, failures), failures),
            part("how long pipelines took", slowness, Slowness()),
            part("what runs cost", fetch_cost(factory, ran.ended), None),
            part("the period before", self._before(factory), (None, None)),
        )
        return FactoryFacts(factory.name, ran.counted, why, slow, cost, before, cost_before, tuple(gaps))

    async def _before(self, factory: DataFactory) -> tuple[Counted | None, Cost | None]:
        if self.since_before is None:
            return None, None
        ran = await fetch_runs(factory, self.since_before, self.since)
        return ran.counted, await fetch_cost(factory, ran.ended)


async def looked_into(factory: DataFactory, failures: Failures) -> Failures:
    """The worst of those that no incident tells of, by the activity that failed; the rest by the runs' messages."""
    worst = await by_cause(factory, failures.others[:LOOKED_INTO])
    return replace(failures, others=(*worst, *failures.others[LOOKED_INTO:]))
