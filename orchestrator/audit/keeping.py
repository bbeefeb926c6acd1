"""What is done to the trail from time to time: ends of chains anchored, days that are over exported, old ones dropped.

days/<yyyy-mm-dd>/<chain>.jsonl holds a whole chain, line by line, as it is stored. Any instance may do it, also several
at once: a file is written once, and a chain is dropped only where its file holds every line of it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from orchestrator.audit.anchoring import put
from orchestrator.audit.anchors import Anchor, folder, place
from orchestrator.audit.lines import Unreadable, day_of, is_chain, read
from orchestrator.stores.audit import AuditStore, Row
from orchestrator.stores.sealed import SealedFiles

log = logging.getLogger("audit")
DAYS = "days/"
OVER = timedelta(minutes=30)  # after its end a day is over on every instance, whatever their clocks show
LOOKED_BACK = timedelta(days=7)  # for days that could not be exported when they were over
MAX_DROPPED = 500  # chains, in one go


@dataclass(frozen=True)
class Keeper:
    """Everything raises UpstreamError; what is left to do then is done by the next one."""

    store: AuditStore
    sealed: SealedFiles
    keep: timedelta  # in the table
    now: Callable[[], datetime]

    async def anchor(self) -> int:
        """Anchor the ends of chains whose processes died before they could. How many. Of the day that is not over too:
        an anchor of a chain that goes on is simply not its last."""
        anchored = 0
        async for chain in self._chains(self.now() - timedelta(days=1)):
            newest = await self._newest_anchor(chain)
            rows = [row async for row in self.store.of_chain(chain, newest)]
            last = _last(rows)
            if last is not None and not await put(self.sealed, last):
                log.error("chain=%s seq=%d outcome=anchor_disputed", chain, last.seq)
            anchored += last is not None
        return anchored

    async def export(self) -> int:
        """Write the files of the days that are over. How many."""
        written = 0
        today = (self.now() - OVER).date()
        there: set[str] = set()
        seen: date | None = None
        async for chain in self._chains(self.now() - LOOKED_BACK):
            day = day_of(chain)
            if day >= today:
                break
            if day != seen:
                seen, there = day, set(await self.sealed.names(f"{DAYS}{day.isoformat()}/"))
            if file_name(chain) not in there:
                written += await self.sealed.put(file_name(chain), await self.file(chain))
        return written

    async def drop(self) -> int:
        """Drop from the table what was kept there long enough, and is exported whole. How many chains."""
        end = (self.now() - self.keep).date()
        dropped = 0
        async for chain in self._chains():
            if day_of(chain) >= end or dropped == MAX_DROPPED:
                break
            dropped += await self._drop(chain)
        return dropped

    async def _drop(self, chain: str) -> bool:
        stored = await self.file(chain)
        await self.sealed.put(file_name(chain), stored)
        if await self.sealed.get(file_name(chain)) != stored:
            log.error("chain=%s outcome=not_dropped reason=its file does not hold what is stored", chain)
            return False
        await self.store.purge(chain)
        return True

    async def file(self, chain: str) -> bytes:
        return b"".join([row.line + b"\n" async for row in self.store.of_chain(chain)])

    async def _newest_anchor(self, chain: str) -> int:
        names = await self.sealed.names(f"{folder(day_of(chain))}{chain}/")
        return max((where[1] for name in names if (where := place(name))), default=0)

    async def _chains(self, since: datetime | None = None) -> AsyncIterator[str]:
        chain = await self.store.next_chain(f"{since.date():%Y%m%d}" if since else "")
        while chain:
            if is_chain(chain):
                yield chain
            chain = await self.store.next_chain(chain)


def file_name(chain: str) -> str:
    return f"{DAYS}{day_of(chain).isoformat()}/{chain}.jsonl"


def _last(rows: list[Row]) -> Anchor | None:
    try:
        return Anchor.of(read(rows[-1].line)) if rows else None
    except Unreadable:  # `verify` tells
        return None
