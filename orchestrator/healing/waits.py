"""What a playbook waits for, asked of Data Factory: an integration runtime that is back, or what comes before."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.errors import NotFound
from orchestrator.incidents.record import Incident
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.lineage import lineage
from tools_worker.datafactory.models import SUCCEEDED
from tools_worker.datafactory.wording import listed

READY = ("online", "started")  # of a self-hosted runtime, of a managed one
MAX_UPSTREAM = 10


async def met(what: str, factory: DataFactory, incident: Incident, since: datetime) -> tuple[bool, str]:
    """Whether, and how it stands in words that follow "still". Raises NotFound where there is nothing to wait for."""
    return await (_runtimes(factory, incident) if what == "runtime" else _upstream(factory, incident, since))


async def _runtimes(factory: DataFactory, incident: Incident) -> tuple[bool, str]:
    names = await runtimes_of(factory, incident)
    if not names:
        raise NotFound("Which integration runtime failed is not known.")
    states = [(name, (await factory.integration_runtime(name)).state or "in an unknown state") for name in names]
    told = listed([f"{name} is {state.lower()}" for name, state in states])
    return all(state.casefold() in READY for _, state in states), told


async def runtimes_of(factory: DataFactory, incident: Incident) -> list[str]:
    """On which the failed activities ran, as they are spelled."""
    run = await factory.pipeline_run(incident.runs[0].run_id)
    used = {name.casefold() for each in await factory.activity_runs(run) if each.failed for name in each.runtimes}
    return [each.name for each in await factory.integration_runtimes() if each.name.casefold() in used]


async def _upstream(factory: DataFactory, incident: Incident, since: datetime) -> tuple[bool, str]:
    known = lineage(await factory.pipelines(), await factory.datasets(), await factory.triggers())
    pipelines = incident.pipelines
    before = list(dict.fromkeys(name for each in pipelines for name, _ in known.before(each) if name not in pipelines))
    if not before:
        raise NotFound("No pipeline is known to write what the failed one reads.")
    failed_at = min((ref.ended_at for ref in incident.runs if ref.ended_at), default=since)
    missing = [name for name in before[:MAX_UPSTREAM] if not await _ran_well(factory, name, failed_at)]
    if missing:
        return False, f"{listed(missing)} has not run well since"
    return True, f"{listed(before[:MAX_UPSTREAM])} ran well since"


async def _ran_well(factory: DataFactory, pipeline: str, since: datetime) -> bool:
    runs = await factory.pipeline_runs(since - timedelta(hours=1), status=SUCCEEDED, pipeline=pipeline, limit=20)
    return any(run.end is not None and run.end > since for run in runs)
