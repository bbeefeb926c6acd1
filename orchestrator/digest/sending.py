"""Sends each digest that is due, once, whatever instances there are and however often they die.

It is made under a lease, and claimed for good only right before it is handed to the channel: claim, then send. A
channel cannot be asked what it has, so that a death between the two must cost either a digest or the promise that it
comes once. The loss is the lesser harm: it is one instant, the log tells of it, and GET /api/digest makes the same
again. The minutes before it, in which factories are asked and most goes wrong, are covered by the lease: whoever dies
there is followed by the next one when the lease ends. A send that fails gives the claim back, so that the next turn
tries again until the day is over; only a channel that takes a message and does not say so may get it twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import AppError
from core.telemetry import names
from core.telemetry.spans import span
from orchestrator.digest.deliveries import Delivery, DeliveryStore
from orchestrator.digest.editions import Edition, Timetable
from orchestrator.digest.editor import Editor
from orchestrator.notify.cards.digest import digest_card
from orchestrator.notify.port import Message, Notifier
from orchestrator.stores.rows import Changed

log = logging.getLogger("digest")
SECONDS = 240.0  # to make one
LEASE = timedelta(minutes=8)  # longer than it takes to make and send one, shorter than the timer's turns lie apart


@dataclass(frozen=True)
class Sender:
    timetable: Timetable | None
    editor: Editor
    deliveries: DeliveryStore
    notifier: Notifier
    now: Callable[[], datetime]

    async def run(self) -> int:
        """Send what is due. How many were sent."""
        sent = 0
        for edition in self.timetable.due(self.now()) if self.timetable else ():
            try:
                sent += await self._one(edition)
            except Changed:  # another instance was quicker
                continue
            except AppError as exc:
                log.warning("digest=%s outcome=not_finished error=%s", edition.key, exc)
        return sent

    async def _one(self, edition: Edition) -> bool:
        known = await self.deliveries.load(edition.key)
        if known.abandoned(self.now()):
            await self.deliveries.save(replace(known, state="unsure"))
            log.error("digest=%s outcome=unsure: its sender died while the channel took it", edition.key)
        if not known.free(self.now()):
            return False
        with span(names.DIGEST) as traced:
            sent = await self._made(known, edition)
            traced.set({names.OUTCOME: "sent"})
            return sent

    async def _made(self, known: Delivery, edition: Edition) -> bool:
        leased = replace(known, state="making", leased_until=self.now() + LEASE)
        making = await self.deliveries.save(leased)
        try:
            message = digest_card(await self.editor.make(edition.span, edition.since, edition.until, seconds=SECONDS))
        except AppError:
            await self._given_back(making)
            raise
        return await self._sent(making, message)

    async def _sent(self, making: Delivery, message: Message) -> bool:
        handed = await self.deliveries.save(replace(making, state="handed"))
        try:
            await self.notifier.send(message)
        except AppError:
            await self._given_back(handed)
            raise
        log.warning("digest=%s outcome=sent", making.key)
        await self.deliveries.save(replace(handed, state="sent", leased_until=None))
        return True

    async def _given_back(self, delivery: Delivery) -> None:
        await self.deliveries.save(replace(delivery, state="waiting", leased_until=None))
