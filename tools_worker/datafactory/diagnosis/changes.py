"""Who did what around a run, from the Activity Log: definitions changed before it failed, and who cancelled it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import AppError
from tools_worker.datafactory import fields
from tools_worker.datafactory.activity_log import who
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.definitions import reference, steps
from tools_worker.datafactory.diagnosis.estate import Estate, bounded
from tools_worker.datafactory.diagnosis.history import WINDOW_DAYS, History
from tools_worker.datafactory.models import SUCCEEDED, Change, PipelineRun
from tools_worker.datafactory.wording import age, at, count

MAX_TOLD = 3
SOON = timedelta(minutes=2)  # the log's clock and the run's
AFTERWARDS = timedelta(days=3)
_KINDS = {
    "pipelines": "Pipeline",
    "datasets": "Dataset",
    "linkedservices": "Linked service",
    "dataflows": "Data flow",
    "triggers": "Trigger",
    "integrationruntimes": "Integration runtime",
}
_VERBS = {"write": "changed", "delete": "deleted", "start": "started", "stop": "stopped"}

Name = tuple[str, str]  # kind and name of a resource, in lower case


@dataclass(frozen=True, slots=True)
class Changes:
    """`gap` where the log could not be asked, or not read to its end."""

    items: tuple[Change, ...] = ()
    gap: str = ""

    def of(self, names: Collection[Name], until: datetime | None) -> list[Change]:
        """Changes that went through before a moment, of these resources, newest first."""
        return [
            each
            for each in self.items
            if (each.kind.lower(), each.name.lower()) in names
            and each.operation in _VERBS
            and _done(each)
            and (until is None or each.at is None or each.at <= until)
        ]

    def deleted_since(self, pipeline: str, moment: datetime | None) -> Change | None:
        for each in self.of({("pipelines", pipeline.lower())}, None):
            if each.operation == "delete" and (moment is None or each.at is None or each.at > moment):
                return each
        return None

    def start_of(self, run: PipelineRun) -> Change | None:
        """The request that started a run by hand: of the same pipeline, at about the same time."""
        asked = [c for c in self.items if c.operation == "createrun" and c.name.lower() == run.pipeline.lower()]
        near = [c for c in asked if c.at and run.start and abs(c.at - run.start) <= SOON]
        return near[0] if len(near) == 1 else None

    def cancel_of(self, run_ids: Iterable[str]) -> Change | None:
        """The request that cancelled one of these runs; the earliest of them, given nearest first."""
        for run_id in run_ids:
            asked = [c for c in self.items if c.operation == "cancel" and c.name.lower() == run_id.lower() and _done(c)]
            if asked:
                return asked[-1]
        return None


async def fetch_changes(factory: DataFactory, since: datetime, until: datetime) -> Changes:
    found = await bounded(factory.changes(since, until))
    if isinstance(found, AppError | str):
        return Changes(gap=f"who changed or cancelled what, from the Activity Log: {found}")
    gap = "" if found.complete else "changes further back: the Activity Log is too long to read it all"
    return Changes(found.items, gap)


def since_last_good(history: History, now: datetime) -> tuple[datetime, datetime]:
    """From the last good run on, else the days of the history, until some days after the run: somebody may have deleted
    or mended what it ran on. Of a good run that is out of the
    ordinary the run before it may have been so too."""
    run = history.run
    good = history.last_good if run.status != SUCCEEDED else None
    start = run.start or now
    since = good.start if good is not None and good.start is not None else start - timedelta(days=WINDOW_DAYS)
    until = now if run.end is None else min(now, run.end + AFTERWARDS)
    return since - SOON, max(until, since + SOON)


def used_by(pipelines: Iterable[str], triggers: Iterable[str], estate: Estate) -> set[Name]:
    """What these pipelines are made of, as their definitions tell."""
    found = {("triggers", name.lower()) for name in triggers if name}
    stores = {dataset.name: dataset.linked_service for dataset in estate.datasets}
    for pipeline in pipelines:
        found.add(("pipelines", pipeline.lower()))
        for step in steps(estate.definitions.get(pipeline, {})):
            found |= {("datasets", name.lower()) for name in step.datasets}
            services = [reference(step.raw.get("linkedServiceName")), *(stores.get(name, "") for name in step.datasets)]
            found |= {("linkedservices", name.lower()) for name in services if name}
            flow = fields.text(fields.mapping(step.settings, "dataflow"), "referenceName") or fields.text(
                fields.mapping(step.settings, "dataFlow"), "referenceName"
            )
            found |= {("dataflows", flow.lower())} if flow else set()
    return found


def told(changes: Sequence[Change], run: PipelineRun) -> tuple[str, ...]:
    shown = [_sentence(change, run) for change in _latest_of_each(changes)]
    more = len(shown) - MAX_TOLD
    return (*shown[:MAX_TOLD], *((f"{count(more, 'more resource')} it uses changed before it.",) if more > 0 else ()))


def _sentence(change: Change, run: PipelineRun) -> str:
    moment = run.end or run.start
    before = f", {age(change.at, moment)} before the run ended" if change.at and moment and change.at < moment else ""
    what = _KINDS.get(change.kind.lower(), "Resource")
    return f"{what} {change.name} was {_VERBS[change.operation]} by {who(change)} at {at(change.at)}{before}."


def _latest_of_each(changes: Sequence[Change]) -> list[Change]:
    """Somebody who saves ten times in an hour is told once."""
    found: dict[tuple[str, str, str], Change] = {}
    for change in changes:
        found.setdefault((change.kind.lower(), change.name.lower(), change.operation), change)
    return list(found.values())


def _done(change: Change) -> bool:
    return change.status.lower() != "failed"
