"""What the runs of a period cost, reckoned from some of each pipeline: a run of a pipeline costs about as another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice

from core.errors import UpstreamUnavailable
from orchestrator.digest.facts import Cost
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.cost import RunBill, own_bills
from tools_worker.datafactory.models import PipelineRun

BILLED = 40  # runs of a factory, one query each


async def fetch_cost(factory: DataFactory, runs: Sequence[PipelineRun]) -> Cost | None:
    """None where nothing ran. Raises UpstreamUnavailable where no run could be read."""
    if not runs:
        return None
    asked = list(islice(in_turns(runs), BILLED))
    bills = [bill for bill in await own_bills(factory, asked) if bill is not None]
    if not bills:
        raise UpstreamUnavailable("No activity runs could be read.")
    return reckoned(runs, bills)


def in_turns(runs: Sequence[PipelineRun]) -> Iterator[PipelineRun]:
    """One of each pipeline, then a second one of each: the pipelines that ran longest first, of each its newest."""
    by_pipeline: defaultdict[str, list[PipelineRun]] = defaultdict(list)
    for run in runs:
        by_pipeline[run.pipeline].append(run)
    queues = sorted(by_pipeline.values(), key=lambda own: -sum(run.duration_ms or 0 for run in own))
    for turn in range(max(map(len, queues), default=0)):
        yield from (own[turn] for own in queues if turn < len(own))


def reckoned(runs: Sequence[PipelineRun], bills: Sequence[RunBill]) -> Cost:
    """The mean of each pipeline's bills, as often as it ran."""
    known: defaultdict[str, list[Decimal]] = defaultdict(list)
    for bill in bills:
        known[bill.run.pipeline].append(bill.own.total_usd)
    means = {pipeline: sum(costs, Decimal()) / len(costs) for pipeline, costs in known.items()}
    return Cost(
        usd=sum((means.get(run.pipeline, Decimal()) for run in runs), Decimal()),
        billed=len(bills),
        runs=len(runs),
        whole=all(run.pipeline in means for run in runs) and all(bill.complete for bill in bills),
        priced=any(bill.own.by_meter for bill in bills),
    )
