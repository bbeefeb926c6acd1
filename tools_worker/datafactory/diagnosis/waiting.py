"""What a run waits or waited for: a place in the queue of its integration runtime, or of its pipeline's concurrency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.models import ActivityRun, PipelineRun
from tools_worker.datafactory.performance import queue_seconds, runtime_name
from tools_worker.datafactory.wording import count, lasted, listed

LONG_QUEUE_SECONDS = 60
MAX_SHARE = 0.25  # of an activity's time: below it a queue explains nothing
MAX_QUEUED_RUNS = 100  # of one pipeline; more are refused
MAX_TOLD = 3
_AZURES_OWN = frozenset({"autoresolveintegrationruntime", "defaultintegrationruntime"})


def runtime_queues(tree: Node) -> tuple[str, ...]:
    """Activities that spent much of their time in the queue of an integration runtime."""
    waited = [(node.run.pipeline, run, seconds) for node in tree.walk() for run, seconds in _queued(node)]
    waited.sort(key=lambda entry: -entry[2])
    told = [
        f"{run.name} of {pipeline} waited {lasted(seconds * 1000)} of its {lasted(run.duration_ms)} in the queue of "
        f"integration runtime {runtime_of(run) or 'that it runs on'}."
        for pipeline, run, seconds in waited[:MAX_TOLD]
    ]
    more = len(waited) - len(told)
    return (*told, *((f"{count(more, 'more activity')} waited there too.",) if more > 0 else ()))


def _queued(node: Node) -> Iterator[tuple[ActivityRun, int]]:
    for group in node.groups:
        seconds, took = queue_seconds(group.last), group.last.duration_ms
        if seconds is None or seconds < LONG_QUEUE_SECONDS:
            continue
        if took is None or seconds * 1000 >= took * MAX_SHARE:
            yield group.last, seconds


def runtime_of(activity: ActivityRun) -> str:
    """Its name; empty for Azure's own, of which nothing can be told."""
    name = runtime_name(activity)
    return "" if name.lower() in _AZURES_OWN else name


@dataclass(frozen=True, slots=True)
class Queue:
    """The unfinished runs of a pipeline beside one that is queued."""

    concurrency: int | None  # None: not limited, or not known
    going: tuple[PipelineRun, ...]
    queued: tuple[PipelineRun, ...]

    @classmethod
    def of(cls, run: PipelineRun, runs: Sequence[PipelineRun], definition: Any) -> Queue:
        others = [each for each in runs if each.unfinished and each.run_id != run.run_id]
        return cls(
            fields.whole(definition, "concurrency"),
            tuple(each for each in others if each.status != "Queued"),
            tuple(each for each in others if each.status == "Queued"),
        )

    @property
    def told(self) -> tuple[str, ...]:
        """Why it waits, as far as that can be known."""
        busy = listed([f"run {run.run_id}" for run in self.going], MAX_TOLD)
        behind = f" {count(len(self.queued), 'other run')} of it wait as well." if self.queued else ""
        full = f" The queue of a pipeline holds {MAX_QUEUED_RUNS}: further runs are refused." if self._full else ""
        if self.concurrency is not None and len(self.going) >= self.concurrency:
            limit = count(self.concurrency, "run")
            return (f"The pipeline allows {limit} at a time (concurrency) and {busy} goes on.{behind}{full}",)
        if self.going:
            return (f"{count(len(self.going), 'other run')} of it unfinished: {busy}; it may wait for the pipeline's "
                    f"concurrency limit.{behind}{full}",)  # fmt: skip
        return (f"{behind.strip()}{full}",) if behind else ()

    @property
    def _full(self) -> bool:
        return len(self.queued) + 1 >= MAX_QUEUED_RUNS
