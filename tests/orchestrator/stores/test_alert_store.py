"""Every store of alerts keeps the same promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import clients
from core.errors import UpstreamUnavailable
from core.settings import Settings
from orchestrator.alerts.record import Alert
from orchestrator.stores import grouped
from orchestrator.stores.alert_tables import TableAlertStore
from orchestrator.stores.alerts import AlertStore, MemoryAlertStore

NOW = datetime(2026, 11, 21, 3, 0, 0, 123456, tzinfo=UTC)


def make_alert(scope: str, **changes: Any) -> Alert:
    alert = Alert("azure-monitor", "metric", uuid.uuid4().hex, True, NOW, NOW, "Failed runs", factory=scope)
    return replace(alert, **changes)


@pytest.fixture
def scope() -> str:
    return f"{uuid.uuid4().hex}-é'"


@pytest.fixture(params=["memory", "tables"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[AlertStore]:
    if request.param == "memory":
        yield MemoryAlertStore(lambda: NOW)
        return
    settings = Settings.load({"STORAGE": request.getfixturevalue("storage")})
    async with clients.table_service(settings) as tables:
        yield TableAlertStore(tables, lambda: NOW)


pytestmark = pytest.mark.contract


async def test_gives_back_what_was_added(store: AlertStore, scope: str) -> None:
    alert = make_alert(
        scope,
        pipeline="Lädt 🚀",
        run_ids=("1", "2"),
        since=NOW - timedelta(minutes=5),
        severity=0,
        dimensions={"Name": "x"},
        details={"deep": [{"a": None}], "long": "x" * 70_000},
    )
    assert await store.add(alert)
    assert await store.pending(scope) == [alert]


async def test_keeps_an_alert_once(store: AlertStore, scope: str) -> None:
    alert = make_alert(scope)
    assert sorted(await asyncio.gather(*(store.add(alert) for _ in range(5)))) == [False] * 4 + [True]
    assert len(await store.pending(scope)) == 1


async def test_tells_each_of_many_at_once_whether_it_is_new(store: AlertStore, scope: str) -> None:
    known, new = [make_alert(scope) for _ in range(8)], [make_alert(scope) for _ in range(120)]
    for alert in known:
        await store.add(alert)
    batch = [*new[:30], *known, *new[30:], *new[:5]]
    told = await asyncio.gather(*map(store.add, batch))
    assert told == [*[True] * 30, *[False] * 8, *[True] * 90, *[False] * 5]
    assert len(await store.pending(scope)) == 128


async def test_knows_alerts_that_another_process_has_kept(storage: str, scope: str) -> None:
    async with clients.table_service(Settings.load({"STORAGE": storage})) as tables:
        known, new = [make_alert(scope) for _ in range(12)], [make_alert(scope) for _ in range(12)]
        await asyncio.gather(*map(TableAlertStore(tables).add, known))
        batch = [alert for pair in zip(new, known, strict=True) for alert in pair]
        assert await asyncio.gather(*map(TableAlertStore(tables).add, batch)) == [True, False] * 12
        one_store = TableAlertStore(tables)
        assert not any(await asyncio.gather(*map(one_store.add, batch)))


async def test_remembers_few_alerts(storage: str, scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouped, "MAX_REMEMBERED", 2)
    async with clients.table_service(Settings.load({"STORAGE": storage})) as tables:
        store, alerts = TableAlertStore(tables, lambda: NOW), [make_alert(scope) for _ in range(4)]
        assert [await store.add(alert) for alert in (*alerts, *alerts)] == [True] * 4 + [False] * 4


async def test_a_caller_that_hangs_up_takes_nobody_elses_alert_away(store: AlertStore, scope: str) -> None:
    tasks = [asyncio.create_task(store.add(make_alert(scope))) for _ in range(10)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[5].cancel()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert told.count(True) >= 8


@pytest.mark.parametrize("days", [-3650, -2, -1, 0, 1, 2, 3650])
async def test_an_alert_of_any_time_is_pending_when_it_has_come_lately(
    store: AlertStore, scope: str, days: int
) -> None:
    alert = make_alert(scope, at=NOW + timedelta(days=days), received_at=NOW - timedelta(days=6))
    assert await store.add(alert)
    assert not await store.add(alert)
    assert await store.pending(scope) == [alert]
    await store.assign(scope, [alert], "incident-1")
    assert await store.of_incident(scope, "incident-1") == [alert]
    assert await store.pending(scope) == []


@pytest.mark.parametrize("days", [-3650, -8, -7, 0])
async def test_an_alert_that_nobody_looked_at_for_a_week_is_history(store: AlertStore, scope: str, days: int) -> None:
    lost = make_alert(scope, at=NOW + timedelta(days=days), received_at=NOW - timedelta(days=7, minutes=1))
    assert await store.add(lost)
    assert await store.pending(scope) == []
    await store.assign(scope, [lost], "incident-1")
    assert await store.of_incident(scope, "incident-1") == [lost]


async def test_keeps_the_end_of_an_alert_beside_its_beginning(store: AlertStore, scope: str) -> None:
    alert = make_alert(scope)
    ended = replace(alert, fired=False, at=NOW + timedelta(minutes=5), received_at=NOW + timedelta(minutes=5))
    assert await store.add(alert)
    assert await store.add(ended)
    assert [each.fired for each in await store.pending(scope)] == [True, False]


async def test_lists_pending_alerts_oldest_first_and_of_this_scope_alone(store: AlertStore, scope: str) -> None:
    alerts = [make_alert(scope, received_at=NOW + timedelta(seconds=seconds)) for seconds in (3, 1, 2)]
    for alert in (*alerts, make_alert(scope + "-other")):
        await store.add(alert)
    assert [each.received_at.second for each in await store.pending(scope)] == [1, 2, 3]


async def test_knows_no_alerts_of_a_scope_nobody_told_of(store: AlertStore, scope: str) -> None:
    assert await store.pending(scope) == []


async def test_an_assigned_alert_is_no_longer_pending(store: AlertStore, scope: str) -> None:
    first, second = make_alert(scope), make_alert(scope)
    await store.add(first)
    await store.add(second)
    await store.assign(scope, [first], "incident-1")
    assert await store.pending(scope) == [second]
    assert await store.of_incident(scope, "incident-1") == [first]


async def test_an_assigned_alert_told_again_stays_assigned(store: AlertStore, scope: str) -> None:
    alert = make_alert(scope)
    await store.add(alert)
    await store.assign(scope, [alert], "incident-1")
    assert not await store.add(alert)
    assert await store.pending(scope) == []


async def test_the_last_incident_an_alert_was_given_to_counts(store: AlertStore, scope: str) -> None:
    alert = make_alert(scope)
    await store.add(alert)
    await store.assign(scope, [alert, alert], "incident-1")
    await store.assign(scope, [alert], "incident-2")
    assert await store.of_incident(scope, "incident-1") == []
    assert await store.of_incident(scope, "incident-2") == [alert]


async def test_assigns_more_alerts_than_one_transaction_holds(store: AlertStore, scope: str) -> None:
    alerts = [make_alert(scope) for _ in range(101)]
    await asyncio.gather(*map(store.add, alerts))
    await store.assign(scope, alerts, "incident-1")
    assert len(await store.of_incident(scope, "incident-1")) == 101
    await store.assign(scope, [], "incident-1")


async def test_drops_what_is_too_old(store: AlertStore, scope: str) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    old, new = make_alert(scope, received_at=long_ago), make_alert(scope)
    elsewhere = make_alert(scope + "-other", received_at=long_ago)
    for alert in (old, new, elsewhere):
        await store.add(alert)
    assert await store.purge(long_ago + timedelta(days=1)) == 2
    assert await store.pending(scope) == [new]
    assert await store.purge(long_ago + timedelta(days=1)) == 0


async def test_says_that_storage_does_not_answer() -> None:
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:9/a;"
    async with clients.table_service(Settings.load({"STORAGE": nowhere})) as tables:
        with pytest.raises(UpstreamUnavailable, match="Table storage cannot be reached"):
            await TableAlertStore(tables).add(make_alert("scope"))


async def test_everybody_hears_that_storage_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(clients.TABLE_PATIENCE, "retry_total", 0)
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:9/a;"
    async with clients.table_service(Settings.load({"STORAGE": nowhere})) as tables:
        store = TableAlertStore(tables)
        told = await asyncio.gather(*(store.add(make_alert("scope")) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(each, UpstreamUnavailable) for each in told)
