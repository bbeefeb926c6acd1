"""The admin API: what the app has, and running any function now."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.functions.queue import QueueMessage
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localcloud.host.functions import Function
from localcloud.host.keys import Keys
from localcloud.host.problems import problem

RunNow = Callable[[str], Awaitable[None]]  # takes the input given by the caller


class Admin:
    def __init__(self, functions: Sequence[Function], run_now: Mapping[str, RunNow], keys: Keys) -> None:
        self._functions, self._run_now, self._keys = functions, run_now, keys
        self._started = time.monotonic()
        self._running: set[asyncio.Task[None]] = set()

    async def answer(self, request: Request, path: Sequence[str]) -> Response:
        if list(path) == ["host", "ping"]:
            return Response(status_code=200)
        if not self._keys.allow(request):
            return Response(status_code=401)
        match (request.method, *path):
            case ("GET", "host", "status"):
                return JSONResponse(self._status())
            case ("GET", "functions"):
                return JSONResponse([describe(function) for function in self._functions])
            case ("POST", "functions", name):
                return await self._run(name, request)
        return problem(404, "The admin API of this host has host/ping, host/status, functions and functions/{name}.")

    def _status(self) -> dict[str, object]:
        uptime = int((time.monotonic() - self._started) * 1000)
        return {"id": "localcloud", "state": "Running", "version": "4.0.0-localcloud", "processUptime": uptime}

    async def _run(self, name: str, request: Request) -> Response:
        run = self._run_now.get(name)
        if run is None:
            known = ", ".join(sorted(self._run_now)) or "none"
            return problem(404, f"No function {name!r} can be run from here. Functions without HTTP trigger: {known}.")
        given = input_of(await request.body())
        if given is None:
            return problem(400, 'The body must be {"input": "…"}.')
        task = asyncio.ensure_future(run(given))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return Response(status_code=202)


def input_of(body: bytes) -> str | None:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return None
    given = document.get("input", "") if isinstance(document, dict) else None
    return given if isinstance(given, str) or given is None else json.dumps(given)


def describe(function: Function) -> dict[str, Any]:
    bindings = [function.trigger, *function.outputs]
    return {
        "name": function.name,
        "trigger": function.trigger.kind,
        "config": {"bindings": [dict(binding.options) for binding in bindings]},
    }


def message_by_hand(text: str) -> QueueMessage:
    now = datetime.now(UTC)
    return QueueMessage(
        id=str(uuid.uuid4()),
        body=text,
        dequeue_count=1,
        insertion_time=now,
        expiration_time=now + timedelta(days=7),
        time_next_visible=now,
        pop_receipt="by-hand",
    )
