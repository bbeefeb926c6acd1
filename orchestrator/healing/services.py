"""What follows playbooks, built once per event loop, on first use: storage and Data Factory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from orchestrator.actions import services as actions
from orchestrator.incidents import services as incidents

if TYPE_CHECKING:
    from orchestrator.healing.healer import Healer
    from orchestrator.stores.queues import Wishes


@dataclass(frozen=True)
class HealingServices:
    healer: Healer
    wishes: Wishes


def current() -> HealingServices:
    """This event loop's. Raises NotConfigured where settings are missing."""
    return _services.get()


def configured() -> HealingServices | None:
    """`current`, or None where settings are missing."""
    return _services.configured()


def build(settings: Settings) -> HealingServices:
    from orchestrator.healing.healer import Healer
    from orchestrator.stores.queues import Wishes

    acting, watching = actions.current(), incidents.current()
    scopes, wake = watching.investigator.scopes, watching.wake

    async def look(factory: str) -> None:
        name = factory.casefold()
        await scopes.want(name)
        await wake.send(name)

    wishes = Wishes(clients.queue_service(settings), "repairs")
    healer = Healer(
        incidents=watching.incidents,
        actions=acting.store,
        proposer=acting.proposer,
        factories=acting.proposer.factories,
        policy=acting.proposer.judge.policy,
        notifier=acting.desk.telling.notifier,
        later=wishes.send,
        look=look,
        now=acting.desk.now,
        link=watching.escalator.link,
    )
    return HealingServices(healer, wishes)


_services = PerLoop(lambda: build(Settings.load(os.environ)))
