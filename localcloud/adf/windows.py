"""Tumbling windows that wait: for the windows of other triggers, and for their own trigger's earlier ones.

A window waits until all those that it depends on have succeeded; one that failed holds it up until it is run again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from localcloud.adf.definitions import Json, timespan_seconds
from localcloud.adf.factory import Resource
from localcloud.adf.ledger import Ledger, TriggerRun
from localcloud.adf.schedule import Firing
from localcloud.adf.scopes import SUCCEEDED


@dataclass(frozen=True, slots=True)
class Dependency:
    """The windows of `trigger` between start + offset and as much later as `size` says; None: as its own window is."""

    trigger: str
    offset: timedelta = timedelta()
    size: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is due, with the id of the trigger run that it will be."""

    run_id: str
    trigger: Resource
    firing: Firing


class Waiting:
    """The windows of a factory that wait."""

    def __init__(self) -> None:
        self._windows: list[Window] = []

    def add(self, run_id: str, trigger: Resource, firing: Firing) -> TriggerRun:
        self._windows.append(Window(run_id, trigger, firing))
        kind, moment = str(trigger.properties.get("type")), firing.moment
        return TriggerRun(run_id, trigger.name, kind, moment, moment, {}, firing.window_start, waits=True)

    def freed(self, ledger: Ledger, now: datetime) -> Iterator[tuple[Window, datetime]]:
        """Those that need wait no longer, with the moment since when. Whoever asks starts each before asking for the
        next, which may have waited for it."""
        before = -1
        while before != len(self._windows):
            before = len(self._windows)
            for window in sorted(self._windows, key=lambda each: (each.firing.moment, each.run_id)):
                needs = dependencies(window.trigger.name, window.trigger.properties)
                ready = ready_at(window.firing, needs, ledger, now)
                if ready is not None:
                    self._windows.remove(window)
                    yield window, ready


def dependencies(trigger: str, properties: Json) -> tuple[Dependency, ...]:
    """Those of a tumbling window trigger; of others none."""
    if properties.get("type") != "TumblingWindowTrigger":
        return ()
    listed = (properties.get("typeProperties") or {}).get("dependsOn") or ()
    return tuple(_read(trigger, item) for item in listed)


def ready_at(firing: Firing, needs: tuple[Dependency, ...], ledger: Ledger, now: datetime) -> datetime | None:
    """When all that the window needs had succeeded; None: by now it has not."""
    moments = [firing.moment]
    for need in needs:
        for run in _needed(need, firing, ledger):
            end = _good_end(run, ledger, now)
            if end is None:
                return None
            moments.append(end)
    return max(moments)


def _read(trigger: str, item: Mapping[str, Any]) -> Dependency:
    reference = item.get("referenceTrigger") or {}
    return Dependency(str(reference.get("referenceName", trigger)), _span(item.get("offset")), _size(item.get("size")))


def _span(text: object) -> timedelta:
    """With a sign: the offset of a trigger to itself is negative."""
    told = str(text or "0:00:00")
    return timedelta(seconds=timespan_seconds(told.lstrip("-")) or 0) * (-1 if told.startswith("-") else 1)


def _size(text: object) -> timedelta | None:
    return _span(text) if text else None


def _needed(need: Dependency, firing: Firing, ledger: Ledger) -> Iterator[TriggerRun]:
    """The last run of each window; those before the beginning of the world are taken to have succeeded."""
    assert firing.window_start is not None
    begin = firing.window_start + need.offset
    end = begin + (need.size or firing.moment - firing.window_start)
    last: dict[datetime, TriggerRun] = {}
    for run in ledger.trigger_runs.values():
        start = run.window_start
        if run.trigger != need.trigger or start is None or not (start < end and run.scheduled_at > begin):
            continue
        if start not in last or last[start].fired_at < run.fired_at:
            last[start] = run
    yield from last.values()


def _good_end(run: TriggerRun, ledger: Ledger, now: datetime) -> datetime | None:
    if run.waits or run.cancelled:
        return None
    runs = [ledger.get(run_id, now) for run_id in run.run_ids.values()]
    ends = [each.end for each in runs if each is not None and each.status == SUCCEEDED]
    good = [end for end in ends if end is not None and end <= now]
    return max(good, default=run.fired_at) if len(good) == len(run.run_ids) else None
