"""The backlog of a tumbling window trigger: the windows that wait, the one that blocks them, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.lateness import OVER, Window, open_windows
from tools_worker.datafactory.models import FAILED, SUCCEEDED, Trigger, TriggerRun
from tools_worker.datafactory.schedules import Tumbling
from tools_worker.datafactory.wording import at, safe

RUNNING = frozenset({"Inprogress", "InProgress", "Running"})
BROKEN = frozenset({FAILED, "Cancelled"})
MAX_DEPENDENCIES = 10


@dataclass(frozen=True, slots=True)
class Backlog:
    """`open`: windows that are due and have not succeeded, oldest first. Empty when all is well."""

    tumbling: Tumbling
    open: tuple[Window, ...]
    upstream: tuple[str, ...] = ()  # what is wrong with the triggers it waits for, ready for a sentence

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
) -> Backlog:
    """`runs` are those of the trigger itself, `fired` those of all, from which the ones it waits for are judged."""
    found = tuple(open_windows(tumbling, runs, since, now))
    return Backlog(tumbling, found, _upstream(tumbling, triggers, list(fired), since, now) if found else ())


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
    tumbling: Tumbling, triggers: Sequence[Trigger], fired: Sequence[TriggerRun], since: datetime, now: datetime
) -> tuple[str, ...]:
    found = (_wrong(each.trigger, triggers, fired, since, now) for each in tumbling.depends_on if each.trigger)
    return tuple(text for text in found if text)


def _wrong(name: str, triggers: Sequence[Trigger], fired: Sequence[TriggerRun], since: datetime, now: datetime) -> str:
    other = next((each for each in triggers if each.name == name), None)
    if other is None:
        return f"{name!r}, which does not exist"
    if other.state != "Started":
        return f"{name!r}, which is {(other.state or 'in an unknown state').lower()}"
    windows = Tumbling.of(other.definition)
    if windows is None:
        return ""
    left = open_windows(windows, [run for run in fired if run.trigger == name], since, now)
    failed = next((window for window in left if window.status in BROKEN), None)
    if failed is not None:
        run = f" (trigger run {failed.run.id})" if failed.run and failed.run.id else ""
        return f"{name!r}, whose window from {at(failed.begin)} {failed.word}{run}"
    return f"{name!r}, whose window from {at(left[0].begin)} {left[0].word}" if left else ""
