"""What the trail is built of, by what is set; and its timers where nothing is."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.errors import NotConfigured
from core.settings import Settings
from orchestrator.audit import services, triggers
from orchestrator.audit.trail import Standing

TABLES = "QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a;SharedAccessSignature=sig"
STORAGE = "AccountName=a;AccountKey=YQ==;"


async def test_it_is_anchored_and_kept_as_long_as_is_set() -> None:
    built = services.build(Settings.load({"STORAGE": STORAGE, "AUDIT_DAYS": "30"}))
    assert built.keeper is not None
    assert built.keeper.keep == timedelta(days=30)
    assert built.keeper.sealed is built.sealed


async def test_without_a_place_for_blobs_it_is_kept_all_the_same_and_nothing_dropped() -> None:
    built = services.build(Settings.load({"STORAGE": TABLES}))
    assert (built.sealed, built.keeper) == (None, None)


async def test_without_storage_whoever_must_record_is_told_and_timers_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORAGE", "STORAGE__queueServiceUri", "STORAGE__tableServiceUri"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NotConfigured):
        services.current()
    for timer in (triggers.audit_anchor, triggers.audit_keep):
        await _function(timer)(SimpleNamespace())


async def test_it_is_built_once_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE", STORAGE)
    built = await services.ready()
    assert await services.ready() is built
    assert services.current() is built.audit
    assert await services.provided() is built.store


async def test_its_standing_is_told_without_building_it() -> None:
    assert services.standing() == Standing()


class Counting:
    def __init__(self) -> None:
        self.asked = list[str]()

    async def _did(self, what: str) -> int:
        self.asked.append(what)
        return 1

    async def anchor(self) -> int:
        return await self._did("anchor")

    async def export(self) -> int:
        return await self._did("export")

    async def drop(self) -> int:
        return await self._did("drop")


async def test_timers_keep_the_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Counting()
    monkeypatch.setattr(services, "configured", lambda: SimpleNamespace(keeper=keeper))
    await _function(triggers.audit_anchor)(SimpleNamespace())
    await _function(triggers.audit_keep)(SimpleNamespace())
    assert keeper.asked == ["anchor", "export", "drop"]


def _function(built: Any) -> Any:
    """The user's function of what the blueprint made of it."""
    return cast("Any", built)._function.get_user_function()
