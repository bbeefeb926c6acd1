"""A process of the app, from outside: told what to do, and killed while it does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from localcloud.launch.children import LINE_LIMIT
from localcloud.launch.cloud import ROOT, base_environment, silenced

Json = Mapping[str, Any]
LONGEST_LINE = 32 * LINE_LIMIT  # a hundred records


class Broken(Exception):
    """The process did what nobody told it: it ended with a traceback."""


class Instance:
    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process, self._log = process, log
        self._pid = 0

    async def tell(self, job: Json) -> Json | None:
        """What came of it; None where its process was killed before. Raises Broken."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        answer = None
        while "code" not in (line := await self._line()):
            self._pid = line.get("pid", self._pid)
            answer = line.get("answer", answer)
        self._pid = 0
        if line["code"] not in (0, -signal.SIGKILL):
            tail = self._log.read_text(encoding="utf-8")[-3000:]
            raise Broken(f"{job.get('job')} ended with {line['code']}: {tail}")
        return answer if line["code"] == 0 else None

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody said goodbye."""
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    async def _line(self) -> Json:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise Broken(self._log.read_text(encoding="utf-8")[-3000:])
        told: Json = json.loads(line)
        return told


@asynccontextmanager
async def instance(log: Path, settings: Mapping[str, str]) -> AsyncIterator[Instance]:
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**base_environment(), **silenced(ROOT), **settings, "WEBSITE_AUTH_ENABLED": "true"}
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.actions.inside"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=environment,
            cwd=ROOT,
            limit=LONGEST_LINE,
        )
        made = Instance(process, log)
        try:
            await made._line()
            yield made
        finally:
            made.kill()
            assert process.stdin is not None
            process.stdin.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5)
            if process.returncode is None:
                process.kill()
                await process.wait()
