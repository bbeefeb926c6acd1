"""What an alert gives in place of a run: a span of time, and perhaps a pipeline.

Metrics lag behind, so where nothing failed inside the window its neighbourhood counts too, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from core.errors import InvalidArguments, NotFound
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import FAILED, PipelineRun
from tools_worker.datafactory.period import RETENTION_DAYS, Period
from tools_worker.datafactory.survey import survey, with_pipeline
from tools_worker.datafactory.wording import at, count, listed

RETENTION = timedelta(days=RETENTION_DAYS)
LAG = timedelta(minutes=15)  # an alert's window and the end of the run it speaks of may be so far apart
MAX_IN_WINDOW = 300
MAX_OTHERS = 4
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Aware times. Raises InvalidArguments when it cannot hold a run."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, period: Period | None, now: datetime) -> Self | None:
        if period is None:
            return None
        if period.gone:
            raise NotFound(period.caveat)
        return cls(period.since, period.until or now)

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise InvalidArguments(f"The window ends ({at(self.until)}) before it begins ({at(self.since)}).")

    def holds(self, run: PipelineRun, lag: timedelta = timedelta()) -> bool:
        """Whether the run ended in it; one that has not ended counts by its last update."""
        ended = run.end or run.updated or run.start
        return ended is not None and self.since - lag <= ended <= self.until + lag

    def __str__(self) -> str:
        return f"between {at(self.since)} and {at(self.until)}"


@dataclass(frozen=True, slots=True)
class Target:
    """`notes` are sentences for the asker: about another factory, or a run that came after."""

    factory: DataFactory
    run: PipelineRun
    notes: tuple[str, ...] = ()


_Row = tuple[DataFactory, PipelineRun]


async def by_window(
    factories: Factories, pipeline: str | None, factory: str | None, window: Window, now: datetime
) -> Target:
    if window.until + LAG < now - RETENTION:
        raise NotFound(f"Data Factory keeps runs for {RETENTION.days} days; the window ended {at(window.until)}.")
    rows, caveats = await _around(factories, pipeline, factory, window, now)
    inside = [row for row in rows if window.holds(row[1])]
    near = [row for row in rows if window.holds(row[1], LAG)]
    chosen = next((kind for kind in (_failed(inside), _failed(near), inside, near) if kind), [])
    if not chosen:
        what = f"No run of {pipeline!r}" if pipeline else "No failed run"
        raise NotFound(f"{what} ended {window}, nor {LAG.seconds // 60} minutes before or after.")
    first, *others = _outermost(chosen)
    return Target(*first, (*_notes(first, others, inside, window), *caveats))


async def _around(
    factories: Factories, pipeline: str | None, factory: str | None, window: Window, now: datetime
) -> tuple[list[_Row], list[str]]:
    """Runs active around the window, newest first: all of a named pipeline, else the failed ones of all pipelines."""
    wanted = list(await factories.chosen(factory))
    spelling: dict[str, str] = {}
    caveats = []
    if pipeline is not None:
        holders = await with_pipeline(wanted, pipeline, now)
        spelling = {holder.name: name for holder, name in holders.answers}
        wanted = [holder for holder, _ in holders.answers]
        caveats.append(holders.caveat)

    async def runs(holder: DataFactory) -> Sequence[PipelineRun]:
        name = spelling.get(holder.name)
        found = await holder.pipeline_runs(
            window.since - LAG,
            window.until + LAG,
            pipeline=name,
            status=None if name else FAILED,
            newest_first=False,  # what ended long after the window comes last, so a limit cannot cut the window off
            limit=MAX_IN_WINDOW,
        )
        return list(reversed(found.items))

    found = await survey(wanted, runs)
    rows = [(holder, run) for holder, answer in found.answers for run in answer]
    rows.sort(key=lambda row: row[1].end or row[1].start or _NEVER, reverse=True)
    return rows, [text for text in (*caveats, found.caveat) if text]


def _failed(rows: Sequence[_Row]) -> list[_Row]:
    return [row for row in rows if row[1].failed]


def _outermost(rows: Sequence[_Row]) -> list[_Row]:
    """Runs that none of the others started come first: below a parent its children are found anyway."""
    ids = {run.run_id for _, run in rows}
    children = [row for row in rows if row[1].invoked_by.run_id in ids]
    return [row for row in rows if row not in children] or list(rows)


def _notes(first: _Row, others: Sequence[_Row], inside: Sequence[_Row], window: Window) -> list[str]:
    run = first[1]
    notes = []
    if first not in inside:
        notes.append(f"Nothing fitting ended {window}; this run ended {at(run.end)}, the nearest one.")
    elif not run.failed:
        notes.append(f"No run of it failed {window}; this one ended in that time.")
    if others:
        named = [f"{other.pipeline} (run {other.run_id})" for _, other in others]
        more = count(len(others), "more run")
        notes.append(f"{more} {'is' if len(others) == 1 else 'are'} meant by the same window: "
                     f"{listed(named, MAX_OTHERS)}.")  # fmt: skip
    return notes
