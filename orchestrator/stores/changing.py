"""People, timers and queues change records at once: each change is decided on the record as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from core.errors import UpstreamUnavailable
from orchestrator.stores.rows import Changed

TRIES = 10


class Record(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Record)


class Keeps(Protocol[T]):
    """A store of records with compare-and-set."""

    async def load(self, record_id: str, /) -> T: ...

    async def save(self, record: T, /) -> T: ...


async def change(store: Keeps[T], record: str | T, decide: Callable[[T], T]) -> T:
    """Write what `decide` makes of the record; again where somebody else wrote. It may be the record itself: nothing
    is written then. A record is taken as it was read, and read anew only where it has changed since. Raises NotFound,
    and whatever `decide` raises."""
    record_id = record if isinstance(record, str) else record.id
    known = None if isinstance(record, str) else record
    for _ in range(TRIES):
        known = known or await store.load(record_id)
        decided = decide(known)
        if decided is known:
            return known
        try:
            return await store.save(decided)
        except Changed:
            known = None
    raise UpstreamUnavailable(f"{record_id!r} is being changed by too many at once.", hint="Try again.")
