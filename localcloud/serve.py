"""Serve an ASGI app on loopback as a child process: one ready line on stdout, gone with its parent.

The ready line is JSON: {"ready": true, "url": "http://127.0.0.1:PORT"}. With exit_with_stdin the process also ends when
its standard input closes, which is what happens when whoever started it dies, however it dies.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import uvicorn

KEEP_ALIVE_SECONDS = 120  # longer than clients; uvicorn's 5 s is what many have too: one closes while the other sends


def free_socket(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    # Named, not 0: asyncio sets TCP_NODELAY on TCP sockets only, and without it every small answer waits 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    return sock


def when_stdin_closes(then: Callable[[], object]) -> None:
    def watch() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        then()

    threading.Thread(target=watch, name="stdin-watch", daemon=True).start()


async def serve(
    app: Any, *, port: int = 0, exit_with_stdin: bool = False, log_level: str = "warning", date_header: bool = True
) -> None:
    """Run `app` until SIGTERM, SIGINT or (with exit_with_stdin) the end of stdin. Without `date_header` the app tells
    the time itself."""
    sock = free_socket(port)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    config = uvicorn.Config(
        app,
        log_level=log_level,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        date_header=date_header,
    )
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    if exit_with_stdin:
        when_stdin_closes(lambda: loop.call_soon_threadsafe(stop))
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stop)
    task = asyncio.create_task(server._serve([sock]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    if server.started:
        print(json.dumps({"ready": True, "url": url}), flush=True)
    await task
