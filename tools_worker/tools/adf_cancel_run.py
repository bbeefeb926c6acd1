"""adf_cancel_run: proposes to cancel a run that goes on."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from core.errors import InvalidArguments, NotFound
from tools_worker.datafactory.client import DataFactory, resolve_pipeline
from tools_worker.datafactory.models import UNFINISHED
from tools_worker.datafactory.period import RETENTION_DAYS
from tools_worker.datafactory.wording import at, listed
from tools_worker.runtime.tools import Arguments, Reply, ToolContext, ToolSpec
from tools_worker.tools.proposing import FACTORY, factory_of_pipeline, propose

MAX_NAMED = 5


class CancelRunArguments(Arguments):
    run_id: str | None = Field(
        default=None, max_length=100, description="Id (GUID) of the pipeline run to cancel. Give this or pipeline."
    )
    pipeline: str | None = Field(
        default=None,
        max_length=260,
        description="Name of a pipeline, in any case: the run of it that goes on is meant.",
    )
    recursive: bool = Field(default=True, description="Cancel the runs that it called, too.")
    factory: str | None = Field(default=None, max_length=100, description=FACTORY)


async def adf_cancel_run(context: ToolContext, args: CancelRunArguments) -> Reply:
    if args.run_id:
        located = await context.factories.find_run(args.run_id, args.factory)
        factory, run_id = located.factory, located.run.run_id
    elif args.pipeline:
        factory = await factory_of_pipeline(context, args.pipeline, args.factory)
        run_id = await _going(context, factory, args.pipeline)
    else:
        raise InvalidArguments("Name the run (run_id), or the pipeline whose run is meant.")
    given = {"run_id": run_id, "recursive": args.recursive}
    return await propose(context, factory, "cancel", given | ({"pipeline": args.pipeline} if args.pipeline else {}))


async def _going(context: ToolContext, factory: DataFactory, pipeline: str) -> str:
    """The one run of it that has not ended. Raises NotFound where there is none, InvalidArguments for several."""
    name = await resolve_pipeline(factory, pipeline)
    since = context.now - timedelta(days=RETENTION_DAYS)
    found = await factory.fresh().pipeline_runs(since, pipeline=name, status=sorted(UNFINISHED), limit=MAX_NAMED)
    if not found.items:
        raise NotFound(f"No run of {name!r} in {factory.name!r} is going on.")
    if len(found) > 1:
        runs = listed([f"{run.run_id} since {at(run.start)}" for run in found])
        raise InvalidArguments(f"Several runs of {name!r} are going on: say which one.", hint=f"Runs: {runs}.")
    return found.items[0].run_id


TOOL = ToolSpec(
    name="adf_cancel_run",
    description=(
        "Proposes to cancel an Azure Data Factory pipeline run, with the child runs that it called. It only "
        "proposes: policy and people decide."
    ),
    arguments=CancelRunArguments,
    run=adf_cancel_run,
    writes=True,
)
