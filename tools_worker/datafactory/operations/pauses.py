"""Planning a pause of a pipeline's schedule, and its end: its timed triggers are stopped, and started again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from tools_worker.datafactory.client import resolve_pipeline
from tools_worker.datafactory.definitions import callers, started_by, starters
from tools_worker.datafactory.models import Pipeline, Trigger
from tools_worker.datafactory.operations.grounds import Grounds, first
from tools_worker.datafactory.operations.model import Plan
from tools_worker.datafactory.operations.switches import start_effects
from tools_worker.datafactory.operations.triggering import (
    STARTED,
    TIMED,
    TUMBLING,
    concerned,
    due,
    left_behind,
    starts,
    state_fact,
)
from tools_worker.datafactory.schedules.words import described
from tools_worker.datafactory.wording import at, count, listed, safe, sentences

LONGEST = 7 * 24 * 60  # minutes; what is to stay off for longer is stopped, not paused
MAX_TOLD = 10


async def plan_pause(grounds: Grounds) -> Plan:
    """Raises NotFound with the closest names."""
    minutes = grounds.given.whole("minutes", 1, LONGEST)
    name = await resolve_pipeline(grounds.live, grounds.given.name("pipeline"))
    triggers, pipelines = await asyncio.gather(grounds.live.triggers(), grounds.live.pipelines())
    mine = starters(name, triggers)
    stopped = [each for each in mine if each.state == STARTED and each.type in TIMED]
    until = grounds.now + timedelta(minutes=minutes)
    return grounds.plan(
        f"Pause the schedule of {name} for {count(minutes, 'minute')}",
        {"pipeline": name, "minutes": minutes, "triggers": [each.name for each in stopped]},
        effects=(
            *(_stopped(each, name) for each in stopped),
            f"The pause ends {count(minutes, 'minute')} after it was begun, at {at(until)} if that were now: then "
            "these triggers are to be started again.",
            *(_missed(each, grounds.now, until) for each in stopped),
            _still(name, mine, pipelines),
            "Runs that are going on go on.",
        ),
        facts={"pipeline": name, **{f"trigger {each.name}": state_fact(each) for each in stopped}},
        refusal="" if stopped else _nothing(name, mine),
        risk="medium",
        repeatable="yes",
        **concerned(stopped, pipelines, name),
    )


async def plan_resume(grounds: Grounds) -> Plan:
    """Raises NotFound with the closest names."""
    name = await resolve_pipeline(grounds.live, grounds.given.name("pipeline"))
    triggers, pipelines = await asyncio.gather(grounds.live.triggers(), grounds.live.pipelines())
    mine = [each for each in starters(name, triggers) if each.type in TIMED]
    still = [each for each in mine if each.state != STARTED]
    wanted = {given.casefold() for given in grounds.given.names("triggers")}
    chosen = [each for each in still if each.name.casefold() in wanted] if wanted else still
    behind = [await left_behind(grounds.live, each, grounds.now) for each in chosen]
    return grounds.plan(
        f"Resume the schedule of {name}",
        {"pipeline": name, "triggers": [each.name for each in chosen]},
        effects=tuple(
            effect
            for each, left in zip(chosen, behind, strict=True)
            for effect in (*start_effects(each, left, grounds.now), _others(each, name))
        ),
        facts={"pipeline": name, **{f"trigger {each.name}": state_fact(each) for each in chosen}},
        refusal=first(
            _unknown(name, grounds.given.names("triggers"), mine),
            f"Every schedule of {name} is started already." if mine and not still else "",
            f"{name} has no schedule: no trigger starts it at a time." if not mine else "",
            f"All of them are started already: {listed([each.name for each in mine], MAX_TOLD)}." if not chosen else "",
            f"Several triggers of {name} are stopped, perhaps some for a reason: say which of {_names(still)}."
            if not wanted and len(still) > 1
            else "",
        ),
        risk="medium",
        repeatable="yes",
        **concerned(chosen, pipelines, name),
    )


def _unknown(pipeline: str, wanted: Sequence[str], mine: Sequence[Trigger]) -> str:
    known = {each.name.casefold() for each in mine}
    strange = [safe(name, 80) for name in wanted if name.casefold() not in known]
    return f"No timed trigger of {pipeline} is named {listed(strange)}. It has {_names(mine)}." if strange else ""


def _names(triggers: Sequence[Trigger]) -> str:
    return listed([each.name for each in triggers], MAX_TOLD) or "none"


def _stopped(trigger: Trigger, pipeline: str) -> str:
    text = f"Trigger {trigger.name}, which starts {starts(trigger)} {described(trigger)}, is stopped."
    return sentences(text, _others(trigger, pipeline))


def _others(trigger: Trigger, pipeline: str) -> str:
    others = [name for name in started_by(trigger) if name != pipeline]
    return f"This concerns {listed(others)} too, not {pipeline} alone." if others else ""


def _missed(trigger: Trigger, now: datetime, until: datetime) -> str:
    times = due(trigger, now, until)
    if not times:
        return f"Nothing of {trigger.name} falls due before that."
    if trigger.type == TUMBLING:
        return f"{count(len(times), 'window')} of {trigger.name} wait until then, and run afterwards."
    left_out = f"{count(len(times), 'time')} of {trigger.name} {'is' if len(times) == 1 else 'are'} left out"
    return f"{left_out}, the first {at(times[0])}."


def _still(pipeline: str, mine: Sequence[Trigger], pipelines: Sequence[Pipeline]) -> str:
    """What goes on starting it."""
    events = [each.name for each in mine if each.state == STARTED and each.type not in TIMED]
    parents = callers(pipeline, pipelines)
    told = [f"trigger {name}, at events" for name in events] + [f"pipeline {name}, which calls it" for name in parents]
    return f"It is still started by {listed(told, MAX_TOLD)}." if told else ""


def _nothing(pipeline: str, mine: Sequence[Trigger]) -> str:
    timed = [each for each in mine if each.type in TIMED]
    if timed:
        return (
            f"The schedule of {pipeline} is not on: {_names(timed)} {'is' if len(timed) == 1 else 'are'} not started."
        )
    return f"{pipeline} has no schedule to pause: no trigger starts it at a time."
