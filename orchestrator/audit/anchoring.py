"""Anchors the heads of a process's chains: at once where it matters, else within a minute. It never fails anybody."""

from __future__ import annotations

import asyncio
import logging

from core.errors import UpstreamError
from orchestrator.audit.anchors import Anchor
from orchestrator.stores.sealed import SealedFiles

log = logging.getLogger("audit")
ATTEMPT_SECONDS = 5.0
ANCHOR_SECONDS = 60.0


class Anchoring:
    """Without `sealed` nothing is anchored, and nothing waits for it."""

    def __init__(self, sealed: SealedFiles | None) -> None:
        self._sealed = sealed
        self._heads: dict[str, Anchor] = {}  # of chains whose last lines have no anchor
        self._timer: asyncio.TimerHandle | None = None
        self._later: asyncio.Task[None] | None = None
        self._answers = True
        self.disputed = 0

    @property
    def waiting(self) -> int:
        return len(self._heads)

    async def note(self, head: Anchor, *, at_once: bool) -> None:
        """How far a chain has come. `at_once` is tried once; while anchors do not answer nobody waits for them."""
        if self._sealed is None:
            return
        self._heads[head.chain] = head
        if at_once and self._answers:
            await self.run()
        if self._heads:
            self._run_later()

    async def run(self) -> None:
        """Anchor what is not. What fails is tried again each minute."""
        for head in list(self._heads.values()):
            self._answers = await self._anchor(head)
            if not self._answers:
                self._run_later()
                return
            if self._heads.get(head.chain) == head:  # nothing came behind it meanwhile
                del self._heads[head.chain]

    async def _anchor(self, head: Anchor) -> bool:
        """Whether it is settled."""
        if self._sealed is None:
            return True
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                agreed = await put(self._sealed, head)
        except (UpstreamError, TimeoutError) as exc:
            log.warning("chain=%s seq=%d outcome=not_anchored error=%s", head.chain, head.seq, exc)
            return False
        except Exception:  # the entry is stored: nobody fails for its anchor
            log.exception("chain=%s seq=%d outcome=not_anchored", head.chain, head.seq)
            return False
        if not agreed:
            self.disputed += 1
            log.error("chain=%s seq=%d outcome=anchor_disputed", head.chain, head.seq)
        return True

    async def close(self) -> None:
        """Anchor what is not, and leave no timer behind."""
        if self._later is not None:
            await self._later
        await self.run()
        if self._timer is not None:
            self._timer.cancel()

    def _run_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(ANCHOR_SECONDS, self._start)

    def _start(self) -> None:
        self._timer = None
        self._later = asyncio.create_task(self.run())


async def put(sealed: SealedFiles, head: Anchor) -> bool:
    """False where there is an anchor of this line that says something else."""
    return await sealed.put(head.name, head.data) or await sealed.get(head.name) == head.data
