"""A trigger's schedule in words."""

from __future__ import annotations

from tools_worker.datafactory.models import Trigger
from tools_worker.datafactory.schedules.recurrence import DAYS, Recurrence
from tools_worker.datafactory.schedules.tumbling import Tumbling
from tools_worker.datafactory.wording import at, count, listed

_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}


def described(trigger: Trigger) -> str:
    """`every day at 02:00 (W. Europe Standard Time)`; what cannot be read is said."""
    if trigger.type == "ScheduleTrigger":
        recurrence = Recurrence.of(trigger.definition)
        return _recurrence(recurrence) if recurrence else "a recurrence that cannot be read"
    if trigger.type == "TumblingWindowTrigger":
        tumbling = Tumbling.of(trigger.definition)
        return _tumbling(tumbling) if tumbling else "windows that cannot be read"
    return {
        "BlobEventsTrigger": "when a blob event arrives",
        "CustomEventsTrigger": "when a custom event arrives",
        "ChainingTrigger": "when the pipelines it depends on have run",
    }.get(trigger.type, "a kind of trigger that is not known here")


def _recurrence(recurrence: Recurrence) -> str:
    words = [every(recurrence.frequency, recurrence.interval), _days(recurrence), _clock(recurrence)]
    zone = recurrence.zone.name + (" in place of an unknown zone" if recurrence.zone.caveat else "")
    ended = f", until {at(recurrence.end)}" if recurrence.end else ""
    return f"{' '.join(word for word in words if word)} ({zone}){ended}"


def _tumbling(tumbling: Tumbling) -> str:
    words = f"a window {every(tumbling.frequency, tumbling.interval)} since {at(tumbling.start)}"
    waits = [repr(each.trigger) if each.trigger else "its own earlier windows" for each in tumbling.depends_on]
    return words + (f", waiting for {listed(waits)}" if waits else "")


def every(frequency: str, interval: int) -> str:
    return f"every {frequency}" if interval == 1 else f"every {count(interval, frequency)}"


def _days(recurrence: Recurrence) -> str:
    parts = []
    if recurrence.week_days:
        parts.append("on " + listed([DAYS[day].capitalize() for day in recurrence.week_days], 7))
    if recurrence.month_days:
        days = ["the last day" if day == -1 else f"day {day}" for day in recurrence.month_days]
        parts.append("on " + listed(days, 8))
    if recurrence.occurrences:
        named = [f"the {_ORDINALS.get(n or 0, 'every')} {DAYS[day].capitalize()}" for day, n in recurrence.occurrences]
        parts.append("on " + listed(named))
    return " ".join(parts)


def _clock(recurrence: Recurrence) -> str:
    local = recurrence.start.astimezone(recurrence.zone.info)
    if recurrence.frequency in ("minute", "hour"):
        minutes = listed([f"{minute:02}" for minute in recurrence.minutes], 12)
        hours = listed([f"{hour:02}" for hour in recurrence.hours], 24)
        return " ".join(
            part for part in (f"at minutes {minutes}" if minutes else "", f"in hours {hours}" if hours else "") if part
        )
    times = [
        f"{hour:02}:{minute:02}"
        for hour in recurrence.hours or (local.hour,)
        for minute in recurrence.minutes or (local.minute,)
    ]
    return "at " + listed(times, 6)
