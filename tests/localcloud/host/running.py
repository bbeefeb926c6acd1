"""Starting the host as a process, as a developer would, and asking it things."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from azure.storage.queue import QueueClient

APPS = Path(__file__).parent / "apps"
REPOSITORY = Path(__file__).resolve().parents[3]
DEADLINE_SECONDS = 30


@dataclass
class RunningHost:
    process: subprocess.Popen[str]
    url: str
    key: str
    functions: int
    log: Path

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"x-functions-key": self.key}, timeout=30, trust_env=False)


@contextmanager
def host(app: str, environment: dict[str, str], folder: Path, *options: str) -> Iterator[RunningHost]:
    process, log = start(app, environment, folder, *options)
    try:
        line = process.stdout.readline() if process.stdout else ""
        assert line, log.read_text()
        ready = json.loads(line)
        yield RunningHost(process, ready["url"], ready["key"], ready["functions"], log)
    finally:
        stop(process)


def start(app: str, environment: dict[str, str], folder: Path, *options: str) -> tuple[subprocess.Popen[str], Path]:
    log = folder / f"host-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "localcloud.host", "--app", app, *options]
    if "--root" not in options:
        command += ["--root", str(APPS)]
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, **environment},
        )
    return process, log


def stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait(DEADLINE_SECONDS)
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


@dataclass
class Queues:
    """The queues of one test, whose names begin alike."""

    connection: str
    prefix: str
    clients: dict[str, QueueClient] = field(default_factory=dict)

    def client(self, name: str) -> QueueClient:
        if name not in self.clients:
            self.clients[name] = QueueClient.from_connection_string(self.connection, f"{self.prefix}-{name}")
        return self.clients[name]

    def send(self, name: str, text: str) -> None:
        self.send_raw(name, base64.b64encode(text.encode()).decode())

    def send_raw(self, name: str, content: str) -> None:
        eventually(lambda: exists(self.client(name)))
        self.client(name).send_message(content)

    def receive(self, name: str, count: int = 1) -> list[str]:
        """`count` messages, decoded, removed from the queue."""
        return [base64.b64decode(content).decode() for content in self.receive_raw(name, count)]

    def receive_raw(self, name: str, count: int = 1) -> list[str]:
        found: list[str] = []
        client = self.client(name)

        def take() -> bool:
            if exists(client):
                for message in client.receive_messages(max_messages=32):
                    found.append(message.content)
                    client.delete_message(message)
            return len(found) >= count

        eventually(take)
        return found

    def depth(self, name: str) -> int:
        """With those that are hidden."""
        client = self.client(name)
        return int(client.get_queue_properties().approximate_message_count or 0) if exists(client) else 0

    def close(self) -> None:
        for client in self.clients.values():
            client.close()


def exists(client: QueueClient) -> bool:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        client.get_queue_properties()
    except ResourceNotFoundError:
        return False
    return True


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@dataclass(frozen=True)
class Notes:
    """The file that sample apps write to."""

    path: Path

    def lines(self) -> Sequence[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def wait_for(self, text: str, count: int = 1) -> None:
        eventually(lambda: sum(line.startswith(text) for line in self.lines()) >= count)
