"""The run among its neighbours: has this happened before, when did it last work, has it worked since?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import AppError
from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.diagnosis.record import Recurrence
from tools_worker.datafactory.failures import signature_of
from tools_worker.datafactory.models import SUCCEEDED, PipelineRun
from tools_worker.datafactory.wording import stamp

WINDOW_DAYS = 7
NEXT_RUNS = 50  # of a busy pipeline: enough to find the first that went well
MAX_RUNS = 500  # five pages; a pipeline that runs every minute is not read whole


@dataclass(frozen=True, slots=True)
class History:
    """Runs of one pipeline in the days before and after a run, newest first."""

    run: PipelineRun
    runs: tuple[PipelineRun, ...] = ()
    complete: bool = True
    gap: str = ""
    reaches_now: bool = True

    @property
    def good_before(self) -> list[PipelineRun]:
        """The runs before this one that succeeded, newest first."""
        return [run for run in self.runs if run.status == SUCCEEDED and _before(run, self.run)]

    @property
    def last_good(self) -> PipelineRun | None:
        return next(iter(self.good_before), None)

    @property
    def since_good(self) -> PipelineRun | None:
        """The first run after this one that succeeded."""
        later = [run for run in self.runs if run.status == SUCCEEDED and _before(self.run, run)]
        return later[-1] if later else None

    @property
    def rerun(self) -> PipelineRun | None:
        """A newer run of the same group: a rerun of this very run."""
        group = self.run.group_id
        same = [run for run in self.runs if group and run.group_id == group and run.run_id != self.run.run_id]
        return next((run for run in same if _before(self.run, run)), None)

    def recurrence(self, signature: str) -> Recurrence | None:
        alike = [run for run in self.runs if run.failed and signature_of(run.message) == signature]
        if not alike:
            return None
        first = min((run.start for run in alike if run.start is not None), default=None)
        return Recurrence(len(alike), len(self.runs), stamp(first), WINDOW_DAYS, self.complete)


async def fetch_history(factory: DataFactory, run: PipelineRun, now: datetime) -> History:
    """One query (several pages for a busy pipeline). A failure to read it is a gap, not an error."""
    if not run.pipeline:
        return History(run, gap="earlier runs of the pipeline, whose name is not known")
    since = (run.start or now) - timedelta(days=WINDOW_DAYS)
    try:
        found: Found[PipelineRun] = await factory.pipeline_runs(since, pipeline=run.pipeline, limit=MAX_RUNS)
        if found.complete or run.start is None or any(each.run_id == run.run_id for each in found):
            return History(run, found.items, found.complete)
        return await _around(factory, run, run.start, since)
    except AppError as exc:
        return History(run, gap=f"earlier runs of {run.pipeline}: {exc}")


async def _around(factory: DataFactory, run: PipelineRun, start: datetime, since: datetime) -> History:
    """The newest runs do not reach back to this one, so those just before and just after it are read."""
    after, before = await asyncio.gather(
        factory.pipeline_runs(start, pipeline=run.pipeline, newest_first=False, limit=NEXT_RUNS),
        factory.pipeline_runs(since, start + timedelta(seconds=1), pipeline=run.pipeline, limit=MAX_RUNS),
    )
    joined = {each.run_id: each for each in (*reversed(after.items), *before.items)}
    gap = f"the newest runs of {run.pipeline}: there are too many since this one to read them all"
    return History(run, tuple(joined.values()), complete=False, gap=gap, reaches_now=False)


def streak(runs: Sequence[PipelineRun]) -> int:
    """How many of the newest ended runs failed in a row."""
    number = 0
    for run in runs:
        if run.failed:
            number += 1
        elif not run.unfinished:
            break
    return number


def _before(one: PipelineRun, other: PipelineRun) -> bool:
    return one.start is not None and other.start is not None and one.start < other.start
