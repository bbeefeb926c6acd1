"""The backlog of a tumbling window trigger: the windows that wait, the one that blocks them, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.lateness import OVER, Window, open_windows, window_start
from tools_worker.datafactory.models import FAILED, SUCCEEDED, Trigger, TriggerRun
from tools_worker.datafactory.schedules import Dependency, Tumbling
from tools_worker.datafactory.wording import at, safe

RUNNING = frozenset({"Inprogress", "InProgress", "Running"})
BROKEN = frozenset({FAILED, "Cancelled"})
MAX_DEPENDENCIES = 10


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What is wrong with a trigger that is waited for: in words that fit behind 'it waits for', and its run."""

    words: str
    run: TriggerRun | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """`open`: windows that are due and have not succeeded, oldest first. Empty when all is well."""

    tumbling: Tumbling
    open: tuple[Window, ...]
    upstream: tuple[Hindrance, ...] = ()

    @property
    def blocker(self) -> Window | None:
        """The window that holds up those after it: the oldest that failed, where the trigger depends on its own earlier
        windows; else the oldest that waits for another trigger."""
        if self.tumbling.waits_for_itself:
            broken = next((window for window in self.open if window.status in BROKEN), None)
            if broken is not None and _unfinished_after(self.open, broken):
                return broken
        return next((window for window in self.open if window.status == "WaitingOnDependency"), None)

    @property
    def waiting(self) -> tuple[Window, ...]:
        """Those that have not run, without the one that blocks them."""
        return tuple(window for window in self.open if window.status not in OVER | RUNNING and window != self.blocker)

    @property
    def at_its_limit(self) -> bool:
        """As many windows run as may run at once, so that the others wait for a place."""
        limit = self.tumbling.concurrency
        return limit is not None and 0 < limit <= sum(window.status in RUNNING for window in self.open)


def backlog_of(
    tumbling: Tumbling,
    runs: Iterable[TriggerRun],
    since: datetime,
    now: datetime,
    triggers: Sequence[Trigger] = (),
    fired: Iterable[TriggerRun] = (),
    *,
    on_record: bool = False,
) -> Backlog:
    """`runs` are those of the trigger itself, `fired` those of all, from which the ones it waits for are judged.
    `on_record` leaves out windows from before the oldest run: nobody can say how they went."""
    mine = list(runs)
    found = tuple(open_windows(tumbling, mine, since, now))
    if on_record:
        begun = [begin for run in mine if (begin := window_start(run)) is not None]
        found = tuple(window for window in found if begun and window.begin >= min(begun))
    waiting = next((window for window in found if window.status not in OVER | RUNNING), None)
    upstream = _upstream(tumbling, waiting, triggers, list(fired), now) if waiting else ()
    return Backlog(tumbling, found, upstream)


def unmet(run: TriggerRun | None) -> dict[str, str]:
    """Of a window's run: what it waits for and how that stands, as far as ADF tells; masked and cut."""
    told = {str(name): _state(state) for name, state in (run.dependencies if run else {}).items()}
    met = {SUCCEEDED.casefold(), "ready"}
    left = {safe(name, 80): safe(state, 40) for name, state in told.items() if state.casefold() not in met}
    return dict(list(left.items())[:MAX_DEPENDENCIES])


def _state(raw: Any) -> str:
    if isinstance(raw, Mapping):
        return next((found for key in ("status", "Status") if (found := fields.text(raw, key))), "unknown")
    return raw if isinstance(raw, str) and raw else "unknown"


def _unfinished_after(windows: Sequence[Window], broken: Window) -> bool:
    return any(window.begin > broken.begin and window.status not in OVER for window in windows)


def _upstream(
    tumbling: Tumbling, waiting: Window, triggers: Sequence[Trigger], fired: Sequence[TriggerRun], now: datetime
) -> tuple[Hindrance, ...]:
    others = (each for each in tumbling.depends_on if each.trigger)
    found = (_wrong(each, waiting, triggers, fired, now) for each in others)
    return tuple(each for each in found if each is not None)


def _wrong(
    need: Dependency, waiting: Window, triggers: Sequence[Trigger], fired: Sequence[TriggerRun], now: datetime
) -> Hindrance | None:
    """Of the windows of another trigger that this one needs: the first that has not succeeded."""
    name = need.trigger
    other = next((each for each in triggers if each.name == name), None)
    if other is None:
        return Hindrance(f"{name!r}, which does not exist")
    windows = Tumbling.of(other.definition)
    if windows is None:
        return None
    begin = waiting.begin + need.offset
    end = begin + (need.size or waiting.end - waiting.begin)
    due = open_windows(windows, [run for run in fired if run.trigger == name], begin, now)
    left = [window for window in due if window.begin < end and window.end > begin]
    if not left:
        return None
    run = left[0].run
    told = f"{name!r}, whose window from {at(left[0].begin)} {left[0].word}"
    state = "" if other.state == "Started" else f" and which is {(other.state or 'in an unknown state').lower()}"
    return Hindrance(f"{told}{f' (trigger run {run.id})' if run and run.id else ''}{state}", run)
