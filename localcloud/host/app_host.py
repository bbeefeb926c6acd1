"""A function app, served: everything put together, started, drained and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.host.admin import Admin, RunNow, message_by_hand
from localcloud.host.event_grid import EventGrid
from localcloud.host.functions import Function, load_functions, why_not_served
from localcloud.host.host_json import HostJson
from localcloud.host.http_trigger import LIMIT_SECONDS, HttpTriggers
from localcloud.host.invocations import FunctionFailed, Invocations
from localcloud.host.keys import Keys
from localcloud.host.outputs import QueueOutputs
from localcloud.host.pace import SHORTEST_SECONDS, Activity
from localcloud.host.queue_trigger import QueueTrigger
from localcloud.host.routes import read_route
from localcloud.host.runner import Runner
from localcloud.host.schedules import read_schedule
from localcloud.host.settings import Settings, load_settings
from localcloud.host.sign_in import SWITCH, SignIn
from localcloud.host.site import Site
from localcloud.host.storage import Storage
from localcloud.host.timer_trigger import TimerTrigger
from localcloud.storage_log import StorageLog

log = logging.getLogger("localcloud.host")
Background = Callable[[asyncio.Event], Coroutine[Any, Any, None]]  # runs until the event is set


@dataclass(frozen=True)
class Options:
    key: str
    hidden_seconds: int = 600  # the real host hides a dead instance's message that long, whatever host.json says
    http_limit_seconds: float = LIMIT_SECONDS
    storage_log: Path | None = None  # the emulator's access log, where it is kept


@dataclass(frozen=True)
class Parts:
    settings: Settings
    host_json: HostJson
    functions: Sequence[Function]


class AppHost:
    """Made inside a running event loop."""

    def __init__(self, parts: Parts, options: Options) -> None:
        self._settings, self._host_json, self._options = parts.settings, parts.host_json, options
        settings, host_json = parts.settings, parts.host_json
        self.functions = [function for function in parts.functions if is_served(function, settings)]
        self.storage = Storage(settings)
        self._storage_log = StorageLog(options.storage_log) if options.storage_log else None
        self._activity = Activity(told=self._storage_log is not None)
        threads = int(settings.number("PYTHON_THREADPOOL_THREAD_COUNT", 0)) or None
        invocations = Invocations(host_json.function_timeout_seconds, threads)
        self._outputs = QueueOutputs(self.storage, host_json.queues.base64)
        self.runner = Runner(invocations, self._outputs, self._activity)
        self._timers = {function.name: self._timer(function) for function in self._with("timerTrigger")}
        self.site = self._site()

    def _with(self, trigger: str) -> list[Function]:
        return [function for function in self.functions if function.trigger.kind == trigger]

    def _timer(self, function: Function) -> TimerTrigger:
        schedule = read_schedule(self._settings.resolve(function.trigger.options["schedule"]))
        return TimerTrigger(function, schedule, self.runner)

    def _site(self) -> Site:
        keys = Keys(self._options.key)
        prefix = self._host_json.route_prefix
        routes = [read_route(function, prefix) for function in self._with("httpTrigger")]
        sign_in = SignIn((self._settings.get(SWITCH) or "").lower() == "true")
        http = HttpTriggers(routes, self.runner, keys, self._options.http_limit_seconds, sign_in)
        event_grid = EventGrid({f.name: f for f in self._with("eventGridTrigger")}, self.runner, keys)
        return Site(http, Admin(self.functions, self._run_now(event_grid), keys), event_grid)

    def _run_now(self, event_grid: EventGrid) -> dict[str, RunNow]:
        queues = {f.name: functools.partial(self._run_queue_function, f) for f in self._with("queueTrigger")}
        events = {f.name: functools.partial(event_grid.run_now, f) for f in self._with("eventGridTrigger")}
        timers = {name: lambda _, timer=timer: timer.fire() for name, timer in self._timers.items()}
        return {**queues, **events, **timers}

    async def _run_queue_function(self, function: Function, text: str) -> None:
        with contextlib.suppress(FunctionFailed):  # told in the log; there is no message to give back
            await self.runner.run(function, message_by_hand(text))

    async def background(self) -> list[Background]:
        """The loops of queues and timers. Raises LoadError when a connection is not set."""
        for function in self.functions:
            await self._outputs.check(function)
        queues = [await self._queue_trigger(function) for function in self._with("queueTrigger")]
        listening = [self._listen] if self._storage_log else []
        return [*listening, *(queue.run for queue in queues), *(timer.run for timer in self._timers.values())]

    async def _listen(self, stopping: asyncio.Event) -> None:
        assert self._storage_log
        following = asyncio.create_task(self._storage_log.follow())
        await asyncio.wait((following, asyncio.create_task(stopping.wait())), return_when=asyncio.FIRST_COMPLETED)
        following.cancel()

    def hurry(self) -> None:
        """Ends the rests of all pollers, so that they notice at once that they are to stop."""
        self._activity.stir()

    async def _queue_trigger(self, function: Function) -> QueueTrigger:
        options = function.trigger.options
        connection, name = options.get("connection", ""), options["queueName"]
        queues = self._host_json.queues
        shortest = self._settings.number("LOCAL_HOST_POLL_MS", SHORTEST_SECONDS * 1000) / 1000
        queue, pace = (
            await self.storage.queue(connection, name),
            self._activity.pace(queues.max_polling_seconds, shortest),
        )
        if self._storage_log:
            self._storage_log.when_put(queue.name, pace.hurry)
        return QueueTrigger(
            function,
            queue,
            await self.storage.queue(connection, f"{name}-poison"),
            self.runner,
            queues,
            self._options.hidden_seconds,
            pace,
        )


def is_served(function: Function, settings: Settings) -> bool:
    if settings.is_disabled(function.name):
        log.info("Function %r is disabled by a setting.", function.name)
        return False
    reason = why_not_served(function)
    if reason:
        log.warning("Function %r is not served by this host: %s.", function.name, reason)
    return reason is None


def load(app: str, root: Path, host_json: HostJson) -> Parts:
    """Raises LoadError, or whatever importing the app raises."""
    settings = load_settings(root, os.environ)
    return Parts(settings, host_json, load_functions(app, root))
