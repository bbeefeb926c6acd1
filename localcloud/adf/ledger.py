"""The runs of a factory: found by id, listed by time, kept in groups of reruns."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from localcloud.adf.simulated import PipelineRun

RETENTION = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class TriggerRun:
    id: str
    trigger: str
    type: str
    fired_at: datetime
    scheduled_at: datetime
    run_ids: Mapping[str, str]  # by pipeline
    window_start: datetime | None = None
    cancelled: bool = False
    waits: bool = False  # a tumbling window: for others that have not succeeded yet; it has started nothing


class Ledger:
    def __init__(self) -> None:
        self._runs: dict[str, PipelineRun] = {}
        self._root_of: dict[str, str] = {}
        self._timeline: list[tuple[datetime, str]] = []
        self._longest = timedelta()  # from being queued to the end, of all runs that have one
        self._endless: set[str] = set()
        self._groups: dict[str, list[tuple[datetime, str]]] = {}
        self._roots: dict[str, list[str]] = {}
        self.trigger_runs: dict[str, TriggerRun] = {}

    def put(self, root: PipelineRun) -> None:
        """Keep a run and all its children; putting it again replaces them."""
        if root.id not in self._runs:
            self._roots.setdefault(root.order.pipeline.name, []).append(root.id)
        for stale in [key for key, value in self._root_of.items() if value == root.id] if root.id in self._runs else ():
            self._forget(stale)
        for run in root.family():
            self._runs[run.id] = run
            self._root_of[run.id] = root.id
            insort(self._timeline, (run.order.queued_at, run.id))
            if run.end is None:
                self._endless.add(run.id)
            else:
                self._longest = max(self._longest, run.end - run.order.queued_at)
            insort(self._groups.setdefault(run.order.group_id, []), (run.order.queued_at, run.id))

    def _forget(self, run_id: str) -> None:
        run = self._runs.pop(run_id)
        del self._root_of[run_id]
        self._timeline.remove((run.order.queued_at, run_id))
        self._endless.discard(run_id)
        self._groups[run.order.group_id].remove((run.order.queued_at, run_id))

    def get(self, run_id: str, now: datetime) -> PipelineRun | None:
        """A run that exists at that moment and is still kept."""
        run = self._runs.get(run_id)
        if run is None or run.order.queued_at > now or run.last_updated(now) < now - RETENTION:
            return None
        return run

    def root_of(self, run_id: str) -> PipelineRun:
        return self._runs[self._root_of[run_id]]

    def roots(self, pipeline: str) -> list[PipelineRun]:
        """Runs that were not called by another run, in the order in which they were placed."""
        return [self._runs[run_id] for run_id in self._roots.get(pipeline, ())]

    def updated_between(self, after: datetime, before: datetime, now: datetime) -> Iterator[PipelineRun]:
        """Runs whose last event falls between the two moments, oldest first."""
        after, before = max(after, now - RETENTION), min(before, now)
        for queued_at, run_id in self._candidates(after):
            if queued_at > before:
                return
            run = self._runs[run_id]
            if run.end is not None and run.end < after:
                continue
            if after <= run.last_updated(now) <= before:
                yield run

    def _candidates(self, after: datetime) -> Iterator[tuple[datetime, str]]:
        """In order, without what was queued so long before that it had ended by then."""
        horizon = (after - self._longest, "")
        endless = sorted((run.order.queued_at, run.id) for run in map(self._runs.__getitem__, self._endless))
        yield from (each for each in endless if each < horizon)
        yield from islice(self._timeline, bisect_left(self._timeline, horizon), None)

    def is_latest(self, run: PipelineRun, now: datetime) -> bool:
        begun = [run_id for moment, run_id in self._groups[run.order.group_id] if moment <= now]
        return begun[-1] == run.id

    def __len__(self) -> int:
        return len(self._runs)
