"""What a factory shows since it was last looked at: one query, two where incidents are open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.alerts.record import Alert
from orchestrator.incidents.matching import window
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import FAILED, SUCCEEDED, PipelineRun
from tools_worker.datafactory.period import RETENTION_DAYS

OVERLAP = timedelta(minutes=10)  # Data Factory shows the end of a run some minutes late
FIRST_LOOK = timedelta(hours=1)  # of a factory never looked at: what is older is history, not news
MAX_GOOD = 500


@dataclass(frozen=True, slots=True)
class Sight:
    """`failed` are those that are news: since the last look, or in the window of an alert that means them."""

    failed: tuple[PipelineRun, ...]
    good: tuple[PipelineRun, ...]
    until: datetime


async def look(
    factory: DataFactory,
    read_until: datetime | None,
    alerts: Sequence[Alert],
    now: datetime,
    *,
    open_since: datetime | None,
) -> Sight:
    """`open_since`: when the oldest open incident last failed; good runs are asked for only where there is one."""
    news = (read_until or now - FIRST_LOOK) - OVERLAP
    since = max(min([news, *(window(alert)[0] for alert in alerts)]), now - timedelta(days=RETENTION_DAYS))
    factory = factory.fresh()  # whoever wakes a look knows of something that no earlier answer holds
    failed = await factory.pipeline_runs(since, status=FAILED)
    good: Iterable[PipelineRun] = ()
    if open_since is not None:
        good = await factory.pipeline_runs(max(news, open_since), status=SUCCEEDED, limit=MAX_GOOD)
    return Sight(tuple(run for run in failed if _is_news(run, news, alerts)), tuple(good), now)


def _is_news(run: PipelineRun, news: datetime, alerts: Sequence[Alert]) -> bool:
    ended = run.end or run.updated or run.start
    return ended is not None and (ended >= news or any(_means(alert, run, ended) for alert in alerts))


def _means(alert: Alert, run: PipelineRun, ended: datetime) -> bool:
    if alert.run_ids:
        return run.run_id in alert.run_ids
    since, until = window(alert)
    return since <= ended <= until and (not alert.pipeline or alert.pipeline.casefold() == run.pipeline.casefold())
