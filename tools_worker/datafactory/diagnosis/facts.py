"""All that was read about one run, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tools_worker.datafactory.diagnosis.changes import Changes
from tools_worker.datafactory.diagnosis.earlier import Earlier, fewer_rows
from tools_worker.datafactory.diagnosis.elsewhere import Elsewhere
from tools_worker.datafactory.diagnosis.estate import Estate
from tools_worker.datafactory.diagnosis.history import History
from tools_worker.datafactory.diagnosis.record import EvidenceId, MaskedFailure, RunFacts, Step
from tools_worker.datafactory.diagnosis.runtime_state import RuntimeState
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.models import Change, PipelineRun
from tools_worker.datafactory.wording import at, stamp

MAX_MESSAGE = 600


@dataclass(frozen=True, slots=True)
class Facts:
    """What was not asked, because the state of the run does not call for it, is empty. `gaps`: of the tree itself."""

    factory: str
    tree: Node
    history: History
    now: datetime
    gaps: tuple[str, ...] = ()
    earlier: Earlier = field(default_factory=dict)
    parents: tuple[PipelineRun, ...] = ()  # nearest first
    estate: Estate = field(default_factory=Estate)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    runtime: RuntimeState = field(default_factory=RuntimeState)
    changes: Changes = field(default_factory=Changes)

    @property
    def run(self) -> PipelineRun:
        return self.tree.run

    @property
    def all_gaps(self) -> tuple[str, ...]:
        """Those of the run's own record first: they weigh on the confidence, the others do not."""
        rest = (self.history.gap, *self.estate.gaps, self.elsewhere.gap, self.changes.gap)
        return (*self.gaps, *(gap for gap in rest if gap))

    @property
    def about(self) -> RunFacts:
        run = self.run
        return RunFacts(
            factory=self.factory,
            pipeline=run.pipeline,
            run_id=run.run_id,
            status=run.status,
            start=stamp(run.start),
            end=stamp(run.end),
            started_by=" ".join(part for part in (run.invoked_by.type, run.invoked_by.name) if part),
            parent_run_id=run.invoked_by.run_id,
        )

    @property
    def label(self) -> str:
        return f"{self.run.pipeline or 'The run'} in {self.factory}"

    @property
    def timing(self) -> str:
        return f"run {self.run.run_id or 'without an id'}, started {at(self.run.start)}"

    @property
    def gone(self) -> bool:
        """Whether the pipeline is no longer in the factory; False where that could not be read."""
        return bool(self.estate.pipelines and self.run.pipeline) and self.run.pipeline not in self.estate.definitions

    @property
    def fewer_rows(self) -> tuple[MaskedFailure, ...]:
        return fewer_rows(self.tree, self.earlier)

    @property
    def cancel(self) -> Change | None:
        """The request that ended it: its own, else that of a run above it."""
        return self.changes.cancel_of([self.run.run_id, *(parent.run_id for parent in self.parents)])

    def evidence(self, *more: EvidenceId) -> tuple[EvidenceId, ...]:
        found = (EvidenceId("pipeline_run", self.run.run_id), *more)
        return tuple(evidence for evidence in dict.fromkeys(found) if evidence.id)


def ids_of(*paths: Sequence[Step]) -> tuple[EvidenceId, ...]:
    steps = [step for path in paths for step in path]
    found = (EvidenceId(f"{step.kind}_run", step.id) for step in steps if step.id)
    return tuple(dict.fromkeys(found))
