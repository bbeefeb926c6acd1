"""What started a run, whether it will start it again, and who waits behind its window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tools_worker.datafactory.diagnosis.estate import Estate
from tools_worker.datafactory.models import PipelineRun, Trigger
from tools_worker.datafactory.schedules.recurrence import Recurrence
from tools_worker.datafactory.schedules.tumbling import Tumbling
from tools_worker.datafactory.schedules.words import described
from tools_worker.datafactory.wording import at


def trigger_of(run: PipelineRun, parents: Sequence[PipelineRun], estate: Estate) -> Trigger | None:
    """Of the outermost run: a child is started by its parent."""
    name = outermost(run, parents).invoked_by.name
    return next((trigger for trigger in estate.triggers if trigger.name == name), None)


def outermost(run: PipelineRun, parents: Sequence[PipelineRun]) -> PipelineRun:
    return parents[-1] if parents else run


def told(run: PipelineRun, parents: Sequence[PipelineRun], estate: Estate, now: datetime) -> tuple[str, ...]:
    trigger = trigger_of(run, parents, estate)
    if trigger is None:
        return ()
    if trigger.state and trigger.state != "Started":
        return (f"Its trigger {trigger.name} is {trigger.state} now: no further run starts by itself.",)
    upcoming = _next(trigger, now)
    after = f"; the next one is due at {at(upcoming)}" if upcoming else ""
    return (f"Trigger {trigger.name} started it ({described(trigger)}){after}.",)


def windows_behind(run: PipelineRun, parents: Sequence[PipelineRun], estate: Estate) -> tuple[str, ...]:
    """A tumbling window that waits for the ones before it stands still until this one is done."""
    trigger = trigger_of(run, parents, estate)
    tumbling = Tumbling.of(trigger.definition) if trigger is not None else None
    if trigger is None or tumbling is None or not tumbling.waits_for_itself:
        return ()
    return (f"Later windows of trigger {trigger.name} wait for this one.",)


def _next(trigger: Trigger, now: datetime) -> datetime | None:
    recurrence = Recurrence.of(trigger.definition) if trigger.type == "ScheduleTrigger" else None
    upcoming = recurrence.next(now, 1) if recurrence is not None else ()
    return upcoming[0].at if upcoming else None
