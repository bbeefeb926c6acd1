"""Whether telemetry is on, found out at its first use, and set up at most once.

`TELEMETRY` says where it goes: nowhere (empty, the default), `console` (lines on standard error) or `azure-monitor`.
Whatever it says, nothing is set up where a provider is there already, as under an agent that instruments processes, or
where the Functions host has it set up by its worker: ours goes where that goes. `off` keeps ours out of these too.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from core.settings.surroundings import BY_THE_WORKER, INSIGHTS
from core.settings.telemetry import AZURE_MONITOR, CONSOLE, OFF, where

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

log = logging.getLogger("telemetry")
# Each of them would tell again what our spans and the host's tell, once for every poll of every queue, with addresses.
INSTRUMENTATIONS = (
    "azure_sdk",
    "django",
    "fastapi",
    "flask",
    "httpx",
    "httpx2",
    "psycopg2",
    "requests",
    "urllib",
    "urllib3",
)
# All, or by ARG a share: decided by the trace's own id, so in each process alike. The distribution's default, so many a
# second, does not ask what another process has decided, and tears traces that cross queues.
SAMPLING = {"OTEL_TRACES_SAMPLER": "microsoft.fixed_percentage", "OTEL_TRACES_SAMPLER_ARG": "1.0"}


@dataclass(frozen=True)
class Providers:
    """Where spans and metrics go. `kept`: what was made from them, so that it is made once."""

    traces: TracerProvider
    metrics: MeterProvider
    kept: dict[str, Any] = field(default_factory=dict)


_starting = Lock()
_found: list[Providers | None] = []  # empty: nobody has asked


def providers() -> Providers | None:
    """None while telemetry is off: then nothing of OpenTelemetry is imported by us."""
    if not _found:
        with _starting:
            if not _found:
                _found.append(_started(os.environ))
    return _found[0]


@contextmanager
def using(chosen: Providers | None) -> Iterator[None]:
    """These for the length of a `with` block: for tests, and for whoever embeds the app."""
    before = list(_found)
    _found[:] = [chosen]
    try:
        yield
    finally:
        _found[:] = before


def _started(env: Mapping[str, str]) -> Providers | None:
    try:
        return start(env)
    except Exception:  # whatever is wrong with it, the app works without it
        log.warning("outcome=not_started", exc_info=True)
        return None


def start(env: Mapping[str, str]) -> Providers | None:
    told = where(env)
    if told == OFF:
        return None
    if is_set_up():
        return _global()
    if _is_true(BY_THE_WORKER.of(env)):
        log.warning("outcome=not_started reason=the worker of the Functions host was to set it up and has not")
        return None
    if told == CONSOLE:
        from core.telemetry import console

        console.set_up()
        return _global()
    if told == AZURE_MONITOR and INSIGHTS.of(env):
        _set_up_azure_monitor(INSIGHTS.of(env))
        return _global()
    if told == AZURE_MONITOR:
        log.warning("outcome=not_started reason=%s is not set", INSIGHTS.name)
    return None


def is_set_up() -> bool:
    """Whether somebody has set up a provider of spans. Who never imported the API has not."""
    if "opentelemetry.trace" not in sys.modules:
        return False
    from opentelemetry import trace

    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _global() -> Providers:
    from opentelemetry import metrics, trace

    return Providers(trace.get_tracer_provider(), metrics.get_meter_provider())


def _set_up_azure_monitor(connection: str) -> None:
    """As the worker of the Functions host does it. By what identity it writes is in
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING, which the exporter reads by itself."""
    from azure.monitor.opentelemetry import configure_azure_monitor

    os.environ.update({**SAMPLING, **os.environ})  # the distribution takes it from there alone
    without = {name: {"enabled": False} for name in INSTRUMENTATIONS}
    configure_azure_monitor(connection_string=connection, instrumentation_options=without)


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "1", "t", "yes", "y")
