"""The storm: a seeded deck of strokes, each of which spoils one thing. One is played as each question is asked."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.chaos import calls
from bench.chaos.instances import owner
from bench.chaos.world import World
from localcloud.storageproxy.faults import Fault
from localcloud.storageproxy.wire import Request

AGENTS: tuple[dict[str, Any], ...] = (
    {"no_reply": 1},
    {"late_reply": {"count": 1, "ms": 1500}},
    {"duplicate_reply": 1},
    {"duplicate_call": 1},
    {"malformed_reply": 1},
    {"http_429": {"count": 2, "retry_after": 1}},
    {"http_429": {"count": 1}},
    {"http_500": 2},
    {"http_500_after": 1},
    {"http_500_after": {"count": 1, "match": "POST /threads"}},
    {"connection_reset": 2},
    {"connection_reset_after": 1},
    {"connection_reset_after": {"count": 1, "match": "POST /threads/{thread}/runs"}},
    {"stream_cut": {"count": 1, "events": 3}},
    {"run_failed": 1},
    {"run_expired": 1},
    {"depth_error": 1},
    {"content_filter": 1},
    {"slow_child": {"count": 1, "ms": 3000}},
)
DATA_FACTORY: tuple[dict[str, Any], ...] = (
    {"status": 429, "retry_after": "1", "count": 2},
    {"status": 429, "count": 1},
    {"status": 500, "count": 2},
    {"status": 503, "count": 1},
    {"kind": "delay", "seconds": 2, "count": 2},
    {"kind": "reset", "count": 2},
    {"kind": "partial", "count": 1},
)
# What the app does with storage. The agent service's own steps (putting calls, taking replies) are not its to mend.
STEPS = {
    "question_recorded": r"^(POST|PUT|PATCH) /[^/]+/(\$batch|runs|activeruns)",
    "session_written": r"^(POST|PUT|PATCH|MERGE) /[^/]+/sessions",
    "question_queued": r"^POST /[^/]+/run-requests/messages",
    "question_taken": r"^GET /[^/]+/run-requests/messages",
    "question_done_with": r"^DELETE /[^/]+/run-requests/messages",
    "call_taken": r"^GET /[^/]+/azure-function-[a-z0-9-]+-input/messages",
    "answer_claimed": r"^POST /[^/]+/toolanswers",
    "reply_sent": r"^POST /[^/]+/azure-function-[a-z0-9-]+-output/messages",
    "call_done_with": r"^DELETE /[^/]+/azure-function-[a-z0-9-]+-input/messages",
    "record_read": r"^GET /[^/]+/runs\(",
}
STORAGE = (
    {"kind": "delay", "ms": 1500.0},
    {"kind": "reset"},
    {"kind": "error", "status": 503},
    {"kind": "error", "status": 500},
    {"kind": "reset_after"},
    {"kind": "error_after", "status": 500},
    {"kind": "partial"},
)
RESTARTS_PER_DECK = 1


@dataclass(frozen=True)
class Stroke:
    name: str
    play: Callable[[World], Awaitable[None]]


def strokes(seed: int) -> Iterator[Stroke]:
    """Without end: the whole deck, shuffled, again and again."""
    dice = random.Random(seed)
    while True:
        cards = deck(dice)
        dice.shuffle(cards)
        yield from cards


def deck(dice: random.Random) -> list[Stroke]:
    steps = list(STEPS)
    return [
        *(Stroke("agents", partial(to_agents, body)) for body in AGENTS),
        *(Stroke("adf", partial(to_data_factory, body)) for body in DATA_FACTORY),
        *(Stroke("storage", partial(to_storage, dice.choice(steps), fault)) for fault in STORAGE),
        *(Stroke("kill", partial(kill_at, dice.choice(steps), kind)) for kind in ("strike", "strike_after") * 3),
        *(Stroke("calls", call) for call in calls.KINDS),
        *(Stroke("restart", restart_storage) for _ in range(RESTARTS_PER_DECK)),
    ]


async def to_agents(body: dict[str, Any], world: World) -> None:
    await world.post(world.foundry, body)


async def to_data_factory(body: dict[str, Any], world: World) -> None:
    await world.post(world.adf, body)


async def to_storage(step: str, fault: dict[str, Any], world: World) -> None:
    name = f"storage.{fault['kind']}"
    world.proxy.faults.arm(Fault(match=STEPS[step], name=name, also=partial(from_app, world), **fault))


async def kill_at(step: str, kind: str, world: World) -> None:
    """Kill whichever instance makes this step next; every third one then finds no room for its log."""

    def strike(request: Request) -> None:
        if instance := owner(request.peer_port, world.instances):
            instance.full_disk = (sum(each.kills for each in world.instances) % 3) == 0
            instance.kill()

    when = "before" if kind == "strike" else "after"
    fault = Fault(kind, STEPS[step], name=f"kill.{step}.{when}", also=partial(all_up, world), then=strike)
    world.proxy.faults.arm(fault)


async def restart_storage(world: World) -> None:
    await world.storage.restart()


def from_app(world: World, request: Request) -> bool:
    return owner(request.peer_port, world.instances) is not None


def all_up(world: World, request: Request) -> bool:
    """One instance is killed at a time: with both down there is nobody to promise anything."""
    return all(each.up.is_set() for each in world.instances) and from_app(world, request)
