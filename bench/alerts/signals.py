"""Alerts as Azure Monitor would send them of failed runs: by pipeline and window, never by run, some minutes late."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.alerts.estate import resource_id

WINDOW = timedelta(minutes=5)
RESOLVED_EACH = 10  # one alert in so many is told to be over
REPEATED_EACH = 20  # and one in so many comes twice, byte for byte


@dataclass(frozen=True, slots=True)
class FailedRun:
    run_id: str
    cause: str
    factory: str
    pipeline: str
    ended: datetime


@dataclass(frozen=True, slots=True)
class Signal:
    """`instance` and `fired` tell alerts apart: those who repeat one have the same."""

    instance: str
    fired: bool
    cause: str
    pipeline: str
    body: bytes

    @property
    def key(self) -> tuple[str, bool]:
        return self.instance, self.fired


def storm(runs: Sequence[FailedRun], count: int, seed: int, now: datetime) -> list[Signal]:
    """So many different alerts of these runs, with repeats on top, shuffled: an end may come before its beginning."""
    dice = random.Random(seed)
    signals: list[Signal] = []
    number = 0
    while len(signals) < count:
        signals += _told(runs[number % len(runs)], number, dice, now, over=number % RESOLVED_EACH == 0)
        number += 1
    signals = signals[:count]
    offered = signals + dice.sample(signals, count // REPEATED_EACH)
    dice.shuffle(offered)
    return offered


def single(run: FailedRun, now: datetime) -> Signal:
    return _told(run, 0, random.Random(run.run_id), now, over=False)[0]


def ending(run: FailedRun, now: datetime) -> Signal:
    """That an alert is over which nobody was told of."""
    return _told(run, 0, random.Random(f"{run.run_id} {run.pipeline}"), now, over=True)[1]


def ends_before_beginnings(offered: Iterable[Signal]) -> int:
    first: dict[tuple[str, bool], int] = {}
    for number, signal in enumerate(offered):
        first.setdefault(signal.key, number)
    return sum(not fired and first.get((name, True), 0) > at for (name, fired), at in first.items())


def _told(run: FailedRun, number: int, dice: random.Random, now: datetime, *, over: bool) -> list[Signal]:
    """The alert of a rule about the window in which the run ended, and its end where that was told as well."""
    until = run.ended.replace(second=0, microsecond=0) + timedelta(minutes=1 + number % 4)
    fired = min(until + timedelta(minutes=1, seconds=dice.randrange(90)), now)
    instance = str(uuid.UUID(int=dice.getrandbits(128)))
    rule = f"adf-failed-{number:04}"
    begins = body(run, instance, rule, until, fired)
    signals = [Signal(instance, True, run.cause, run.pipeline, begins)]
    if over:
        ends = body(run, instance, rule, until, fired, resolved=min(fired + timedelta(minutes=6), now))
        signals.append(Signal(instance, False, run.cause, run.pipeline, ends))
    return signals


def body(
    run: FailedRun, instance: str, rule: str, until: datetime, fired: datetime, resolved: datetime | None = None
) -> bytes:
    """The common alert schema, of a metric."""
    target = resource_id(run.factory).lower()
    subscription = "/".join(target.split("/")[:3])
    essentials: dict[str, Any] = {
        "alertId": f"{subscription}/providers/Microsoft.AlertsManagement/alerts/{instance}",
        "alertRule": rule,
        "severity": "Sev2",
        "signalType": "Metric",
        "monitorCondition": "Resolved" if resolved else "Fired",
        "monitoringService": "Platform",
        "alertTargetIDs": [target],
        "configurationItems": [run.factory],
        "originAlertId": f"{rule}_{instance[:8]}",
        "firedDateTime": _stamp(fired),
        "description": "A pipeline failed",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }
    if resolved:
        essentials["resolvedDateTime"] = _stamp(resolved)
    data = {"essentials": essentials, "alertContext": _context(run, until), "customProperties": None}
    return json.dumps({"schemaId": "azureMonitorCommonAlertSchema", "data": data}).encode()


def _context(run: FailedRun, until: datetime) -> Mapping[str, Any]:
    criterion = {
        "metricName": "PipelineFailedRuns",
        "metricNamespace": "Microsoft.DataFactory/factories",
        "operator": "GreaterThan",
        "threshold": "0",
        "timeAggregation": "Total",
        "dimensions": [{"name": "Name", "value": run.pipeline}, {"name": "FailureType", "value": "UserError"}],
        "metricValue": 1.0,
    }
    condition = {
        "windowSize": "PT5M",
        "allOf": [criterion],
        "windowStartTime": _stamp(until - WINDOW),
        "windowEndTime": _stamp(until),
    }
    return {"properties": None, "conditionType": "SingleResourceMultipleMetricCriteria", "condition": condition}


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
