"""Kills at every boundary: the app dies right before or right after a request of its own, and another one goes on."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.actions import workshop
from bench.actions.lane import Lane, Standin, lane
from bench.actions.verdict import Deeds, Ending, disagreements
from localcloud.storageproxy.faults import Fault
from localcloud.storageproxy.proxy import Exchange
from localcloud.storageproxy.wire import Request

HELD_SECONDS = 150  # an action is held for two minutes by whoever died
ADF_WRITE = re.compile(r"^POST .*/(createRun|cancel|start|stop)\?", re.IGNORECASE)
LOST_ANSWERS = ("reset", "error", "reset_after", "error_after")  # the app lives, and does not hear what became of it


@dataclass(frozen=True, slots=True)
class Deed:
    """What is asked for. `arguments` may name the run that failed, or the one that goes on."""

    name: str
    kind: str
    arguments: Mapping[str, Any]


DEEDS = (
    Deed("rerun from failure", "rerun", {"run_id": "{failed}", "mode": "from_failure"}),
    Deed("rerun whole", "rerun", {"run_id": "{failed}", "mode": "whole"}),
    Deed(
        "rerun from activity",
        "rerun",
        {"run_id": "{failed}", "mode": "from_activity", "activity": "CopyRows"},
    ),
    Deed(
        "run pipeline",
        "run_pipeline",
        {"pipeline": workshop.STARTED, "parameters": {"day": "2026-11-20"}},
    ),
    Deed("cancel", "cancel", {"run_id": "{going}"}),
    Deed("stop trigger", "stop_trigger", {"trigger": workshop.DAILY}),
    Deed("start trigger", "start_trigger", {"trigger": workshop.IDLE}),
    Deed("pause schedule", "pause_schedule", {"pipeline": workshop.PAUSED, "minutes": 2}),
)


@dataclass(frozen=True, slots=True)
class Point:
    """The so-manieth request of the app since the deed was asked for, and what happens to it."""

    deed: Deed
    number: int
    fault: str  # of the proxy: strike and strike_after kill, the others only lose the answer
    request: str = ""
    writes: bool = False  # the request changes something

    @property
    def kills(self) -> bool:
        return self.fault.startswith("strike")


@dataclass
class Tried:
    point: Point
    ending: Ending


@dataclass
class Watch:
    """The app's requests, and those that reached Data Factory to change something, each with its target."""

    seen: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    def see(self, exchange: Exchange) -> None:
        name = exchange.request.name
        self.seen.append(name)
        if ADF_WRITE.match(name):
            self.told[shown(name)] += 1


async def run(deeds: Sequence[Deed], lanes: int, reads: int, writes: int) -> list[Tried]:
    """Only at each so-manieth boundary of reads, and of writes: see `chosen`."""
    waiting = list(deeds)
    tried: list[Tried] = []

    async def serve(name: str) -> None:
        async with lane(name) as made:
            await attempt(made, Point(DEEDS[0], 0, ""))  # which makes the tables and the queue
            while waiting:
                deed = waiting.pop(0)
                for point in chosen(await points(made, deed), reads, writes):
                    tried.append(Tried(point, await attempt(made, point)))

    await asyncio.gather(*(serve(f"kills-{number}") for number in range(lanes)))
    return tried


async def points(made: Lane, deed: Deed) -> list[Point]:
    """By a first time in which nothing goes wrong."""
    watch = Watch()
    ending = await attempt(made, Point(deed, 0, ""), watch)
    if ending.state != "done" or disagreements(ending):
        raise RuntimeError(f"{deed.name} should be done where nothing goes wrong, and is {ending}")
    return list(boundaries(deed, watch.seen))


def boundaries(deed: Deed, seen: Sequence[str]) -> Iterator[Point]:
    """Before each request; behind those that change something: behind a read is before the next request."""
    for number, name in enumerate(seen, 1):
        after = ("strike_after",) if changes(name) else ()
        answers = LOST_ANSWERS if ADF_WRITE.match(name) else ()
        for fault in ("strike", *after, *answers):
            yield Point(deed, number, fault, shown(name), changes(name))


def chosen(points: Sequence[Point], reads: int, writes: int) -> list[Point]:
    """Each so-manieth of both, and all around what changes a factory."""
    doing = {point.number for point in points if not point.kills}
    near = {number + step for number in doing for step in (-1, 0, 1)}
    reading = [point for point in points if not point.writes][::reads]
    writing = [point for point in points if point.writes][::writes]
    kept = {id(point) for point in (*reading, *writing)}
    return [point for point in points if id(point) in kept or point.number in near]


def changes(name: str) -> bool:
    """What may change something: a question of Data Factory is a POST too."""
    reads = re.search(r"/(query\w+|getStatus|monitoringData)\?", name, re.IGNORECASE)
    return not name.startswith("GET ") and not reads


def shown(name: str) -> str:
    return re.sub(r"/subscriptions/.*/factories/", "", name.split("?")[0])


async def attempt(made: Lane, point: Point, watch: Watch | None = None) -> Ending:
    """The deed, struck at this point, told again, and what Data Factory shows of it then."""
    standin, app, watch = made.standin, made.instances[0], watch or Watch()
    await standin.reset()
    before = {run["runId"]: run for run in await standin.runs()}
    states = await standin.trigger_states()
    arguments = filled(point.deed.arguments, before.values())
    job = {"job": "story", "kind": point.deed.kind, "arguments": arguments, "key": secrets.token_hex(8)}
    made.proxy.watch = watch.see
    strike = Strike(point, app.kill)
    made.proxy.faults.arm(strike.fault)
    answer = await app.tell(job)
    made.proxy.faults.clear()
    if point.fault and not strike.struck:
        raise RuntimeError(f"{point} was never reached")
    died = answer is None
    if answer is None:
        await standin.turn_clock(HELD_SECONDS)
        answer = await app.tell(job)
        assert answer is not None  # nobody kills it now
    deeds = await done(standin, watch.told, before, states)
    return Ending.of(answer["record"], answer.get("end"), deeds, died=died, at=strike.struck)


class Strike:
    """What the proxy does at a point. `struck`: the request that it really hit, for some go out at once."""

    def __init__(self, point: Point, kill: Callable[[], None]) -> None:
        self._count, self._number, self.struck = 0, point.number, ""
        kind = point.fault or "delay"  # which is never its turn
        self.fault = Fault(kind, also=self._its_turn, then=lambda _: kill())

    def _its_turn(self, request: Request) -> bool:
        self._count += 1
        if self._count == self._number:
            self.struck = shown(request.name)
        return self._count == self._number


async def done(
    standin: Standin, told: Mapping[str, int], before: Mapping[str, Mapping[str, Any]], states: Mapping[str, str]
) -> Deeds:
    now = {run["runId"]: run for run in await standin.runs()}
    switched = await standin.trigger_states()
    return Deeds(
        told=dict(told),
        new_runs={run_id: run["status"] for run_id, run in now.items() if run_id not in before},
        cancelled=tuple(
            run_id for run_id, run in now.items() if run_id in before and run["status"] != before[run_id]["status"]
        ),
        switched={name: state for name, state in switched.items() if state != states[name]},
    )


def filled(arguments: Mapping[str, Any], runs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    statuses = {"{failed}": "Failed", "{going}": "InProgress"}
    known = list(runs)
    ids = {word: next(run["runId"] for run in known if run["status"] == wanted) for word, wanted in statuses.items()}
    return {name: ids.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
