"""Tumbling windows that are due and have not begun, for longer than one window takes; over when none waits so long.

A window that runs is told by its run, when that is stuck or fails. What is told here holds up the windows behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.incidents.checks.trouble import Findings, Trouble
from orchestrator.incidents.checks.turn import Turn
from orchestrator.incidents.record import Incident
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.lateness import OVER, pipelines_of
from tools_worker.datafactory.masking import mask
from tools_worker.datafactory.models import Trigger
from tools_worker.datafactory.period import RETENTION_DAYS
from tools_worker.datafactory.punctuality.backlog import RUNNING, Backlog, backlog_of, unmet
from tools_worker.datafactory.punctuality.checks import Checked
from tools_worker.datafactory.punctuality.words import told
from tools_worker.datafactory.schedules import Tumbling
from tools_worker.datafactory.wording import count, listed

LOOK_BACK = timedelta(days=RETENTION_DAYS - 1)
MAX_RUNS = 100  # of a trigger, the newest: one query; windows from before them are not judged
SHORTEST, LONGEST = timedelta(minutes=30), timedelta(hours=6)  # small windows wait some minutes, a day is too long


@dataclass(frozen=True, slots=True)
class _Held:
    """A trigger, its windows that have not succeeded, and since when the oldest of those not begun is late."""

    trigger: Trigger
    backlog: Backlog
    late_since: datetime | None


async def waiting(factory: DataFactory, turn: Turn) -> Findings:
    triggers = await factory.triggers()
    watched = sorted(
        (each for each in triggers if _watched(factory, each, turn)), key=lambda e: _rank(factory, e, turn)
    )
    looked = watched[: turn.queries - 1]
    found = await asyncio.gather(*(_held(factory, each, turn.now) for each in looked))
    late = [each for each in found if each is not None and each.late_since is not None]
    troubles = tuple(_trouble(factory, each, each.late_since, turn.now) for each in late if each.late_since)
    unseen = {each.name for each in watched} - {each.trigger.name for each in found if each is not None}
    still = unseen | {each.trigger.name for each in late}
    over = {each.id: _end(each, triggers, watched) for each in turn.active if each.resource not in still}
    left = len(watched) - len(looked)
    return Findings(troubles, over, left_out=count(left, "tumbling window trigger") if left else "")


def _watched(factory: DataFactory, trigger: Trigger, turn: Turn) -> bool:
    """One that is stopped is somebody's will, unless what it starts matters."""
    if trigger.type != "TumblingWindowTrigger":
        return False
    return trigger.state == "Started" or any(turn.matters(factory.name, name) for name in pipelines_of(trigger))


def _rank(factory: DataFactory, trigger: Trigger, turn: Turn) -> tuple[bool, int, str]:
    severities = [turn.severity(factory.name, name) for name in pipelines_of(trigger)]
    return trigger.name not in {each.resource for each in turn.active}, min(severities, default=4), trigger.name


async def _held(factory: DataFactory, trigger: Trigger, now: datetime) -> _Held | None:
    """None where its windows cannot be read."""
    tumbling = Tumbling.of(trigger.definition)
    if tumbling is None:
        return None
    runs = await factory.trigger_runs(now - LOOK_BACK, trigger=trigger.name, limit=MAX_RUNS)
    backlog = backlog_of(tumbling, runs, now - LOOK_BACK, now, on_record=True)
    return _Held(trigger, backlog, _late_since(backlog, now))


def _late_since(backlog: Backlog, now: datetime) -> datetime | None:
    idle = [window for window in backlog.open if window.status not in OVER | RUNNING]
    moments = (
        window.end + backlog.tumbling.delay + min(max(window.end - window.begin, SHORTEST), LONGEST) for window in idle
    )
    return min((moment for moment in moments if moment <= now), default=None)


def _trouble(factory: DataFactory, each: _Held, since: datetime, now: datetime) -> Trouble:
    starts = tuple(pipelines_of(each.trigger))
    return Trouble(
        kind="late",
        subject=each.trigger.name,
        at=since,
        title=f"{listed(list(starts), 3) or 'A pipeline'} is late: windows of trigger {each.trigger.name} wait",
        told=mask(f"{told(Checked(factory.name, each.trigger, backlog=each.backlog), now)}{_needs(each.backlog)}"),
        resource=each.trigger.name,
        pipelines=starts,
    )


def _needs(backlog: Backlog) -> str:
    """What the oldest one that waits for other triggers has not got, as far as Data Factory tells."""
    run = next((window.run for window in backlog.open if window.status == "WaitingOnDependency"), None)
    names = [f"{name} ({state})" for name, state in unmet(run).items()]
    return f" Not there yet: {listed(names, 3)}." if names else ""


def _end(incident: Incident, triggers: Sequence[Trigger], watched: Sequence[Trigger]) -> str:
    trigger = next((each for each in triggers if each.name == incident.resource), None)
    if trigger is None:
        return f"Trigger {incident.resource!r} does not exist any more."
    if trigger not in watched:
        return f"Trigger {incident.resource!r} is {(trigger.state or 'in an unknown state').lower()}."
    return f"No window of trigger {incident.resource!r} waits that long any more."
