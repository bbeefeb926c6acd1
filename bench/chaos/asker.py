"""Asks over HTTP as a patient caller would, and keeps the log from which losses are counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.chaos.instances import Instance
from bench.chaos.world import RUN_DEADLINE_SECONDS

QUESTIONS = (
    "Why did LoadSales fail last night?",
    "What failed in the last 24 hours?",
    "Which runs did SyncCrm have in the last 48 hours?",
    "What failed in the last 24 hours, and why?",
    "Which triggers are stopped?",
    "Is LoadSales getting slower?",
)
# What a dead process may cost at the end: the sweeper's 5 s of grace, its timer of 15 s, one tick of it at which every
# instance was just starting, its two looks.
GRACE_SECONDS = 45.0
GIVE_UP_SECONDS = RUN_DEADLINE_SECONDS + 2 * GRACE_SECONDS
PAUSE_SECONDS = 0.4


@dataclass
class Asked:
    """One question as its asker saw it. Times are of one monotonic clock."""

    number: int
    question: str
    began: float
    accepted: float | None = None  # when that was sent which was first answered
    ended: float | None = None
    end: Mapping[str, Any] = field(default_factory=dict)
    again: Mapping[str, Any] = field(default_factory=dict)  # the same run, read once more when all was over
    run_ids: set[str] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)  # what was said instead of an answer

    @property
    def late(self) -> bool:
        if self.accepted is None or self.ended is None:
            return False
        return self.ended - self.accepted > RUN_DEADLINE_SECONDS + GRACE_SECONDS


class Asker:
    """Asks the instances in turn; repeats what was not answered with the same Idempotency-Key.

    `forget` is a mutant: this question's first answer is made up and the app never hears of it.
    """

    def __init__(self, instances: list[Instance], seed: int, *, forget: int | None = None) -> None:
        self._instances, self._seed, self._forget = instances, seed, forget
        self._turn = 0
        headers = {"x-functions-key": instances[0].key}
        self._http = httpx.AsyncClient(headers=headers, timeout=30, trust_env=False)
        self.log: list[Asked] = []
        self.before: set[str] = set()  # runs of the questions asked in calm

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, number: int, question: str) -> Asked:
        asked = Asked(number, question, time.monotonic())
        self.log.append(asked)
        while asked.ended is None and time.monotonic() - asked.began < GIVE_UP_SECONDS:
            answer = await (self._look(asked) if asked.run_ids else self._submit(asked))
            if answer is None or answer["status"] not in ("done", "failed", "cancelled", "expired"):
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            asked.ended, asked.end = time.monotonic(), answer
        return asked

    async def read_again(self) -> None:
        """What each run says now, and to whom the same question under the same key belongs."""
        for asked in self.log:
            if asked.ended is not None:
                asked.again = await self._look(asked) or {}
                await self._submit(asked)

    async def _submit(self, asked: Asked) -> Mapping[str, Any] | None:
        if asked.number == self._forget:
            asked.run_ids.add("run-that-nobody-knows")
            asked.accepted = time.monotonic()
            return None
        body = {"question": asked.question, "wait_seconds": 5}
        key = {"Idempotency-Key": f"chaos-{self._seed}-{asked.number}"}
        sent = time.monotonic()
        answer = await self._send(asked, "POST", "/api/ask", json=body, headers=key)
        if answer is not None:
            asked.run_ids.add(str(answer["run_id"]))
            asked.accepted = asked.accepted or sent
        return answer

    async def _look(self, asked: Asked) -> Mapping[str, Any] | None:
        return await self._send(asked, "GET", f"/api/runs/{min(asked.run_ids)}")

    async def _send(self, asked: Asked, method: str, path: str, **options: Any) -> Mapping[str, Any] | None:
        """The run, or None with the trouble noted."""
        self._turn += 1
        url = self._instances[self._turn % len(self._instances)].url
        try:
            response = await self._http.request(method, url + path, **options)
        except httpx.HTTPError as exc:
            asked.trouble.append(exc.__class__.__name__)
            return None
        if response.status_code in (200, 202):
            run: Mapping[str, Any] = response.json()
            return run
        asked.trouble.append(f"{response.status_code} {response.text[:200]}")
        return None
