"""Schedule triggers whose due time came and no firing; each is over when its trigger fires again.

A trigger that is stopped is somebody's will, unless the policy says that what it starts matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator.incidents.checks.trouble import Findings, Trouble
from orchestrator.incidents.checks.turn import Turn
from orchestrator.incidents.record import Incident
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.lateness import GRACE, certain, missed, pipelines_of
from tools_worker.datafactory.models import Trigger, TriggerRun
from tools_worker.datafactory.schedules import Due, Recurrence
from tools_worker.datafactory.wording import at, count, listed

OVERLAP = 3 * GRACE  # due times of the last minutes were left to come at the check before


async def missed_times(factory: DataFactory, turn: Turn) -> Findings:
    begin = turn.since - OVERLAP
    triggers = [each for each in await factory.triggers() if _watched(factory.name, each, turn)]
    if not triggers and not turn.active:
        return Findings()
    fired = await factory.trigger_runs(min([begin - GRACE, *(each.opened_at for each in turn.active)]), None)
    over = {each.id: how for each in turn.active if (how := _end(each, fired))}
    if not fired.complete:  # what is not listed may have fired all the same
        return Findings(over=over)
    return Findings(tuple(_troubles(triggers, fired, begin, turn.now)), over)


def _watched(factory: str, trigger: Trigger, turn: Turn) -> bool:
    if trigger.type != "ScheduleTrigger":  # a window that is missed is kept by Data Factory, and made up for
        return False
    return trigger.state == "Started" or any(turn.matters(factory, name) for name in pipelines_of(trigger))


def _troubles(
    triggers: Iterable[Trigger], fired: Iterable[TriggerRun], begin: datetime, now: datetime
) -> Iterable[Trouble]:
    runs = list(fired)
    for trigger in triggers:
        recurrence = Recurrence.of(trigger.definition)
        own = [run for run in runs if run.trigger.casefold() == trigger.name.casefold()]
        last = max((run.at for run in own if run.at), default=None)
        gone = certain(missed(recurrence, own, begin, now)) if recurrence else []
        if still := [due for due in gone if last is None or due.at > last]:
            yield _trouble(trigger, still)


def _trouble(trigger: Trigger, dues: Sequence[Due]) -> Trouble:
    starts = tuple(pipelines_of(trigger))
    state = "" if trigger.state == "Started" else f" It is {(trigger.state or 'in an unknown state').lower()}."
    return Trouble(
        kind="missed",
        subject=trigger.name,
        at=dues[-1].at,
        title=f"{listed(list(starts), 3) or 'A pipeline'} did not start: trigger {trigger.name} did not fire",
        told=(
            f"Trigger {trigger.name!r}, which starts {listed(list(starts)) or 'no pipeline'}, did not fire at "
            f"{count(len(dues), 'due time')}, the first at {at(dues[0].at)}.{state}"
        ),
        resource=trigger.name,
        pipelines=starts,
    )


def _end(incident: Incident, fired: Iterable[TriggerRun]) -> str:
    later = [run for run in fired if run.trigger == incident.resource and run.at and run.at > incident.opened_at]
    return (
        f"Trigger {incident.resource!r} fired again, {at(later[-1].at)} (trigger run {later[-1].id})." if later else ""
    )
