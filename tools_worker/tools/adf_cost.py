"""adf_cost: what a run with its children, a pipeline, or the dearest pipelines of a factory cost at list price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import Field, model_validator

from core.errors import NotFound
from tools_worker.datafactory.client import DataFactory, resolve_pipeline
from tools_worker.datafactory.cost import Bill, RunBill, list_prices, own_bills, tree_bill
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.survey import survey
from tools_worker.datafactory.wording import at, count, listed, sentences, stamp
from tools_worker.runtime.tables import table
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

RETENTION_DAYS = 45
MAX_RUNS = 200  # of one factory: one query each, 8 at once; 20 ms to 200 ms a query keeps within the tool's deadline
MAX_SHOWN = 10
MAX_ACTIVITIES = 5
NAMELESS = "an unnamed pipeline"


class CostArguments(Arguments):
    run_id: str | None = Field(default=None, max_length=100, description="Cost of this run with its child runs.")
    pipeline: str | None = Field(
        default=None, max_length=260, description="Cost of this pipeline's runs in the window, in any case."
    )
    hours: int = Field(
        default=24, ge=1, le=24 * RETENTION_DAYS, description="How far back to look, in hours: 168 is a week."
    )
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")

    @model_validator(mode="after")
    def _one_at_most(self) -> CostArguments:
        if self.run_id and self.pipeline:
            raise ValueError("give run_id or pipeline, not both")
        return self


async def adf_cost(context: ToolContext, args: CostArguments) -> Reply:
    if args.run_id:
        return await _of_run(context, args.run_id, args.factory)
    return await _of_window(context, args)


async def _of_run(context: ToolContext, run_id: str, factory: str | None) -> Reply:
    located = await context.factories.find_run(run_id, factory)
    found = await tree_bill(located.factory, located.run)
    bill = found.total
    dearest = sorted(bill.by_activity.items(), key=lambda item: -item[1])[:3]
    children = f" with {count(found.runs - 1, 'child run')}" if found.runs > 1 else ""
    summary = sentences(
        f"The run is not in {located.asked!r}, it belongs to {located.factory.name!r}." if located.asked else "",
        f"The run of {located.run.pipeline or NAMELESS} in {located.factory.name} "
        f"started {at(located.run.start)}{children} "
        f"(run {run_id}) cost {'' if found.whole else 'at least '}{dollars(bill.total_usd)}: "
        f"{count(bill.activity_runs, 'activity run')} {dollars(bill.orchestration_usd)}, "
        f"execution {dollars(bill.execution_usd)}.",
        f"Dearest: {listed([f'{name} {dollars(cost)}' for name, cost in dearest])}." if dearest else "",
        *_caveats(bill),
    )
    runs = [_run_row(branch) for branch in _branches(found)]
    data = _bill_data(bill) | {"complete": found.whole, "runs": table(runs[:MAX_SHOWN])}
    data["runs_left_out"] = max(0, len(runs) - MAX_SHOWN)
    return Reply(
        summary=summary,
        data=data | {"prices": _price_data()},
        evidence=[Evidence("pipeline_run", b.run.run_id, located.factory.name) for b in _branches(found)][:MAX_SHOWN],
        truncated=len(runs) > MAX_SHOWN,
        next=[f"adf_run_performance run_id={run_id} factory={located.factory.name}"],
    )


async def _of_window(context: ToolContext, args: CostArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    since = context.now - timedelta(hours=args.hours)

    async def ask(factory: DataFactory) -> _Window | None:
        return await _window(factory, args.pipeline, since, context.now)

    asked = await survey(factories, ask)
    windows = [(factory.name, window) for factory, window in asked.answers if window is not None]
    if not windows and not asked.silent and args.pipeline:
        await resolve_pipeline(factories[0], args.pipeline)  # raises, with the closest names
    rows = sorted((row for name, window in windows for row in window.rows(name)), key=lambda row: -row[2].total_usd)
    bill = sum((row[2] for row in rows), Bill())
    left = sum(window.left_out for _, window in windows)
    exact = not left and not asked.silent and all(window.complete for _, window in windows)
    what = f"the runs of {args.pipeline!r}" if args.pipeline else "all runs"
    names = [repr(name) for name, _ in windows]
    billed = sum(row[3] for row in rows)
    told = [
        f"{pipeline or NAMELESS} in {name} {dollars(b.total_usd)} ({count(runs, 'run')})"
        for name, pipeline, b, runs in rows
    ]
    summary = sentences(
        f"In the last {count(args.hours, 'hour')} {what} in {listed(names)} cost {'' if exact else 'at least '}"
        f"{dollars(bill.total_usd)} for {count(billed, 'run')}."
        if rows
        else f"No runs to bill in {listed(names) or 'the factories asked'} in the last {count(args.hours, 'hour')}.",
        f"Dearest: {listed(told, 3)}." if told and not args.pipeline else "",
        f"{count(left, 'run')} not billed: at most the newest {MAX_RUNS} of a factory are read, "
        "and what gave no answer in time is left out."
        if left
        else "",
        "Child pipelines count where they ran, under their own name." if rows else "",
        *(_caveats(bill) if rows else ()),
        asked.caveat,
    )
    shown = rows[:MAX_SHOWN]
    data = _bill_data(bill) | {
        "hours": args.hours,
        "since": stamp(since),
        "exact": exact,
        "runs_billed": billed,
        "runs_not_billed": left,
        "pipelines": table(
            [
                {"factory": name, "pipeline": pipeline, "runs": runs, "usd": f"{b.total_usd:.4f}"}
                for name, pipeline, b, runs in shown
            ]
        ),
        "pipelines_left_out": len(rows) - len(shown),
        "prices": _price_data(),
    }
    dearest = max((b for _, w in windows for b in w.bills), key=lambda b: b.own.total_usd, default=None)
    named = next((name for name, w in windows if dearest in w.bills), "")
    return Reply(
        summary=summary,
        data=data,
        evidence=[Evidence("pipeline_run", dearest.run.run_id, named)] if dearest else [],
        truncated=len(rows) > len(shown) or left > 0,
        next=[f"adf_cost run_id={dearest.run.run_id} factory={named}"] if dearest else [],
    )


class _Window:
    """The bills of one factory's newest runs in the window."""

    def __init__(self, bills: Sequence[RunBill], left_out: int, complete: bool) -> None:
        self.bills, self.left_out, self.complete = bills, left_out, complete

    def rows(self, factory: str) -> list[tuple[str, str, Bill, int]]:
        groups: dict[str, list[RunBill]] = defaultdict(list)
        for bill in self.bills:
            groups[bill.run.pipeline].append(bill)
        return [(factory, name, sum((b.own for b in group), Bill()), len(group)) for name, group in groups.items()]


