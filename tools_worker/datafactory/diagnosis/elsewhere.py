"""The same failure in other pipelines: one broken password or one sleeping server stops many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import AppError
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis.estate import bounded
from tools_worker.datafactory.failures import INSUFFICIENT, Failure, signature_of
from tools_worker.datafactory.models import FAILED, PipelineRun
from tools_worker.datafactory.wording import count, listed

AROUND = timedelta(hours=12)
MAX_RUNS = 300  # three pages
MAX_PIPELINES = 4


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The runs that failed around one run in all pipelines of its factory."""

    runs: tuple[PipelineRun, ...] = ()
    complete: bool = True
    gap: str = ""

    def alike(self, failure: Failure, pipelines: Collection[str]) -> list[PipelineRun]:
        """Of pipelines other than these: runs that failed in the same way. A parent only repeats its child."""
        if failure.category == INSUFFICIENT:
            return []
        same = [run for run in self.runs if signature_of(run.message) == failure.signature]
        parents = {run.invoked_by.run_id for run in same}
        return [run for run in same if run.run_id not in parents and run.pipeline not in pipelines]

    def told(self, alike: Collection[PipelineRun]) -> tuple[str, ...]:
        if not alike:
            return ()
        counts = Counter(run.pipeline for run in alike)
        names = [f"{name} ({count(number, 'run')})" for name, number in counts.most_common()]
        hours = int(AROUND.total_seconds() // 3600)
        return (f"The same failure came in other pipelines within {hours} hours: {listed(names, MAX_PIPELINES)}.",)


async def fetch_elsewhere(factory: DataFactory, run: PipelineRun, now: datetime) -> Elsewhere:
    moment = run.end or run.start or now
    question = factory.pipeline_runs(
        moment - AROUND, moment + AROUND, status=FAILED, newest_first=False, limit=MAX_RUNS
    )  # fmt: skip
    found = await bounded(question)
    if isinstance(found, AppError | str):
        return Elsewhere(complete=False, gap=f"whether other pipelines fail in the same way: {found}")
    return Elsewhere(found.items, found.complete)
