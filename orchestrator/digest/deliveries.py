"""How far the sending of each digest has come, over all instances; as a port, and in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from orchestrator.stores.rows import Changed

State = Literal["waiting", "making", "handed", "sent", "unsure"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """`making` until `leased_until`, `handed` to the channel, then `sent`; `unsure` where whoever handed it over died,
    so that nobody knows. The version is the store's; it is empty where nobody has begun."""

    key: str
    state: State = "waiting"
    leased_until: datetime | None = None
    version: str = ""

    def free(self, now: datetime) -> bool:
        """Somebody may make it: nobody does, or he died before he handed it over."""
        return self.state in ("waiting", "making") and not self._leased(now)

    def abandoned(self, now: datetime) -> bool:
        return self.state == "handed" and not self._leased(now)

    def _leased(self, now: datetime) -> bool:
        return self.leased_until is not None and self.leased_until > now


class DeliveryStore(Protocol):
    """Raises UpstreamUnavailable when storage does not answer."""

    async def load(self, key: str) -> Delivery: ...

    async def save(self, delivery: Delivery) -> Delivery:
        """Write it, if nobody wrote since it was read. Raises Changed."""


class MemoryDeliveryStore:
    def __init__(self) -> None:
        self._deliveries: dict[str, Delivery] = {}

    async def load(self, key: str) -> Delivery:
        return self._deliveries.get(key, Delivery(key))

    async def save(self, delivery: Delivery) -> Delivery:
        if (await self.load(delivery.key)).version != delivery.version:
            raise Changed(delivery.key)
        self._deliveries[delivery.key] = replace(delivery, version=str(int(delivery.version or 0) + 1))
        return self._deliveries[delivery.key]
