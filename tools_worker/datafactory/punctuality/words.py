"""What was missed, waits, is late or was not kept, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tools_worker.datafactory.activity_log import who
from tools_worker.datafactory.lateness import certain, pipelines_of
from tools_worker.datafactory.punctuality.agreed import Held, Kept, ended_at
from tools_worker.datafactory.punctuality.backlog import Backlog
from tools_worker.datafactory.punctuality.checks import Checked, Late
from tools_worker.datafactory.wording import age, at, count, lasted, listed, sentences

MAX_TIMES = 6
MAX_LATE = 3


def kept_told(kept: Kept, now: datetime) -> str:
    head = f"{kept.pipeline} in {kept.factory}, agreed to end well by {kept.agreed:%H:%M} ({kept.zone})"
    over = [day for day in kept.days if day.state != "open"]
    bad = [day for day in over if day.state != "met"]
    waiting = [day for day in kept.days if day.state == "open"]
    if not kept.days:
        return f"{head}: no agreed time lies in the window."
    if not over:
        return sentences(f"{head}: {_day_told(waiting[-1], now)}.")
    newest = [] if bad and bad[-1] is over[-1] else [f"the newest time {_day_told(over[-1], now)}"]
    days = [_day_told(day, now) for day in reversed(bad)]
    return sentences(
        f"{head}: in time on {len(over) - len(bad)} of {count(len(over), 'day')}.",
        f"Not in time: {listed(days, MAX_TIMES)}." if days else "",
        *(f"{text[0].upper()}{text[1:]}." for text in newest),
        *(f"{text[0].upper()}{text[1:]}." for text in (_day_told(day, now) for day in waiting)),
    )


def _day_told(day: Held, now: datetime) -> str:
    run = day.run
    named = f"run {run.run_id}" if run else ""
    when = f"{day.day.isoformat()} (due {at(day.due)})"
    if day.state == "met" and run:
        return f"{when} was met: {named} ended {at(ended_at(run))}"
    if day.state == "late" and run and day.late_by is not None:
        by = lasted(round(day.late_by.total_seconds() * 1000))
        return f"{when} was missed by {by}: {named} ended {at(ended_at(run))}"
    if run is None:
        return f"{when} {'is still to come' if day.state == 'open' else 'was missed'}: no run began"
    since = f" since {at(run.start)}, for {age(run.start, now)}" if run.unfinished and run.start else ""
    state = f"{named} {'is' if run.unfinished else 'ended'} {run.status or 'in an unknown status'}{since}"
    return f"{when} {'is still to come' if day.state == 'open' else 'was missed'}: {state}"


def _deeds_told(each: Checked) -> str:
    """The newest stop, and the start after it."""
    stop = next((deed for deed in each.deeds if deed.operation == "stop"), None)
    start = next((deed for deed in each.deeds if deed.operation == "start"), None)
    if stop is None:
        return ""
    again = start is not None and start.at is not None and stop.at is not None and start.at > stop.at
    after = f" and {who(start)} started it again at {at(start.at)}" if again and start is not None else ""
    return f"{who(stop)} stopped it at {at(stop.at)}{after}"


def told(each: Checked, now: datetime) -> str:
    name = f"{each.trigger.name!r} in {each.factory!r}"
    starts = f", which starts {listed(list(pipelines_of(each.trigger)))}" if pipelines_of(each.trigger) else ""
    state = "" if each.started else f" is {(each.trigger.state or 'in an unknown state').lower()};"
    windows = _windows_told(each.backlog, now) if each.backlog and each.backlog.open else ""
    parts = [_missed_told(each), windows, _failed_told(each), _silent_told(each), _deeds_told(each)]
    body = "; ".join(part for part in parts if part)
    doubt = each.doubt.rstrip(".")
    if not body:
        return f"{name}{starts}:{state} cannot be judged, {doubt}."
    return f"{name}{starts}:{state} {body}{f' ({doubt})' if doubt else ''}."


def _missed_told(each: Checked) -> str:
    sure = certain(each.missed)
    unsure = len(each.missed) - len(sure)
    parts = []
    if sure:
        times = listed([at(due.at) for due in sure[:MAX_TIMES]] + [""] * (len(sure) - MAX_TIMES), MAX_TIMES)
        parts.append(f"{count(len(sure), 'due time')} without a run, at {times}")
    if unsure:
        parts.append(f"{count(unsure, 'time')} that a clock change or an undocumented rule makes unsure had no run")
    return "; ".join(parts)


def _silent_told(each: Checked) -> str:
    """Since when nothing fired, where times were missed or the trigger is off."""
    if each.silence is not None:
        before, after = each.silence
        since = f" between {at(before.at)} and {at(after.at)}" if before else f" before {at(after.at)}"
        return f"nothing fired{since}, when it fired again (trigger run {after.id})"
    if not each.last_known or not (each.missed or not each.started):
        return ""
    if each.last is None:
        return "it has not fired in the 45 days that are kept"
    run = f" (trigger run {each.last.id})" if each.last.id else ""
    return f"it last fired {at(each.last.at)}{run}"


def _windows_told(backlog: Backlog, now: datetime) -> str:
    statuses = sorted({window.status for window in backlog.open})
    counts = ", ".join(f"{sum(window.status == status for window in backlog.open)} {status}" for status in statuses)
    oldest = backlog.open[0]
    parts = [
        f"{count(len(backlog.open), 'window')} due and not succeeded ({counts}), the oldest from {at(oldest.begin)}, "
        f"due for {age(oldest.end, now)}",
        _blocker_told(backlog),
        f"it waits for {listed([each.words for each in backlog.upstream])}" if backlog.upstream else "",
        f"as many windows run as may run at once ({backlog.tumbling.concurrency})" if backlog.at_its_limit else "",
    ]
    return "; ".join(part for part in parts if part)


def _blocker_told(backlog: Backlog) -> str:
    blocked = backlog.blocker
    if blocked is None:
        return ""
    run = f", trigger run {blocked.run.id}, since {at(blocked.run.at)}" if blocked.run and blocked.run.id else ""
    after = [window for window in backlog.waiting if window.begin > blocked.begin]
    those = f"{count(len(after), 'window')} after it wait{'s' if len(after) == 1 else ''} for" if after else "next is"
    return f"{those} the window from {at(blocked.begin)}, which {blocked.word}{run}"


def _failed_told(each: Checked) -> str:
    if not each.failed:
        return ""
    newest = each.failed[0]
    head = f"{count(len(each.failed), 'firing')} failed to start its pipelines"
    return f"{head}, the newest at {at(newest.at)} (trigger run {newest.id})"


def late_told(late: Sequence[Late]) -> str:
    runs = [
        f"{each.run.pipeline} in {each.factory} run {each.run.run_id} "
        f"{'has run' if each.run.unfinished else 'took'} {lasted(round(each.took * 1000))} "
        f"(usually {lasted(round(each.usual.p50 * 1000))})"
        for each in late[:MAX_LATE]
    ]
    more = f"; {len(late) - MAX_LATE} more" if len(late) > MAX_LATE else ""
    return f"Late by their own history: {'; '.join(runs)}{more}." if runs else ""
