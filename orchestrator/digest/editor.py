"""Makes a digest: fetches the facts of a period, then puts them in words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import AppError
from orchestrator.digest.asking import Inquiry
from orchestrator.digest.composition import composed
from orchestrator.digest.editions import Span
from orchestrator.digest.facts import FactoryFacts, Facts
from orchestrator.incidents.record import Incident
from orchestrator.notify.cards.digest import Digest
from orchestrator.policy.model import Policy
from orchestrator.stores.incidents import IncidentStore
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.factories import Factories

AT_ONCE = 4  # factories
EARLIER = timedelta(days=14)  # an incident that opened so long before the period may have ended in it
MAX_INCIDENTS = 1000
Answer = FactoryFacts | tuple[str, str]  # a factory's name and why it gave none


@dataclass(frozen=True)
class Editor:
    factories: Factories
    incidents: IncidentStore
    policy: Callable[[], Policy]
    now: Callable[[], datetime]

    async def make(
        self, span: Span, since: datetime, until: datetime, *, seconds: float, factory: str | None = None
    ) -> Digest:
        """Within so many seconds, of all factories or of the named one; one that gives no answer is named in it.
        Raises NotFound for a factory that is not known, UpstreamUnavailable where storage does not answer."""
        return composed(await self.fetch_facts(span, since, until, seconds=seconds, factory=factory))

    async def fetch_facts(
        self, span: Span, since: datetime, until: datetime, *, seconds: float, factory: str | None = None
    ) -> Facts:
        deadline = asyncio.get_running_loop().time() + seconds
        chosen = await self.factories.chosen(factory)
        incidents = await self._incidents(since, until, [each.name for each in chosen] if factory else None)
        policy, before = self.policy(), since - (until - since) if span == "weekly" else None
        answers = await _asked(Inquiry(since, until, before, incidents, policy, deadline), chosen)
        return Facts(
            span,
            since,
            until,
            self.now(),
            tuple(each for each in answers if isinstance(each, FactoryFacts)),
            tuple(each for each in answers if not isinstance(each, FactoryFacts)),
            incidents,
            policy,
        )

    async def _incidents(
        self, since: datetime, until: datetime, factories: Sequence[str] | None
    ) -> tuple[Incident, ...]:
        """Those that lived in the period and those that are not over, newest first."""
        listed = await self.incidents.listed(since - EARLIER, until, limit=MAX_INCIDENTS)
        lived = [each for each in listed if each.resolved_at is None or each.resolved_at >= since]
        known = {each.id: each for each in [*await self.incidents.active(), *lived]}
        wanted = None if factories is None else {name.casefold() for name in factories}
        return tuple(each for each in known.values() if wanted is None or each.factory.casefold() in wanted)


async def _asked(inquiry: Inquiry, factories: Sequence[DataFactory]) -> list[Answer]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(factory: DataFactory) -> Answer:
        try:
            async with gate:
                return await inquiry.ask(factory)
        except (AppError, TimeoutError) as exc:  # also one that is not there any more
            return factory.name, str(exc) or "it took too long."

    return list(await asyncio.gather(*map(ask, factories)))
