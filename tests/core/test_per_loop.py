"""Clients are built once for each event loop, and the identity is shared by all of them."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from core import clients
from core.errors import NotConfigured
from core.per_loop import PerLoop
from core.settings import Settings


def test_builds_once_for_a_loop_and_anew_for_another() -> None:
    numbers = count(1)
    things = PerLoop(lambda: next(numbers))

    async def twice() -> tuple[int, int]:
        return things.get(), things.get()

    assert asyncio.run(twice()) == (1, 1)
    assert asyncio.run(twice()) == (2, 2)


async def test_what_could_not_be_built_is_tried_again() -> None:
    tries = count(1)

    def build() -> str:
        if next(tries) == 1:
            raise ValueError("not yet")
        return "built"

    things = PerLoop(build)
    with pytest.raises(ValueError, match="not yet"):
        things.get()
    assert things.get() == "built"


async def test_queues_tables_and_agents_share_one_identity() -> None:
    uris = {"STORAGE__queueServiceUri": "https://a.queue.core.windows.net", "STORAGE__tableServiceUri": "https://a.t"}
    settings = Settings.load(uris)
    async with clients.queue_service(settings) as queues, clients.table_service(settings) as tables:
        shared = clients.credential("https://elsewhere")
        assert queues.credential is shared
        assert tables.credential is shared


async def test_what_nobody_asked_for_is_not_built_by_looking() -> None:
    thing = PerLoop(object)
    assert thing.built() is None
    assert thing.get() is thing.built()


async def test_what_lacks_settings_is_none_for_a_timer_and_told_to_everybody_else() -> None:
    things = PerLoop(lambda: Settings.load({}).require("storage"))
    assert things.configured() is None
    with pytest.raises(NotConfigured):
        things.get()