async def _window(factory: DataFactory, pipeline: str | None, since: datetime, until: datetime) -> _Window | None:
    try:
        name = await resolve_pipeline(factory, pipeline) if pipeline else None
    except NotFound:
        return None
    found = await factory.pipeline_runs(since, until, pipeline=name)
    taken: Sequence[PipelineRun] = found.items[:MAX_RUNS]
    bills = [bill for bill in await own_bills(factory, taken) if bill is not None]
    complete = found.complete and all(bill.complete for bill in bills)
    return _Window(bills, len(found) - len(bills), complete)


def _branches(found: RunBill) -> list[RunBill]:
    return [found, *(branch for child in found.children for branch in _branches(child))]


def _run_row(branch: RunBill) -> dict[str, Any]:
    return {"pipeline": branch.run.pipeline, "run_id": branch.run.run_id, "own_usd": _usd(branch.own.total_usd)}


def _bill_data(bill: Bill) -> dict[str, Any]:
    activities = sorted(bill.by_activity.items(), key=lambda item: -item[1])
    return {
        "total_usd": _usd(bill.total_usd),
        "orchestration_usd": _usd(bill.orchestration_usd),
        "execution_usd": _usd(bill.execution_usd),
        "activity_runs": bill.activity_runs,
        "by_activity_usd": _usd_of(dict(activities[:MAX_ACTIVITIES])),
        "activities_left_out": max(0, len(activities) - MAX_ACTIVITIES),
        "by_meter_usd": _usd_of(bill.by_meter),
        "unpriced": {name: str(quantity) for name, quantity in list(bill.unpriced.items())[:10]},
        "without_billing_figures": bill.unbilled,
        "still_running": bill.unfinished,
    }


def _price_data() -> dict[str, str]:
    prices = list_prices()
    return {"date": prices.date.isoformat(), "region": prices.region, "currency": prices.currency}


def _caveats(bill: Bill) -> list[str]:
    prices = list_prices()
    return [
        f"Not priced, because the price table has no such meter: {listed(list(bill.unpriced))}."
        if bill.unpriced
        else "",
        f"{count(bill.unfinished, 'activity run')} still going: not billed yet." if bill.unfinished else "",
        f"An estimate at list prices of {prices.date.isoformat()} ({prices.region}, {prices.currency}): the bill "
        "differs by discounts, region and currency, and has what runs do not tell: SSIS nodes, debug clusters, "
        "machines of self-hosted runtimes, bandwidth, and the services called.",
    ]


def dollars(amount: Decimal) -> str:
    """$2.93; below ten cents four digits, so that small costs are not shown as nothing."""
    return f"${amount:,.2f}" if amount >= Decimal("0.10") or not amount else f"${amount:.4f}"


def _usd(amount: Decimal) -> str:
    return f"{amount:.6f}"


def _usd_of(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: _usd(amount) for name, amount in amounts.items()}


TOOL = ToolSpec(
    name="adf_cost",
    description=(
        "Estimates what Azure Data Factory runs cost at list price, in USD: one run with its child runs (run_id), "
        "one pipeline over a period (pipeline), or the dearest pipelines of a factory (neither). Use it for cost, "
        "price, spend and billing questions."
    ),
    arguments=CostArguments,
    run=adf_cost,
)
