"""The trail as a process writes it: what is recorded at once goes into its chain together, in order.

What is of consequence (a decision, an approval, a write) is stored when `record` returns, else `record` raises: then it
is not done. Questions and tool calls are kept and tried again while storage is in trouble, so many of them; what had to
be dropped is counted. A process writes a chain of its own, a new one each day, so no two ever wait for each other.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.errors import UpstreamError, UpstreamUnavailable
from orchestrator.audit.anchoring import Anchoring
from orchestrator.audit.anchors import Anchor
from orchestrator.audit.chain import Chain, Taken
from orchestrator.audit.lines import canonical, day_of, new_chain
from orchestrator.audit.record import ANCHORED, CONSEQUENTIAL, Actor, Entry, plain
from orchestrator.stores.audit import MAX_ROWS, AuditStore
from orchestrator.stores.sealed import SealedFiles

log = logging.getLogger("audit")
BATCH = MAX_ROWS - 10  # with room for what the trail says of itself
MAX_BYTES = 2 * 1024 * 1024  # of one insert: a transaction holds 4 MiB, and bytes grow by a third on their way
MAX_KEPT = 1000  # entries that wait for storage to come back
ATTEMPT_SECONDS = 10.0  # an action waits for its entry
LONGEST_PAUSE_SECONDS = 60.0
CHAINS = 3  # one after the other, for one batch: none but the first is ever taken by chance


@dataclass(eq=False, slots=True)
class _Item:
    told: Mapping[str, Any]
    must: bool
    done: asyncio.Future[bool] | None = None  # None: nobody waits for it any more
    stored: bool = False
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(canonical(self.told)) + 400  # with what the chain adds

    def answer(self, stored: bool) -> None:
        if self.done is not None and not self.done.done():  # its caller may have gone
            self.done.set_result(stored)
        self.done = None

    def fail(self, exc: Exception) -> None:
        if self.done is not None and not self.done.done():
            self.done.set_exception(exc)


@dataclass(frozen=True, slots=True)
class Standing:
    """Of this process: entries that wait for storage, those that were lost, chains whose last entries have no anchor
    yet, chains that somebody else wrote into, anchors that say something else than we do."""

    waiting: int = 0
    lost: int = 0
    unanchored: int = 0
    taken: int = 0
    disputed: int = 0


class Audit:
    """One for each process. Without `sealed` nothing is anchored. `notes` tells what the trail says of itself, such as
    which policy is in force, in front of whatever is recorded next."""

    def __init__(
        self,
        store: AuditStore,
        sealed: SealedFiles | None,
        now: Callable[[], datetime],
        notes: Callable[[datetime], Sequence[Entry]] = lambda now: (),
    ) -> None:
        self._store, self._now, self._notes = store, now, notes
        self._anchoring = Anchoring(sealed)
        self._chain: Chain[_Item] | None = None
        self._waiting: deque[_Item] = deque()
        self._kept: deque[_Item] = deque()
        self._serving: asyncio.Task[None] | None = None
        self._retry_timer: asyncio.TimerHandle | None = None
        self._pause_seconds = 1.0
        self._lost = self._taken = 0

    @property
    def standing(self) -> Standing:
        anchors = self._anchoring
        return Standing(len(self._kept), self._lost, anchors.waiting, self._taken, anchors.disputed)

    async def record(self, *entries: Entry) -> bool:
        """True when all are stored: nothing is lost then, whatever becomes of this process. False when storage is in
        trouble, and they are kept here to be tried again. Nobody waits for longer than some ATTEMPT_SECONDS.

        Where one of them is of consequence it is True, or an UpstreamError: then they may be stored or not, and what
        they tell of must not be done."""
        must = any(entry.kind in CONSEQUENTIAL for entry in entries)
        loop = asyncio.get_running_loop()
        items = [_Item(plain(entry), must, loop.create_future()) for entry in entries]
        waiting = [item.done for item in items if item.done is not None]
        self._waiting.extend(items)
        self._wake()
        return all(await asyncio.gather(*waiting))

    async def anchor(self) -> None:
        """Anchor what is not. Raises nothing: what fails is tried again each minute."""
        await self._anchoring.run()

    async def close(self) -> None:
        """Wait for what is being written, anchor it, and leave no timer behind. What was kept is gone."""
        if self._serving is not None:
            await self._serving
        if self._retry_timer is not None:
            self._retry_timer.cancel()
        await self._anchoring.close()

    def _wake(self) -> None:
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        answers = True
        while self._waiting or (self._kept and answers):
            answers = await self._write(self._batch())
        if self._kept:
            self._try_again_later()

    def _batch(self) -> list[_Item]:
        """What somebody waits for first, then what was kept. At least one, however large."""
        batch: list[_Item] = []
        room = MAX_BYTES
        for queue in (self._waiting, self._kept):
            while queue and len(batch) < BATCH and (queue[0].size <= room or not batch):
                item = queue.popleft()
                room -= item.size
                batch.append(item)
        return batch

    async def _write(self, batch: list[_Item]) -> bool:
        """Whether storage answers."""
        try:
            batch[:0] = [_Item(plain(note), must=False) for note in self._notes(self._now())]
            head = await self._append(batch)
        except UpstreamError as exc:
            self._not_written(batch, exc)
            return False
        except Exception as exc:  # a bug: what must be recorded raises it, and nothing else fails because of it
            log.exception("entries=%d outcome=failed", len(batch))
            self._drop(batch, exc)
            return True
        self._pause_seconds = 1.0
        await self._anchoring.note(head, at_once=any(item.told["kind"] in ANCHORED for item in batch))
        for item in batch:
            item.answer(True)
        return True

    async def _append(self, batch: list[_Item]) -> Anchor:
        """How far the chain has come."""
        for _ in range(CHAINS):
            chain = self._current()
            try:
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    await chain.append(batch)
            except TimeoutError:
                raise UpstreamUnavailable(
                    "The audit trail did not answer in time.", hint="Try again in a minute."
                ) from None
            except Taken:
                batch.insert(0, self._abandon(chain))
            else:
                return Anchor(chain.name, chain.seq, chain.hash)
        raise UpstreamUnavailable("The audit trail is being written to by somebody else.", hint="Run its `verify`.")

    def _current(self) -> Chain[_Item]:
        now = self._now()
        if self._chain is None or day_of(self._chain.name) != day_of(new_chain(now)):
            self._chain = Chain(self._store, new_chain(now))
        return self._chain

    def _abandon(self, chain: Chain[_Item]) -> _Item:
        """Whoever wrote into our chain did so by hand: what follows stands in a new one, which says so."""
        self._taken += 1
        self._chain = None
        log.error("chain=%s seq=%d outcome=taken", chain.name, chain.seq)
        text = f"After entry {chain.seq} the chain {chain.name} holds what its process did not write; it goes on here."
        return _Item(plain(Entry(self._now(), "incident", Actor("app"), text, chain.name)), must=False)

    def _drop(self, batch: Sequence[_Item], exc: Exception) -> None:
        for item in batch:
            if item.must and not item.stored:
                item.fail(exc)
            else:
                self._lost += not item.stored
                item.answer(item.stored)

    def _not_written(self, batch: Sequence[_Item], exc: UpstreamError) -> None:
        log.warning("entries=%d outcome=not_recorded error=%s", len(batch), exc)
        for item in batch:
            if item.must and not item.stored:
                item.fail(exc)
            else:
                item.answer(item.stored)
                self._kept.extend([] if item.stored else [item])
        while len(self._kept) > MAX_KEPT:
            self._kept.popleft()
            self._lost += 1

    def _try_again_later(self) -> None:
        if self._retry_timer is not None:
            self._retry_timer.cancel()
        self._retry_timer = asyncio.get_running_loop().call_later(self._pause_seconds, self._wake)
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)
