"""Metrics. While telemetry is off they cost a function call; no trouble of theirs reaches the app."""

from __future__ import annotations

from typing import Any

from core.telemetry import names
from core.telemetry.setup import Providers, providers
from core.telemetry.spans import Attributes, clean, contained

BOUNDARIES = {  # by unit; Azure Monitor keeps sum, count, least and most, others keep these
    "s": (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
    "1": (0.1, 0.25, 0.5, 0.75, 0.9, 1),
    "{token}": (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576),
}


def record(name: str, value: float, attributes: Attributes | None = None) -> None:
    """Of a histogram of `names`. No attribute may hold an id or a name of somebody's pipeline."""
    if (ours := providers()) is not None:
        with contained():
            _instrument(ours, name).record(value, clean(attributes or {}))


def count(name: str, amount: int = 1, attributes: Attributes | None = None) -> None:
    """Of a counter of `names`."""
    if amount and (ours := providers()) is not None:
        with contained():
            _instrument(ours, name).add(amount, clean(attributes or {}))


def _instrument(ours: Providers, name: str) -> Any:
    if name not in ours.kept:
        meter = ours.metrics.get_meter(names.SCOPE)
        if name in names.COUNTERS:
            unit, text = names.COUNTERS[name]
            ours.kept[name] = meter.create_counter(name, unit, text)
        else:
            unit, text = names.HISTOGRAMS[name]
            limits = BOUNDARIES[unit]
            ours.kept[name] = meter.create_histogram(name, unit, text, explicit_bucket_boundaries_advisory=limits)
    return ours.kept[name]
