"""Changes of factories in memory: the same promises as the real ones, for tests and for trying things out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from tools_worker.datafactory.definitions import started_by
from tools_worker.datafactory.lateness import window_start
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import FactoryId, InvokedBy, PipelineRun, TriggerRun
from tools_worker.datafactory.operations.sending import Again, NotSent, OutcomeUnknown, Switch

STATES: Mapping[Switch, str] = {"start": "Started", "stop": "Stopped"}
Trouble = Literal["not_sent", "lost_before", "lost_after"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryOperations:
    """`sent` counts what came, by operation. `troubles` strike the next requests, one each: not_sent is refused,
    lost_before gets no answer and is not done, lost_after gets no answer and is done."""

    def __init__(self, *factories: MemoryDataFactory, clock: Callable[[], datetime] = _utc_now) -> None:
        self._factories = {factory.id: factory for factory in factories}
        self._clock = clock
        self._made = 0
        self.sent: Counter[str] = Counter()
        self.troubles: list[Trouble] = []

    async def create_run(
        self, factory: FactoryId, pipeline: str, parameters: Mapping[str, Any], again: Again | None = None
    ) -> str:
        trouble = self._received("create_run")
        made = self._run_of(self._factories[factory], pipeline, parameters, again)
        self._answered(trouble)
        return made.run_id

    async def cancel_run(self, factory: FactoryId, run_id: str, *, recursive: bool) -> None:
        trouble = self._received("cancel_run")
        known = self._factories[factory]
        run = next((run for run in known.runs if run.run_id == run_id), None)
        if run is None or not run.unfinished:
            raise NotSent(f"The pipeline run {run_id!r} is not running and cannot be cancelled.")
        self._cancel(known, run, recursive)
        self._answered(trouble)

    async def switch_trigger(self, factory: FactoryId, trigger: str, way: Switch) -> None:
        trouble = self._received(f"{way}_trigger")
        known = self._factories[factory]
        found = next((each for each in known.trigger_list if each.name == trigger), None)
        if found is None:
            raise NotSent(f"No trigger named {trigger!r}.")
        known.trigger_list[known.trigger_list.index(found)] = replace(found, state=STATES[way])
        self._answered(trouble)

    async def rerun_window(self, factory: FactoryId, trigger: str, trigger_run_id: str) -> None:
        trouble = self._received("rerun_window")
        known = self._factories[factory]
        old = next((each for each in known.trigger_run_list if each.id == trigger_run_id), None)
        if old is None or window_start(old) is None:
            raise NotSent("Only runs of a tumbling window trigger can be rerun.")
        named = next(each for each in known.trigger_list if each.name == trigger)
        started = {name: self._run_of(known, name, {}, None).run_id for name in started_by(named)}
        again = TriggerRun(
            self._next_id(), trigger, old.type, "Inprogress", self._clock(), "", old.properties, started, old.dimension
        )
        known.trigger_run_list.append(again)
        self._answered(trouble)

    def _received(self, operation: str) -> Trouble | None:
        self.sent[operation] += 1
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble == "not_sent":
            raise NotSent("Data Factory cannot be reached.", hint="Try again later.")
        if trouble == "lost_before":
            raise OutcomeUnknown("Data Factory did not answer.", hint="Look up what became of it.")
        return trouble

    def _answered(self, trouble: Trouble | None) -> None:
        if trouble == "lost_after":
            raise OutcomeUnknown("Data Factory did not answer.", hint="Look up what became of it.")

    def _run_of(
        self, known: MemoryDataFactory, pipeline: str, parameters: Mapping[str, Any], again: Again | None
    ) -> PipelineRun:
        if pipeline not in [definition.name for definition in known.definitions]:
            raise NotSent(f"The pipeline {pipeline!r} was not found.")
        old = next((run for run in known.runs if again is not None and run.run_id == again.run_id), None)
        if again is not None and (old is None or old.pipeline != pipeline):
            raise NotSent(f"Referenced pipeline run id {again.run_id} is not a valid run id.")
        run_id, now = self._next_id(), self._clock()
        made = PipelineRun(
            run_id,
            pipeline,
            "InProgress",
            start=now,
            updated=now,
            group_id=(old.group_id or old.run_id) if old else run_id,
            invoked_by=InvokedBy("Manual", type="Manual"),
            parameters=dict(old.parameters if old else parameters),
        )
        known.runs.append(made)
        return made

    def _cancel(self, known: MemoryDataFactory, run: PipelineRun, recursive: bool) -> None:
        now = self._clock()
        known.runs[known.runs.index(run)] = replace(run, status="Cancelled", end=now, updated=now)
        for child in [each for each in known.runs if recursive and each.invoked_by.run_id == run.run_id]:
            if child.unfinished:
                self._cancel(known, child, recursive)

    def _next_id(self) -> str:
        self._made += 1
        return str(UUID(int=(0xADF << 96) + self._made, version=4))
