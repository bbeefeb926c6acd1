"""What activity runs cost at list price: their `billingReference` read, priced and added up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.cost.prices import Prices, list_prices
from tools_worker.datafactory.models import ActivityRun

ZERO = Decimal(0)
MAX_REFERENCE = 20_000  # characters of a billingReference that is itself JSON text; real ones have some hundred
MAX_QUANTITY = Decimal(1_000_000)  # hours; beyond it a figure is broken, and must not make a broken sum


@dataclass(frozen=True, slots=True)
class Usage:
    """One line of a bill. `cost_usd` is None where the price table has no such meter."""

    activity_type: str
    meter: str
    unit: str
    quantity: Decimal
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Bill:
    """`unbilled`: finished runs whose output names no billable time, which is usual for control activities."""

    activity_runs: int = 0
    orchestration_usd: Decimal = ZERO
    execution_usd: Decimal = ZERO
    by_activity: Mapping[str, Decimal] = field(default_factory=dict)
    by_meter: Mapping[str, Decimal] = field(default_factory=dict)
    unpriced: Mapping[str, Decimal] = field(default_factory=dict)  # meter → quantity
    unbilled: int = 0
    unfinished: int = 0

    @property
    def total_usd(self) -> Decimal:
        return self.orchestration_usd + self.execution_usd

    def __add__(self, other: Bill) -> Bill:
        return Bill(
            self.activity_runs + other.activity_runs,
            self.orchestration_usd + other.orchestration_usd,
            self.execution_usd + other.execution_usd,
            _added(self.by_activity, other.by_activity),
            _added(self.by_meter, other.by_meter),
            _added(self.unpriced, other.unpriced),
            self.unbilled + other.unbilled,
            self.unfinished + other.unfinished,
        )


def bill_of(activities: Iterable[ActivityRun], prices: Prices | None = None) -> Bill:
    """Every attempt and every iteration counts, failed ones too: all of them are billed."""
    table = prices or list_prices()
    total = Bill()
    for activity in activities:
        total += _bill(activity, table)
    return total


def usages(output: Mapping[str, Any], prices: Prices | None = None, fallback_type: str = "") -> list[Usage]:
    """Only `billableDuration` is added up: `totalBillableDuration` differs from it on self-hosted runtimes."""
    table = prices or list_prices()
    reference = _reference(output)
    kind = fields.text(reference, "activityType") or fallback_type
    return [_usage(kind, meter, unit, amount, table) for meter, unit, amount in _lines(reference)]


def _bill(activity: ActivityRun, prices: Prices) -> Bill:
    lines = usages(activity.output, prices, "executedataflow" if "DataFlow" in activity.type else "")
    hosted = any(line.meter.casefold().startswith("selfhosted") for line in lines)
    by_meter: dict[str, Decimal] = {}
    unpriced: dict[str, Decimal] = {}
    for line in lines:
        name = f"{line.activity_type or 'unknown activity'} {line.meter or 'unknown meter'}"
        if line.cost_usd is None:
            unpriced = _added(unpriced, {f"{name} ({line.unit or 'unknown unit'})": line.quantity})
        else:
            by_meter = _added(by_meter, {name: line.cost_usd})
    orchestration = prices.per_activity_run(hosted) if activity.status != "Skipped" else ZERO
    execution = sum((line.cost_usd for line in lines if line.cost_usd is not None), ZERO)
    by_activity = {activity.name or "unnamed": orchestration + execution}
    going = activity.status in ("InProgress", "Queued")
    return Bill(
        int(activity.status != "Skipped"),
        orchestration,
        execution,
        by_activity,
        dict(by_meter),
        dict(unpriced),
        int(not lines and not going),
        int(going),
    )


def _reference(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object; in old runs the same as JSON text."""
    found = output.get("billingReference")
    if isinstance(found, str) and len(found) <= MAX_REFERENCE:
        try:
            return fields.as_mapping(json.loads(found))
        except (ValueError, RecursionError):
            return fields.NOTHING
    return fields.as_mapping(found)


def _lines(reference: Mapping[str, Any]) -> Iterator[tuple[str, str, Decimal]]:
    for line in map(fields.as_mapping, fields.items(reference, "billableDuration")):
        if "meterType" in line or "duration" in line:
            amount = _amount(line.get("duration"))
            if amount is not None:
                yield fields.text(line, "meterType"), fields.text(line, "unit"), amount
        else:  # old runs: {"Managed": DIU-hours}
            for meter, quantity in line.items():
                amount = _amount(quantity)
                if amount is not None:
                    yield str(meter), "DIUHours" if str(meter) == "Managed" else "", amount


def _usage(kind: str, meter: str, unit: str, amount: Decimal, prices: Prices) -> Usage:
    price = prices.per_unit(kind, meter)
    return Usage(kind, meter, unit, amount, None if price is None else price * amount)


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    amount = Decimal(str(value))
    return amount if amount.is_finite() and ZERO <= amount <= MAX_QUANTITY else None


def _added(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: one.get(name, ZERO) + other.get(name, ZERO) for name in (*one, *(k for k in other if k not in one))}
