"""The digest of the stand-in's world: asked for over HTTP, and sent into a channel when its time has come."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import World
from tests.e2e.test_incidents import Channel, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]


async def test_the_digest_of_a_week_names_what_failed_and_what_it_cost(world: World) -> None:
    async with world.http() as http:
        body = (await http.get("/api/digest", params={"period": "week", "factory": "adf-prod"})).json()
    assert any("LoadSales" in line for line in body["failures"]), body
    assert body["runs"] > body["failed"] > 0
    assert (body["factories"], body["silent"]) == (["adf-prod"], [])
    assert "at list price" in body["cost"]
    assert body["text"].startswith("The week in Data Factory\n")


async def test_the_digest_of_the_day_is_sent_once_also_by_two_lives_of_the_app(world: World) -> None:
    channel = Channel()
    settings = {
        "TEAMS_WEBHOOK_URL": await channel.open(),
        "DIGEST_AT": "00:00",
        "AzureWebJobs__watch_all__Disabled": "true",
    }

    def digests() -> list[str]:
        return [told for card in channel.cards if "The day in Data Factory" in (told := json.dumps(card))]

    try:
        for _ in range(2):
            await world.stop_app()
            await world.start_app(**settings)
            async with world.http() as http:
                (await http.post("/admin/functions/digest_send", json={"input": ""})).raise_for_status()
            await until(lambda: bool(digests()))
        await world.stop_app()  # waits for what is under way
        assert len(digests()) == 1
        assert "adf-prod" in digests()[0]
    finally:
        await channel.close()
        await world.stop_app()
        await world.start_app()
