"""Many questions in one moment: which are lost, which are late, and what memory the app takes for them."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

import httpx

from bench.compare.arithmetic import percentile
from bench.compare.cells import peak_mb
from bench.compare.questions import QUESTIONS, truths
from bench.compare.systems import Stand

RUN_DEADLINE_SECONDS = 300.0  # as the app is shipped
GRACE_SECONDS = 30.0
LOOK_SECONDS = 2.0  # less than a server keeps an idle connection open


@dataclass(frozen=True)
class Burst:
    asked: int
    lost: int  # without a right answer
    late: int
    rss_mb: float
    p50_s: float
    last_s: float

    def row(self) -> dict[str, float]:
        return {
            "asked": self.asked,
            "lost": self.lost,
            "late": self.late,
            "rss_mb": round(self.rss_mb),
            "p50_s": round(self.p50_s, 1),
            "last_s": round(self.last_s, 1),
        }


async def burst(stand: Stand, count: int) -> Burst:
    """All are sent at once; who has no answer when the wait is over looks for it until the deadline is long over."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        known = await truths(http, stand.adf)

    async def one(number: int) -> tuple[bool, float]:
        text, began = QUESTIONS[number % len(QUESTIONS)].text, time.perf_counter()
        said = await ended(stand, text)
        right = known[text].is_in(said)
        if not right:
            print(f"burst: lost: {text!r}: {said[:600]!r}")
        return right, time.perf_counter() - began

    answers = await asyncio.gather(*(one(number) for number in range(count)))
    seconds = [took for _, took in answers]
    return Burst(
        asked=count,
        lost=sum(not right for right, _ in answers),
        late=sum(took > RUN_DEADLINE_SECONDS for took in seconds),
        rss_mb=sum(peak_mb(part.pid) for part in stand.parts),
        p50_s=percentile(seconds, 0.5),
        last_s=max(seconds),
    )


async def ended(stand: Stand, text: str) -> str:
    """The answer, or what there is instead of one by the deadline and its grace."""
    try:
        async with asyncio.timeout(RUN_DEADLINE_SECONDS + GRACE_SECONDS):
            reply = await stand.ask(text)
            while not reply.ended:
                await asyncio.sleep(LOOK_SECONDS)
                with suppress(httpx.TransportError):  # only a look: the next one will do
                    reply = await stand.look(reply.run)
    except (TimeoutError, httpx.HTTPError, KeyError, ValueError) as exc:
        print(f"burst: {text!r}: {exc!r}")
        return ""
    return reply.text if reply.done else f"run {reply.run} ended as {reply.status}"
