"""The app's telemetry of one question, read off its log: spans as a tree for each trace, then metrics."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PREFIX = "telemetry "
Told = Mapping[str, Any]


def lines(log: Path) -> list[str]:
    """What to show; nothing where the app told nothing."""
    told = list(read(log))
    metrics = {_series(each): each for each in told if "metric" in each}  # they add up: the last one of each holds all
    return [*trees([each for each in told if "span" in each]), *map(_metric, metrics.values())]


def read(log: Path) -> Iterator[Told]:
    """The app writes an object in JSON behind a prefix for each span that has ended, and for each metric."""
    with suppress(OSError):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                if line.startswith(PREFIX) and isinstance(found := json.loads(line.removeprefix(PREFIX)), dict):
                    yield found


def trees(spans: Sequence[Told]) -> list[str]:
    below: defaultdict[str, list[Told]] = defaultdict(list)
    known = {span["id"] for span in spans}
    for span in sorted(spans, key=lambda each: float(each["at"])):
        below[span["parent"] if span["parent"] in known else ""].append(span)
    of = {span["id"]: span["trace"] for span in spans}
    return [line for root in below[""] for line in _tree(root, below, of, 0)]


def _tree(span: Told, below: Mapping[str, Sequence[Told]], of: Mapping[str, str], depth: int) -> Iterator[str]:
    trace = f"trace {span['trace']}" if not depth else ""
    links = [f"→ trace {link['trace'][:8]}" for link in span["links"] if link["id"] in of]
    error = f"failed: {span['attributes'].get('error.type', 'unknown')}" if span["failed"] else ""
    told = "  ".join(part for part in (span["span"], error, *links, trace) if part)
    yield f"{span['seconds']:9.3f} s  {'  ' * depth}{told}"
    for child in below.get(span["id"], ()):
        yield from _tree(child, below, of, depth + 1)


def _series(metric: Told) -> str:
    return json.dumps([metric["metric"], metric["attributes"]], sort_keys=True)


def _metric(metric: Told) -> str:
    amount = f"{metric['value']:g}" if "value" in metric else f"{metric['count']} times, {metric['sum']:.3g} in all"
    return f"{metric['metric']}  {amount}  " + " ".join(f"{key}={value}" for key, value in metric["attributes"].items())
