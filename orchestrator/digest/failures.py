"""Failed runs of a factory, held against its incidents: which belong to one, and which nobody has told of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.digest.facts import Failures
from orchestrator.incidents.record import Incident
from tools_worker.datafactory.failure_groups import FailureGroup, by_message
from tools_worker.datafactory.models import SUCCEEDED, PipelineRun


def sorted_out(
    factory: str, ended: Iterable[PipelineRun], failed: Sequence[PipelineRun], incidents: Iterable[Incident]
) -> Failures:
    own = [each for each in incidents if each.kind == "failure" and each.factory.casefold() == factory.casefold()]
    holders = {ref.run_id: incident for incident in own for ref in (*incident.runs, *incident.parents)}
    held, others = Counter[str](), list[FailureGroup]()
    for group in by_message(factory, failed):
        homes = [(run, _home(run, group, holders)) for run in group.runs]
        held.update(home.id for _, home in homes if home is not None)
        if free := tuple(run for run, home in homes if home is None):
            others.append(replace(group, runs=free))
    return Failures(held, tuple(others), _good(ended))


def _home(run: PipelineRun, group: FailureGroup, holders: Mapping[str, Incident]) -> Incident | None:
    """An incident names its newest runs only: an older one belongs to it where its pipeline and its error do."""
    if run.run_id in holders:
        return holders[run.run_id]
    near = (holders[other.run_id] for other in group.runs if other.run_id in holders)
    return next((incident for incident in near if run.pipeline in incident.pipelines), None)


def _good(ended: Iterable[PipelineRun]) -> dict[str, datetime]:
    """When the newest run that went well began, by pipeline."""
    found: dict[str, datetime] = {}
    for run in ended:
        if run.status == SUCCEEDED and run.start is not None:
            found[run.pipeline] = max(run.start, found.get(run.pipeline, run.start))
    return found
