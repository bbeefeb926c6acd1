"""Alerts are kept once each, and somebody is told to look after each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.alerts import intake
from orchestrator.alerts.intake import AlertIntake, Taken
from orchestrator.alerts.record import Alert
from orchestrator.stores.alerts import MemoryAlertStore
from orchestrator.stores.scopes import MemoryScopeStore

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def make_alert(number: int = 1, **changes: Any) -> Alert:
    alert = Alert("azure-monitor", "metric", f"alert-{number}", True, NOW, NOW, "Failed runs", factory="adf-1")
    return replace(alert, **changes)


class Storage:
    """Stores in memory, any of which can be down, and what happened in which order."""

    def __init__(self) -> None:
        self.alerts, self.scopes = MemoryAlertStore(), MemoryScopeStore()
        self.down: set[str] = set()
        self.log: list[str] = []
        self.stall = asyncio.Event()
        self.stall.set()
        self.intake = AlertIntake(self, self, self, lambda: NOW, lambda: 0.0)  # type: ignore[arg-type]

    async def add(self, alert: Alert) -> bool:
        self._reach(alert.instance)
        self.log.append("add")
        return await self.alerts.add(alert)

    async def want(self, name: str) -> None:
        self._reach("want")
        self.log.append("want")
        await self.scopes.want(name)

    async def send(self, scope: str, delay_seconds: int = 0) -> None:
        self._reach("wake")
        await self.stall.wait()
        self.log.append("wake")

    async def purge(self, older_than: datetime) -> int:
        return await self.alerts.purge(older_than)

    def _reach(self, what: str) -> None:
        if what in self.down:
            raise UpstreamUnavailable(f"{what} is down")


@pytest.fixture
def storage() -> Storage:
    return Storage()


async def test_keeps_an_alert_then_wishes_for_a_look_then_wakes(storage: Storage) -> None:
    assert await storage.intake.take([make_alert()]) == Taken(new=1, known=0)
    assert storage.log == ["add", "want", "wake"]
    assert await storage.alerts.pending("adf-1") == [make_alert()]


async def test_an_alert_told_twice_is_kept_once_and_looked_at_again(storage: Storage) -> None:
    await storage.intake.take([make_alert()])
    assert await storage.intake.take([make_alert()]) == Taken(new=0, known=1)
    assert storage.log == ["add", "want", "wake"] * 2


async def test_the_same_alert_twice_in_a_batch_counts_once(storage: Storage) -> None:
    assert await storage.intake.take([make_alert(), make_alert()]) == Taken(new=1, known=1)


async def test_no_alerts_are_nothing_to_do(storage: Storage) -> None:
    assert await storage.intake.take([]) == Taken(0, 0)
    assert storage.log == []


async def test_a_batch_wishes_and_wakes_a_few_times_only(storage: Storage) -> None:
    assert await storage.intake.take([make_alert(number) for number in range(200)]) == Taken(200, 0)
    assert storage.log.count("wake") <= 2
    assert storage.log.count("want") < 100


async def test_every_scope_is_wished_for(storage: Storage) -> None:
    await storage.intake.take([make_alert(number, factory=f"adf-{number}") for number in range(3)])
    assert [scope.name for scope in await storage.scopes.all()] == ["adf-0", "adf-1", "adf-2"]


async def test_what_was_not_kept_is_told_and_kept_when_sent_again(storage: Storage) -> None:
    batch = [make_alert(1), make_alert(2)]
    storage.down = {"alert-1"}
    with pytest.raises(UpstreamUnavailable, match="alert-1 is down"):
        await storage.intake.take(batch)
    assert "want" in storage.log  # for the one that was kept
    storage.down = set()
    assert await storage.intake.take(batch) == Taken(new=1, known=1)


async def test_a_wish_that_was_not_kept_is_told_and_made_when_sent_again(storage: Storage) -> None:
    storage.down = {"want"}
    with pytest.raises(UpstreamUnavailable):
        await storage.intake.take([make_alert()])
    storage.down = set()
    assert await storage.intake.take([make_alert()]) == Taken(new=0, known=1)
    assert storage.log[-2:] == ["want", "wake"]


async def test_an_alert_is_accepted_though_nobody_could_be_woken(storage: Storage) -> None:
    storage.down = {"wake"}
    assert await storage.intake.take([make_alert()]) == Taken(new=1, known=0)
    assert storage.log == ["add", "want"]


async def test_an_alert_is_accepted_though_the_queue_stalls(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "WAKE_SECONDS", 0.01)
    storage.stall.clear()
    assert await storage.intake.take([make_alert()]) == Taken(new=1, known=0)
    storage.stall.set()


async def test_tables_that_stall_are_told_in_time(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(storage, "want", lambda name: asyncio.sleep(0.1))
    storage.intake = AlertIntake(storage, storage, storage, lambda: NOW)  # type: ignore[arg-type]
    with pytest.raises(UpstreamUnavailable, match="too long"):
        await storage.intake.take([make_alert()])
    await asyncio.sleep(0.12)


async def test_forgets_alerts_after_ninety_days(storage: Storage) -> None:
    await storage.intake.take([make_alert(1, received_at=NOW - timedelta(days=91)), make_alert(2)])
    assert await storage.intake.forget() == 1
    assert len(await storage.alerts.pending("adf-1")) == 1


async def test_no_alert_is_overlooked_by_those_who_look_when_wished(storage: Storage) -> None:
    """A looker that reads whenever it was wished after its last reading has read every alert in the end."""
    seen: set[str] = set()
    want: Callable[[str], Awaitable[None]] = storage.scopes.want

    async def want_and_look(name: str) -> None:
        await want(name)
        await asyncio.sleep(0)
        seen.update(alert.instance for alert in await storage.alerts.pending("adf-1"))

    storage.scopes.want = want_and_look  # type: ignore[method-assign]
    await asyncio.gather(*(storage.intake.take([make_alert(number)]) for number in range(50)))
    assert len(seen) == 50
