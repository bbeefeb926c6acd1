"""What a trigger starts and when, as far as plans need it: due times ahead, windows left behind, who waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.definitions import started_by
from tools_worker.datafactory.lateness import window_start
from tools_worker.datafactory.models import Pipeline, Trigger
from tools_worker.datafactory.operations.grounds import KEPT, annotations_of, fingerprint
from tools_worker.datafactory.schedules import Recurrence, Tumbling
from tools_worker.datafactory.wording import listed

STARTED = "Started"
SCHEDULE, TUMBLING = "ScheduleTrigger", "TumblingWindowTrigger"
TIMED = frozenset({SCHEDULE, TUMBLING})
MAX_DUE = 1000
AHEAD = timedelta(days=62)
MAX_TOLD = 8


def due(trigger: Trigger, after: datetime, until: datetime) -> list[datetime]:
    """When it would fire, at most so many; a tumbling window at its end and its delay. Of other kinds nobody knows."""
    if trigger.type == SCHEDULE and (recurrence := Recurrence.of(trigger.definition)) is not None:
        return [each.at for each in islice(recurrence.due(after, until), MAX_DUE)]
    if trigger.type == TUMBLING and (tumbling := Tumbling.of(trigger.definition)) is not None:
        return [end + tumbling.delay for _, end in islice(tumbling.windows(after, until), MAX_DUE)]
    return []


async def left_behind(live: DataFactory, trigger: Trigger, now: datetime) -> int:
    """Windows of a tumbling trigger that fell due while it was stopped: they run as soon as it is started."""
    tumbling = Tumbling.of(trigger.definition) if trigger.type == TUMBLING else None
    if tumbling is None:
        return 0
    runs = await live.trigger_runs(now - KEPT, trigger=trigger.name)
    begun = [begin for run in runs if (begin := window_start(run)) is not None]
    last = max(begun, default=tumbling.start - timedelta(microseconds=1))
    windows = islice(tumbling.windows(min(last, now), now), MAX_DUE)
    return sum(begin > last for begin, _ in windows)


def waiting_for(trigger: str, triggers: Iterable[Trigger]) -> list[str]:
    """Other triggers whose windows wait for this one's."""
    found = ((each, Tumbling.of(each.definition)) for each in triggers if each.type == TUMBLING)
    return sorted(each.name for each, its in found if its and any(need.trigger == trigger for need in its.depends_on))


def starts(trigger: Trigger) -> str:
    return listed(started_by(trigger), MAX_TOLD) or "no pipeline"


def state_fact(trigger: Trigger) -> str:
    """With what it is defined as, its state apart."""
    told = {key: value for key, value in trigger.definition.items() if key != "runtimeState"}
    return f"{trigger.state or 'state unknown'}, version {fingerprint(told)}"


def concerned(triggers: Sequence[Trigger], pipelines: Iterable[Pipeline], first: str = "") -> Mapping[str, object]:
    """For a plan: every pipeline that they start, and the annotations of all of them."""
    named = tuple(dict.fromkeys([*([first] if first else []), *(n for each in triggers for n in started_by(each))]))
    known = {each.name: each for each in pipelines}
    noted = dict.fromkeys(note for name in named for note in annotations_of(known.get(name)))
    return {"pipeline": named[0] if named else "", "pipelines": named, "annotations": tuple(noted)}
