"""Whatever is in no known shape: kept and shown, with what can be guessed of it."""

from __future__ import annotations

import json
from datetime import datetime

from orchestrator.alerts.record import Alert, digest
from orchestrator.alerts.shapes.places import Names
from orchestrator.alerts.shapes.times import first, when_told
from orchestrator.alerts.shapes.told import Source, Told, alert, trimmed
from tools_worker.datafactory.fields import sound

TIMES = ("firedDateTime", "eventTimestamp", "eventTime", "timestamp", "time", "at")
TITLES = ("title", "alertrule", "alertname", "rulename", "name", "subject", "message", "text")


def read(body: object, received_at: datetime, source: Source) -> Alert:
    names = Names(body)
    told = Told(
        instance=fingerprint(body),
        title=next(iter(names.every(TITLES)), "") or "A message in an unknown shape",
        rule=names.first(("alertrule", "alertname", "rulename", "schemaid")),
        factory=names.factory,
        pipeline=names.pipeline,
        run_ids=names.run_ids(),
        details={"told": body},
    )
    return alert(source, "unknown", told, when_told(first(body, *TIMES), received_at), received_at)


def fingerprint(body: object) -> str:
    """The same for the same JSON."""
    try:
        plain = json.dumps(body, sort_keys=True)
    except (RecursionError, TypeError, ValueError):  # too deep, or no JSON at all
        plain = json.dumps(trimmed({"told": body}))
    return digest(sound(plain))
