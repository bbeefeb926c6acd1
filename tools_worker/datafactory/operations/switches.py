"""Planning that a trigger is started or stopped."""

from __future__ import annotations

from datetime import datetime

from tools_worker.datafactory.models import Trigger
from tools_worker.datafactory.operations.grounds import Grounds, first
from tools_worker.datafactory.operations.model import Plan, Risk
from tools_worker.datafactory.operations.triggering import (
    AHEAD,
    MAX_DUE,
    STARTED,
    TUMBLING,
    concerned,
    due,
    left_behind,
    starts,
    state_fact,
    waiting_for,
)
from tools_worker.datafactory.schedules.words import described
from tools_worker.datafactory.wording import at, listed, safe

MANY_WINDOWS = 10  # more of them at once are a load that nobody may have reckoned with


async def plan_start(grounds: Grounds) -> Plan:
    """Raises NotFound with the closest names."""
    trigger = await grounds.trigger(grounds.given.name("trigger"))
    refusal = first(
        f"Trigger {trigger.name} is started already." if trigger.state == STARTED else "",
        f"Trigger {trigger.name} has no pipeline to start." if starts(trigger) == "no pipeline" else "",
    )
    behind = await left_behind(grounds.live, trigger, grounds.now) if not refusal else 0
    risk: Risk = "high" if behind > MANY_WINDOWS else "medium"
    return await _plan(grounds, trigger, "Start", refusal, risk, start_effects(trigger, behind, grounds.now))


async def plan_stop(grounds: Grounds) -> Plan:
    """Raises NotFound with the closest names."""
    trigger = await grounds.trigger(grounds.given.name("trigger"))
    state = safe(trigger.state, 40) or "unknown"
    refusal = f"Trigger {trigger.name} is not started: its state is {state}." if trigger.state != STARTED else ""
    waiting = waiting_for(trigger.name, await grounds.live.triggers())
    effects = (
        f"Trigger {trigger.name} is stopped: {starts(trigger)} is not started by it any more, until somebody starts "
        "the trigger again.",
        _passed(trigger, grounds.now),
        f"The windows of {listed(waiting)} wait for its windows, and so stand still too." if waiting else "",
        "Runs that are going on go on.",
    )
    return await _plan(grounds, trigger, "Stop", refusal, "medium", effects)


async def _plan(
    grounds: Grounds, trigger: Trigger, verb: str, refusal: str, risk: Risk, effects: tuple[str, ...]
) -> Plan:
    return grounds.plan(
        f"{verb} trigger {trigger.name}",
        {"trigger": trigger.name},
        effects=effects,
        facts={"trigger": trigger.name, "state": state_fact(trigger)},
        refusal=refusal,
        risk=risk,
        repeatable="yes",  # a trigger that is started cannot be started again
        **concerned([trigger], await grounds.live.pipelines()),
    )


def start_effects(trigger: Trigger, behind: int, now: datetime) -> tuple[str, ...]:
    coming = due(trigger, now, now + AHEAD)[:1]
    more = "at least " if behind >= MAX_DUE else ""
    return (
        f"Trigger {trigger.name} is started: from then on it starts {starts(trigger)} {described(trigger)}"
        f"{f', next at {at(coming[0])}' if coming else ''}.",
        f"Windows that fell due while it was stopped run at once: {more}{behind}." if behind else "",
    )


def _passed(trigger: Trigger, now: datetime) -> str:
    coming = due(trigger, now, now + AHEAD)[:1]
    if not coming:
        return ""
    if trigger.type == TUMBLING:
        return f"Its windows wait meanwhile, the next from {at(coming[0])} on, and run when it is started again."
    return f"Times that pass meanwhile are not made up for; the next is {at(coming[0])}."
