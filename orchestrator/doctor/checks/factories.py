"""Data Factory: each kind of read that the tools make, tried in every factory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from core.errors import AppError, NotConfigured, NotFound, UpstreamRefused
from orchestrator.doctor.findings import Check, Result, Seen, failed, ok, skipped
from orchestrator.doctor.patient import Patient
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.refusals import TokenRefused

MOST = 10  # factories that are looked into
PERIOD = timedelta(days=1)
ADF = "Microsoft.DataFactory/factories"


@dataclass(frozen=True, slots=True)
class Read:
    """`ask` answers whether there was something to ask; `permission` is what the service wants for it."""

    name: str
    what: str
    permission: str
    why: str
    ask: Callable[[DataFactory], Awaitable[bool]]
    without: Result = "failed"


async def _done(question: Awaitable[Any]) -> bool:
    await question
    return True


async def _newest(factory: DataFactory) -> PipelineRun | None:
    runs = await factory.pipeline_runs(datetime.now(UTC) - PERIOD, limit=1)
    return runs.items[0] if runs.items else None


async def _run(factory: DataFactory) -> bool:
    newest = await _newest(factory)
    return newest is not None and await _done(factory.pipeline_run(newest.run_id))


async def _activities(factory: DataFactory) -> bool:
    newest = await _newest(factory)
    return newest is not None and await _done(factory.activity_runs(newest))


async def _runtime(factory: DataFactory) -> bool:
    runtimes = await factory.integration_runtimes()
    return bool(runtimes) and await _done(factory.integration_runtime(runtimes[0].name))


def _since() -> datetime:
    return datetime.now(UTC) - PERIOD


READS = (
    Read("adf_tags", "the factory itself", f"{ADF}/read", "Its tags say in which environment of the policy it is.",
         lambda f: _done(f.tags())),
    Read("adf_pipelines", "pipelines", f"{ADF}/pipelines/read", "No pipeline can be explained, diagnosed or repaired.",
         lambda f: _done(f.pipelines())),
    Read("adf_triggers", "triggers", f"{ADF}/triggers/read", "What has been missed cannot be told.",
         lambda f: _done(f.triggers())),
    Read("adf_datasets", "datasets", f"{ADF}/datasets/read", "Lineage, and whether a rerun is safe, cannot be told.",
         lambda f: _done(f.datasets())),
    Read("adf_runtimes", "integration runtimes", f"{ADF}/integrationruntimes/read",
         "Runtimes that are offline are not seen.",
         lambda f: _done(f.integration_runtimes())),
    Read("adf_runtime_status", "the state of a runtime", f"{ADF}/integrationruntimes/getstatus/read",
         "A runtime that is offline is not seen.", _runtime),
    Read("adf_pipeline_runs", "pipeline runs", f"{ADF}/querypipelineruns/action",
         "No failure is seen. The built-in Reader does not hold it: queries of runs are actions.",
         lambda f: _done(f.pipeline_runs(_since(), limit=1))),
    Read("adf_pipeline_run", "one pipeline run", f"{ADF}/pipelineruns/read", "No run can be diagnosed.", _run),
    Read("adf_activity_runs", "activity runs", f"{ADF}/pipelineruns/queryactivityruns/action",
         "No cause is found: errors are told by activities.", _activities),
    Read("adf_trigger_runs", "trigger runs", f"{ADF}/querytriggerruns/action", "Triggers that failed are not seen.",
         lambda f: _done(f.trigger_runs(_since(), limit=1))),
    Read("adf_activity_log", "the Activity Log", "Microsoft.Insights/eventtypes/values/read",
         "Diagnoses cannot say who changed a pipeline or cancelled a run; all else works.",
         lambda f: _done(f.changes(datetime.now(UTC) - timedelta(hours=1))), "warning"),
)  # fmt: skip


async def visible(patient: Patient) -> Sequence[Seen]:
    try:
        found = await patient.factories.all()
    except NotConfigured as exc:
        return failed(exc.message, f"{exc.hint} {_give(patient, 'the reader role', '/subscriptions/<id>')}")
    except TokenRefused as exc:
        return failed(exc.message, exc.hint)
    except UpstreamRefused as exc:
        return failed(str(exc), _give(patient, f"{ADF}/read", "/subscriptions/<id>"))
    except AppError as exc:
        return failed(str(exc), "Check ADF_ENDPOINT, ADF_SUBSCRIPTION_ID and the app's network.")
    more = f" The first {MOST} are looked into." if len(found) > MOST else ""
    return ok(f"Factories: {', '.join(each.name for each in found[:MOST])}.{more}")


async def _try(read: Read, patient: Patient) -> Sequence[Seen]:
    try:
        factories = (await patient.factories.all())[:MOST]
    except AppError:
        return skipped("The factories could not be listed: see 'adf_factories'.")
    found = [seen for seen in await asyncio.gather(*(_ask(read, each, patient) for each in factories)) if seen.found]
    return found or ok(f"Can be read in {len(factories)} factories: {read.what}.")


async def _ask(read: Read, factory: DataFactory, patient: Patient) -> Seen:
    try:
        asked = await read.ask(factory)
    except NotFound as exc:
        text = f"{factory.name}: {exc.message}"
        return Seen("failed", text, "Copy its resource id from the portal (JSON view) to ADF_FACTORIES.")
    except TokenRefused as exc:
        return Seen("failed", f"{factory.name}: {exc.message}", exc.hint)
    except UpstreamRefused as exc:
        text = f"{factory.name}: {exc.message} Reading {read.what} needs {read.permission}."
        return Seen(read.without, text, _give(patient, read.permission, factory.id.path))
    except AppError as exc:
        return Seen("failed", f"{factory.name}: {exc}", "Try again; look at https://status.azure.com.")
    return Seen("ok", "" if asked else f"{factory.name}: nothing to try it with ({read.what}) in the last day.")


def _give(patient: Patient, what: str, scope: str) -> str:
    return (
        f"az role assignment create --assignee-object-id {patient.app_identity} --assignee-principal-type "
        f"ServicePrincipal --role <the custom reader role, docs/configuration.md; it needs {what}> --scope {scope}"
    )


CHECKS = (
    Check("adf_factories", "What is not visible is not watched.", visible, ("adf",)),
    *(Check(read.name, read.why, partial(_try, read), ("adf",)) for read in READS),
)
