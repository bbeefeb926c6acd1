"""Steering the world from outside: `/_faults`, `/_stats`, `/_reset`, `/_clock`, `/_surroundings`; without a token."""

from __future__ import annotations

from collections import Counter

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localcloud.adf.arm import bad_request, read_object
from localcloud.adf.busy import Busy
from localcloud.adf.clock import stamp
from localcloud.adf.surroundings import Surroundings
from localcloud.adf.trouble import Troubles
from localcloud.adf.world import World


def routes(
    world: World, troubles: Troubles, requests: Counter[str], busy: Busy, surroundings: Surroundings
) -> list[Route]:
    async def faults(request: Request) -> Response:
        """POST one trouble (kind, status, retry_after, seconds, operation, count, probability), DELETE all."""
        if request.method == "DELETE":
            troubles.clear()
        else:
            troubles.add(read_object(await request.body()))
        return Response(status_code=204)

    async def stats(request: Request) -> Response:
        runs = {living.factory.name: len(living.ledger) for living in world.factories}
        return JSONResponse(
            {
                "requests": dict(sorted(requests.items())),
                "busy_seconds": busy.seconds,
                "faults": dict(troubles.struck),
                "runs": runs,
                "anchor": stamp(world.anchor),
                "now": stamp(world.now()),
            }
        )

    async def reset(request: Request) -> Response:
        world.reset()
        troubles.clear()
        surroundings.reset()
        requests.clear()
        return Response(status_code=204)

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            seconds = read_object(await request.body()).get("advance_seconds")
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
                raise bad_request("'advance_seconds' must be a number, zero or more.")
            world.clock.advance(seconds)
        return JSONResponse({"now": stamp(world.now())})

    async def around(request: Request) -> Response:
        """POST {"without": [actions]}: from now on the caller's role holds all but these. DELETE: all as it was."""
        if request.method == "DELETE":
            surroundings.reset()
            return Response(status_code=204)
        without = read_object(await request.body()).get("without")
        if not isinstance(without, list) or not all(isinstance(action, str) for action in without):
            raise bad_request("'without' must be a list of actions.")
        surroundings.take(without)
        return Response(status_code=204)

    return [
        Route("/_faults", faults, methods=["POST", "DELETE"]),
        Route("/_stats", stats, methods=["GET"]),
        Route("/_reset", reset, methods=["POST"]),
        Route("/_clock", clock, methods=["GET", "POST"]),
        Route("/_surroundings", around, methods=["POST", "DELETE"]),
    ]
