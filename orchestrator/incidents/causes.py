"""What an incident is folded by: one cause is one factory, one failing resource and one error.

A refused login or a dead server stops every pipeline that uses the same linked service: that is one cause. What is
wrong inside a pipeline (its data, code or settings) is one cause for each activity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.errors import AppError
from orchestrator.alerts.record import digest
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.diagnosis.estate import bounded
from tools_worker.datafactory.failure_groups import FailureGroup
from tools_worker.datafactory.lineage import READS, WRITES, Lineage, lineage
from tools_worker.datafactory.models import PipelineRun

# Categories whose cause may lie in what many pipelines share.
SHARED = frozenset(
    {
        "authentication",
        "authorization",
        "integration_runtime",
        "network",
        "throttling_quota",
        "timeout",
        "transient_platform",
    }
)
MODES = {"source": READS, "sink": WRITES}


@dataclass(frozen=True, slots=True)
class Cause:
    key: str
    factory_id: str
    resource: str  # for people: "linked service 'sqlSales'", "CopySales of LoadSales"
    group: FailureGroup


async def causes_of(factory: DataFactory, groups: Sequence[FailureGroup]) -> list[Cause]:
    """Definitions are asked for only where a group may share its cause with others."""
    known = await _lineage(factory) if any(group.failure.category in SHARED for group in groups) else Lineage()
    return [cause for group in groups for cause in _causes(factory, group, known)]


async def _lineage(factory: DataFactory) -> Lineage:
    """Nothing where the definitions cannot be read: then causes are told apart by activity, which folds less."""
    pipelines, datasets = await bounded(factory.pipelines()), await bounded(factory.datasets())
    if isinstance(pipelines, AppError | str) or isinstance(datasets, AppError | str):
        return Lineage()
    return lineage(pipelines, datasets)


def _causes(factory: DataFactory, group: FailureGroup, known: Lineage) -> list[Cause]:
    """By pipeline, unless what failed is shared: copies of one template hold activities of the same name."""
    home = factory.id.path.casefold()
    store = _store(group, known) if group.failure.category in SHARED else ""
    if store:
        key = digest(home, "store", store.casefold(), group.failure.signature)
        return [Cause(key, factory.id.path, f"linked service {store!r}", group)]
    found = []
    for pipeline in group.pipelines:
        own = of_pipeline(group, pipeline)
        key = digest(home, "activity", pipeline.casefold(), group.activity.casefold(), group.failure.signature)
        found.append(
            Cause(key, factory.id.path, f"{group.activity} of {pipeline}" if group.activity else pipeline, own)
        )
    return found


def _store(group: FailureGroup, known: Lineage) -> str:
    """The linked service on the failing side; empty where the definitions leave it open."""
    side = MODES.get(group.failure.side)
    stores = {
        touch.store
        for touch in known.touches
        if touch.pipeline in group.pipelines
        and touch.activity == group.activity
        and (side is None or touch.mode == side)
    }
    return stores.pop() if len(stores) == 1 else ""


def of_pipeline(group: FailureGroup, pipeline: str) -> FailureGroup:
    """The runs of one pipeline, with the runs above them."""
    runs = tuple(run for run in group.runs if run.pipeline == pipeline)
    above = {run.run_id for each in runs for run in ancestors(each, group.parents)}
    return replace(group, runs=runs, parents=tuple(run for run in group.parents if run.run_id in above))


def ancestors(run: PipelineRun, parents: Iterable[PipelineRun]) -> list[PipelineRun]:
    """The runs of `parents` above a run, nearest first. Circles end."""
    by_id, found = {parent.run_id: parent for parent in parents}, []
    while (parent := by_id.pop(run.invoked_by.run_id, None)) is not None:
        found.append(parent)
        run = parent
    return found
