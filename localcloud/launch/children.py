"""Child processes that announce when they are ready, keep a log each, and end with us, however we end.

Every child's standard input is a pipe that only we hold: the kernel closes it when we die, and the children watch it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud import azurite

READY_SECONDS = 60.0
TAIL_LINES = 20
LINE_LIMIT = 2**20  # a ready line names every function; asyncio's own limit is 64 KiB


class ChildFailed(Exception):
    """A child died or never became ready. Says which, how, and its last words."""

    def __init__(self, name: str, what: str, log: Log) -> None:
        tail = log.tail()
        words = f"Its last log lines ({log.path}):\n{tail}" if tail else f"It wrote nothing to its log ({log.path})."
        super().__init__(f"{name} {what}. {words}")
        self.name = name


@dataclass(frozen=True)
class Spec:
    """What to run. It is ready when it prints a JSON line with "ready": true, or when `ports` are open, if given."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    ports: tuple[int, ...] = ()


class Log:
    """A child's log file. Read through our own handle, so another launch with the same path is not mixed in."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.path = path
        self._file = path.open("a+b", buffering=0)

    def fileno(self) -> int:
        return self._file.fileno()

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def tail(self, lines: int = TAIL_LINES) -> str:
        size = os.fstat(self.fileno()).st_size
        start = max(0, size - 16_384)
        text = os.pread(self.fileno(), size - start, start).decode(errors="replace")
        return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])

    def close(self) -> None:
        self._file.close()


class Child:
    """One running process. Made by `Child.start`, which does not wait until it is ready: `ready` does."""

    def __init__(self, spec: Spec, process: asyncio.subprocess.Process, log: Log) -> None:
        self.spec = spec
        self.log = log
        self._process = process
        self._answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read_stdout())
        self.ended = asyncio.create_task(process.wait())

    @classmethod
    async def start(cls, spec: Spec, log: Log) -> Child:
        process = await asyncio.create_subprocess_exec(
            *spec.command,
            stdin=asyncio.subprocess.PIPE,
            # No pipe for a foreign program: what it starts would inherit it, and hold it open when the program dies.
            stdout=log.fileno() if spec.ports else asyncio.subprocess.PIPE,
            stderr=log.fileno(),
            env=dict(spec.env),
            cwd=spec.cwd,
            start_new_session=True,  # Ctrl-C in the terminal reaches only us; we decide the order of stopping
            limit=LINE_LIMIT,
        )
        return cls(spec, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self, timeout_seconds: float) -> dict[str, Any]:
        """The ready line (empty for a child known by its ports). Raises ChildFailed."""
        signs: asyncio.Future[dict[str, Any]] = self._answer
        if self.spec.ports:
            signs = asyncio.create_task(open_ports(self.spec.ports))
        awaited: set[asyncio.Future[Any]] = {signs, self.ended}
        try:
            await asyncio.wait(awaited, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            if signs.done():
                return signs.result()
        finally:
            signs.cancel()
        if self.ended.done():
            raise await self.failure()
        raise ChildFailed(self.spec.name, f"was not ready within {timeout_seconds:g} s", self.log)

    async def failure(self) -> ChildFailed:
        """What to say of a child that ended by itself."""
        await self._reading
        code = await self.ended
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return ChildFailed(self.spec.name, how, self.log)

    async def stop(self, grace_seconds: float) -> None:
        """Close its stdin, wait, then kill what is left of its process group."""
        if self._process.stdin:
            self._process.stdin.close()
        await asyncio.wait({self.ended}, timeout=grace_seconds)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self.ended
        await self._reading
        self._answer.cancel()
        self.log.close()

    async def _read_stdout(self) -> None:
        """Catch the ready line, log the rest. Reads on to the end: a full pipe would stall the child."""
        if self._process.stdout is None:
            return
        async for line in self._process.stdout:
            answer = ready_line(line)
            if answer is not None and not self._answer.done():
                self._answer.set_result(answer)
            else:
                self.log.write(line)


class Children:
    """A family of child processes that stops as one."""

    def __init__(self, logs: Path, ready_seconds: float = READY_SECONDS) -> None:
        self.logs = logs
        self._ready_seconds = ready_seconds
        self._children: list[Child] = []

    async def start(self, spec: Spec) -> dict[str, Any]:
        """Start a child and wait until it is ready; its ready line."""
        child = await Child.start(spec, Log(self.logs / f"{spec.name}.log"))
        self._children.append(child)
        return await child.ready(self._ready_seconds)

    async def run(self, spec: Spec) -> None:
        """Run a command to its end. Raises ChildFailed where it ends badly or takes too long."""
        child = await Child.start(spec, Log(self.logs / f"{spec.name}.log"))
        try:
            await asyncio.wait({child.ended}, timeout=self._ready_seconds)
            if not child.ended.done():
                raise ChildFailed(spec.name, f"did not end within {self._ready_seconds:g} s", child.log)
            if child.ended.result():
                raise await child.failure()
        finally:
            await child.stop(0)

    def running(self) -> list[Child]:
        return [child for child in self._children if not child.ended.done()]

    async def first_death(self) -> ChildFailed:
        """Wait until any child ends by itself. Nothing is restarted."""
        await asyncio.wait({child.ended for child in self._children}, return_when=asyncio.FIRST_COMPLETED)
        dead = next(child for child in self._children if child.ended.done())
        return await dead.failure()

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """The last one started first: the app drains while what it leans on still stands. Then the rest together."""
        rest, last = self._children[:-1], self._children[-1:]
        self._children = []
        for children in (last, rest):
            await asyncio.gather(*(child.stop(grace_seconds) for child in children))


def ready_line(line: bytes) -> dict[str, Any] | None:
    with suppress(ValueError):
        answer = json.loads(line)
        if isinstance(answer, dict) and answer.get("ready") is True:
            return answer
    return None


async def open_ports(ports: Sequence[int]) -> dict[str, Any]:
    for port in ports:
        while not azurite.accepts(port):
            await asyncio.sleep(0.02)
    return {}
