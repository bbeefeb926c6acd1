"""python -m localcloud.host: serve a function app until SIGTERM, SIGINT or, when asked, the end of stdin.

Prints one line of JSON when ready: {"ready": true, "url": …, "key": …, "functions": N}. Logs go to stderr. Once told to
stop, it takes no new messages and lets running functions finish; told twice, it ends at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import uvicorn
from starlette.types import ASGIApp

from localcloud.host import telemetry
from localcloud.host.app_host import AppHost, Options, Parts, load
from localcloud.host.host_json import HostJson, load_host_json
from localcloud.host.http_trigger import LIMIT_SECONDS
from localcloud.host.settings import LoadError
from localcloud.serve import KEEP_ALIVE_SECONDS, free_socket, when_stdin_closes

DRAIN_SECONDS = 25
log = logging.getLogger("localcloud.host")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localcloud.host", description="A light Azure Functions host.")
    parser.add_argument("--app", default="function_app:app", help="module:attribute of the function app")
    parser.add_argument("--root", type=Path, default=Path(), help="folder of the function app")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--key", help="the function key; default LOCAL_FUNCTION_KEY, else one is made up")
    parser.add_argument("--exit-with-stdin", action="store_true", help="stop when standard input closes")
    parser.add_argument("--hidden-seconds", type=int, default=600, help="how long a dead host's message stays hidden")
    parser.add_argument("--http-limit-seconds", type=float, default=LIMIT_SECONDS, help="longest wait for an answer")
    parser.add_argument("--storage-log", type=Path, help="the emulator's access log: messages are told, not asked for")
    return parser.parse_args()


def set_up_logging(host_json: HostJson) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname).4s %(name)s: %(message)s"
    )
    logging.getLogger("azure").setLevel(logging.WARNING)
    for category, level in host_json.log_levels.items():
        name = None if category == "default" else category
        logging.getLogger(name).setLevel(PYTHON_LEVELS.get(level, logging.INFO))


PYTHON_LEVELS = {
    "Trace": logging.DEBUG,
    "Debug": logging.DEBUG,
    "Information": logging.INFO,
    "Warning": logging.WARNING,
    "Error": logging.ERROR,
    "Critical": logging.CRITICAL,
    "None": logging.CRITICAL + 1,
}


class Stopping:
    """The first signal drains, the second ends at once."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def by_signal(self) -> None:
        if self.event.is_set():
            end(1)
        self.begin()

    def begin(self) -> None:
        if not self.event.is_set():
            log.info("Stopping: running functions have %s s to finish.", DRAIN_SECONDS)
            self.event.set()


def end(code: int) -> NoReturn:
    """Without waiting for threads: a sync function that hangs must not keep the host alive."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Server(uvicorn.Server):
    """Says when it takes requests."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=DRAIN_SECONDS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


async def serve(host: AppHost, sock: socket.socket, stopping: asyncio.Event, key: str) -> None:
    loops = await host.background()
    server = Server(host.site)
    serving = asyncio.create_task(server._serve([sock]))  # serve() would take the signals for itself
    await server.ready.wait()
    working = [serving, *(asyncio.create_task(loop(stopping)) for loop in loops)]
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    print(json.dumps({"ready": True, "url": url, "key": key, "functions": len(host.functions)}), flush=True)
    await until_stopped(stopping, working)
    server.should_exit = True
    host.hurry()
    await drain(host, working)


async def until_stopped(stopping: asyncio.Event, working: list[asyncio.Task[None]]) -> None:
    """A loop that breaks ends the host: one queue going deaf unseen would be worse."""
    told = asyncio.create_task(stopping.wait())
    pending: set[asyncio.Task[Any]] = {told, *working}
    while not told.done():
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def drain(host: AppHost, working: list[asyncio.Task[None]]) -> None:
    _, late = await asyncio.wait([*working, asyncio.create_task(host.runner.idle())], timeout=DRAIN_SECONDS)
    if late:
        log.warning("Some functions did not finish within %s s; their messages will come again.", DRAIN_SECONDS)
        return
    await host.storage.close()


async def main(arguments: argparse.Namespace, parts: Parts) -> NoReturn:
    stopping = Stopping()
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stopping.by_signal)
    if arguments.exit_with_stdin:
        when_stdin_closes(lambda: loop.call_soon_threadsafe(stopping.begin))
    key = arguments.key or parts.settings.get("LOCAL_FUNCTION_KEY") or secrets.token_urlsafe(24)
    host = AppHost(parts, Options(key, arguments.hidden_seconds, arguments.http_limit_seconds, arguments.storage_log))
    await serve(host, free_socket(arguments.port), stopping.event, key)
    telemetry.flush()
    end(0)  # here, not after the loop: closing the loop would cancel what the app has running, loudly


def start() -> None:
    arguments = read_arguments()
    try:
        root = arguments.root.resolve()
        host_json = load_host_json(root)
        set_up_logging(host_json)
        asyncio.run(main(arguments, load(arguments.app, root, host_json)))
    except (LoadError, OSError) as exc:
        print(f"The host cannot serve {arguments.app!r}: {exc}", file=sys.stderr)
        end(1)
    except Exception:  # noqa: BLE001 - the app's own import errors, or a bug: shown whole either way
        traceback.print_exc()
        print(f"The host cannot serve {arguments.app!r}; the reason is above.", file=sys.stderr)
        end(1)


if __name__ == "__main__":
    start()
