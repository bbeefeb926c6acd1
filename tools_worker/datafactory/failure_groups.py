"""Failed runs of one factory, grouped by what went wrong: a child and the parents it took down count as one group."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.failures import Failure, classify, peel, signature_of
from tools_worker.datafactory.failures.signature import normalise
from tools_worker.datafactory.leaves import failed_leaves
from tools_worker.datafactory.models import FAILED, ActivityRun, PipelineRun

MAX_LOOKED_INTO = 24  # groups whose activity runs are read, one query each; the others are told from the run's message
_AT_ONCE = 8
_COMPARED = 60
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """`runs`: newest first, each the innermost run that failed; `parents`: runs that failed only because of these."""

    factory: str
    failure: Failure
    activity: str
    runs: tuple[PipelineRun, ...]
    parents: tuple[PipelineRun, ...] = ()
    activity_run_id: str = ""
    activity_type: str = ""

    @property
    def latest(self) -> PipelineRun:
        return self.runs[0]

    @property
    def pipelines(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(run.pipeline for run in self.runs))


@dataclass(frozen=True, slots=True)
class FactoryFailures:
    groups: tuple[FailureGroup, ...]  # worst first
    failed: int
    complete: bool


async def group_failures(factory: DataFactory, since: datetime, until: datetime | None = None) -> FactoryFailures:
    """All runs that failed in the window. One query for the runs, then one per group for the activity that failed."""
    found = await factory.pipeline_runs(since, until, status=FAILED)
    failed = [run for run in found if until is None or _ended(run) < until]  # it may have begun in it and failed later
    groups = await by_cause(factory, by_message(factory.name, failed))
    return FactoryFailures(tuple(groups), failed=len(failed), complete=found.complete)


async def by_cause(factory: DataFactory, groups: Sequence[FailureGroup]) -> list[FailureGroup]:
    """Groups by message, told by the activity that failed in each; those with the same innermost error become one."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def look(group: FailureGroup) -> FailureGroup:
        async with gate:
            return _looked_into(group, (await factory.activity_runs(group.latest)).items)

    seen = await asyncio.gather(*(look(group) for group in groups[:MAX_LOOKED_INTO]))
    return _merged([*seen, *groups[MAX_LOOKED_INTO:]])


def _ended(run: PipelineRun) -> datetime:
    return run.end or run.updated or run.start or _NEVER


def by_message(factory: str, failed: Sequence[PipelineRun]) -> list[FailureGroup]:
    """What the runs themselves tell, without a query: a parent that only repeats its child belongs to it."""
    parents_of = _parents(failed)
    innermost = [run for run in failed if run.run_id not in {p.run_id for ps in parents_of.values() for p in ps}]
    buckets: dict[tuple[str, str], list[PipelineRun]] = {}
    for run in innermost:
        place = _first(peel(run.message).path) or run.pipeline
        buckets.setdefault((place, signature_of(run.message)), []).append(run)
    groups = [_group(factory, _newest_first(runs), parents_of) for runs in buckets.values()]
    return sorted(groups, key=worst_first)


def _group(factory: str, runs: tuple[PipelineRun, ...], parents_of: Mapping[str, list[PipelineRun]]) -> FailureGroup:
    failure = classify(runs[0].message)
    parents = _unique(parent for run in runs for parent in parents_of.get(run.run_id, ()))
    return FailureGroup(factory, failure, _first(failure.path), runs, _newest_first(parents))


def _parents(failed: Sequence[PipelineRun]) -> dict[str, list[PipelineRun]]:
    """For each failed run those above it that only repeat its failure, nearest first. Cycles end the climb."""
    by_id = {run.run_id: run for run in failed if run.run_id}
    above: dict[str, list[PipelineRun]] = {}
    for run in by_id.values():
        climbed, seen = run, {run.run_id}
        while (parent := by_id.get(climbed.invoked_by.run_id)) is not None and parent.run_id not in seen:
            if not _echoes(parent, run):
                break
            above.setdefault(run.run_id, []).append(parent)
            seen.add(parent.run_id)
            climbed = parent
    return above


def _echoes(parent: PipelineRun, child: PipelineRun) -> bool:
    """A parent may also fail for a reason of its own. Its text may be cut, so only the beginning is compared."""
    said = normalise(peel(parent.message).message)[:_COMPARED]
    return not said or said == normalise(peel(child.message).message)[:_COMPARED] or peel(parent.message).empty_wrapper


def _looked_into(group: FailureGroup, activities: Sequence[ActivityRun]) -> FailureGroup:
    """The activity's own error tells more than the run's message, which repeats it wrapped and shortened."""
    leaf = next(iter(failed_leaves(activities)), None)
    if leaf is None:
        return group
    return FailureGroup(
        factory=group.factory,
        failure=classify(leaf.error.message or group.latest.message, leaf.error.code, leaf.type),
        activity=leaf.name,
        activity_type=leaf.type,
        activity_run_id=leaf.id,
        runs=group.runs,
        parents=group.parents,
    )


def _merged(groups: Iterable[FailureGroup]) -> list[FailureGroup]:
    """Groups whose innermost error turned out to be the same become one."""
    merged: dict[tuple[str, str], FailureGroup] = {}
    for group in groups:
        key = (group.activity, group.failure.signature)
        known = merged.get(key)
        merged[key] = group if known is None else _together(known, group)
    return sorted(merged.values(), key=worst_first)


def _together(one: FailureGroup, other: FailureGroup) -> FailureGroup:
    newer = max(one, other, key=lambda group: group.latest.start or _NEVER)
    return FailureGroup(
        factory=newer.factory,
        failure=newer.failure,
        activity=newer.activity,
        activity_type=newer.activity_type,
        activity_run_id=newer.activity_run_id,
        runs=_newest_first([*one.runs, *other.runs]),
        parents=_newest_first(_unique([*one.parents, *other.parents])),
    )


def worst_first(group: FailureGroup) -> tuple[int, float, str]:
    """By the number of runs that are lost, then the latest."""
    lost = len(group.runs) + len(group.parents)
    return (-lost, -(group.latest.start or _NEVER).timestamp(), group.latest.pipeline)


def _newest_first(runs: Iterable[PipelineRun]) -> tuple[PipelineRun, ...]:
    return tuple(sorted(runs, key=lambda run: run.start or _NEVER, reverse=True))


def _unique(runs: Iterable[PipelineRun]) -> list[PipelineRun]:
    return list({run.run_id: run for run in runs}.values())


def _first(path: Sequence[str]) -> str:
    return path[0] if path else ""
