"""Instances of the app that may be killed at any moment, and come back at the same address."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.launch.children import Child, ChildFailed, Log, Spec
from localcloud.launch.cloud import ROOT, base_environment, silenced

HIDDEN_SECONDS = 6  # a dead host's message comes back after so long; the real host takes ten minutes
READY_SECONDS = 60.0
TRIES = 5  # in a row: killed while it starts it may be, but not that often
FULL_DISK = ("sh", "-c", 'exec "$@" 2>/dev/full', "sh")  # every line of its log fails with "no space left"


@dataclass
class Instance:
    """One app process at one address. Whoever kills it need not start it again: that happens by itself."""

    name: str
    port: int
    key: str
    logs: Path
    settings: Mapping[str, str]
    kills: int = 0
    crashes: int = 0  # ends that nobody here asked for
    full_disk: bool = False  # its next process finds no room for its log
    up: asyncio.Event = field(default_factory=asyncio.Event)
    _child: Child | None = None
    _killed: bool = False
    _keeping: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    async def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep())
        await self.is_up()

    async def is_up(self) -> None:
        """Raises ChildFailed where it does not come up however often it is tried."""
        assert self._keeping is not None
        up = asyncio.create_task(self.up.wait())
        await asyncio.wait({up, self._keeping}, return_when=asyncio.FIRST_COMPLETED)
        if not up.done():
            up.cancel()
            self._keeping.result()

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing said goodbye."""
        if self._child is None or not self.up.is_set():
            return
        self.up.clear()
        self._killed, self.kills = True, self.kills + 1
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)

    async def stop(self) -> None:
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._child:
            await self._child.stop(10)

    async def _keep(self) -> None:
        generation, in_vain = 0, 0
        while True:
            generation += 1
            self._child = await Child.start(self._spec(), Log(self.logs / f"{self.name}-{generation}.log"))
            try:
                await self._child.ready(READY_SECONDS)
                in_vain = 0
                self.up.set()
                await asyncio.wait({self._child.ended})  # shielded: we may be cancelled, its end may not
            except ChildFailed as exc:
                print(exc, file=sys.stderr)
                in_vain += 1
                if in_vain >= TRIES:
                    raise
            self.up.clear()
            self.crashes += not self._killed
            self._killed = False
            await self._child.stop(0)

    def _spec(self) -> Spec:
        command = [*(FULL_DISK if self.full_disk else ()), sys.executable, "-m", "localcloud.host"]
        command += ["--app", "function_app:app", "--root", ".", "--port", str(self.port), f"--key={self.key}"]
        command += ["--hidden-seconds", str(HIDDEN_SECONDS), "--exit-with-stdin"]
        self.full_disk = False
        environment = {**base_environment(), **silenced(ROOT), **self.settings, "LOCAL_FUNCTION_KEY": self.key}
        return Spec("app", command, environment, ROOT)


def owner(port: int, instances: list[Instance]) -> Instance | None:
    """Whose connection has this local port, by the kernel's own tables."""
    inode = socket_inode(port, Path("/proc/net/tcp").read_text(encoding="ascii"))
    return next((each for each in instances if each.pid and inode in inodes(each.pid)), None)


def socket_inode(port: int, table: str) -> str:
    """The inode of the socket with this local port, in a text of /proc/net/tcp; empty where there is none."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rsplit(":", 1)[1], 16) == port:
            return fields[9]
    return ""


def inodes(pid: int) -> set[str]:
    found = set()
    for handle in (Path("/proc") / str(pid) / "fd").glob("*"):
        with suppress(OSError):
            link = handle.readlink().name
            if link.startswith("socket:["):
                found.add(link[8:-1])
    return found
