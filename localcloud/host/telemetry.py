"""What the app has measured and not yet told is told before the host ends: it ends without Python's own good-byes."""

from __future__ import annotations

import sys

PATIENCE_MILLISECONDS = 2000


def flush() -> None:
    """Nothing where the app has set up no telemetry."""
    if "opentelemetry.trace" not in sys.modules:
        return
    from opentelemetry import metrics, trace

    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
        told = getattr(provider, "force_flush", None)
        if told is not None:
            told(PATIENCE_MILLISECONDS)
