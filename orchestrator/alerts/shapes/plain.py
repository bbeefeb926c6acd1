"""The plain shape, for a Web activity of a pipeline, a script, or anything else that can send JSON.

    {"pipeline": "…", "run_id": "…", "factory": "…", "activity": "…", "message": "…", "status": "Failed", "at": "…"}

A pipeline or a run id is enough. Names may be spelled in any way (`runId`, `PipelineName`, `DataFactoryName`), a status
such as `Succeeded` says that it is over; `severity` (0 to 4), `rule` and `link` are taken too, and what else there is
is kept.
"""

from __future__ import annotations

from datetime import datetime

from orchestrator.alerts.record import Alert, digest
from orchestrator.alerts.shapes.places import Names
from orchestrator.alerts.shapes.times import DEFAULT_WINDOW, first, when_told, window
from orchestrator.alerts.shapes.told import Told, alert, severity
from tools_worker.datafactory.fields import sound

OVER = ("succeeded", "success", "successful", "resolved", "ok", "completed", "complete", "recovered")
TIMES = ("at", "time", "timestamp", "endTime", "end_time", "end")


def over(status: str) -> bool:
    return status.strip().lower() in OVER


def is_plain(body: object) -> bool:
    names = Names(body)
    return bool(names.pipeline or names.run_ids())


def read(body: object, received_at: datetime) -> Alert:
    names = Names(body)
    activity, status = names.first(("activity", "activityname")), names.first(("status",))
    message = " ".join(names.every(("message", "error", "errormessage"))[:1])
    at = when_told(first(body, *TIMES), received_at)
    since, until = window(None, None, at, DEFAULT_WINDOW)
    told = Told(
        # Two messages about no run in particular are two alerts, unless they say the same.
        instance=digest(*map(sound, (names.factory, names.pipeline, activity, *(names.run_ids() or [message])))),
        title=_title(names, activity, status),
        rule=names.first(("rule", "alertrule")) or "told by a caller",
        severity=severity(names.first(("severity",))),
        factory=names.factory,
        pipeline=names.pipeline,
        run_ids=names.run_ids(),
        ended=over(status),
        since=since,
        until=until,
        dimensions={"activity": activity} if activity else {},
        link=" ".join(names.every(("link", "url"))[:1]),
        details={"message": message, "status": status, "told": body},
    )
    return alert("plain", "plain", told, at, received_at)


def _title(names: Names, activity: str, status: str) -> str:
    what = f"{activity} of {names.pipeline}" if activity and names.pipeline else activity or names.pipeline or "A run"
    return f"{what}: {status}" if status else f"{what} is in trouble"
