"""The digest of the stand-in's world, asked for over HTTP."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import World

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]


async def test_the_digest_of_a_week_names_what_failed_and_what_it_cost(world: World) -> None:
    async with world.http() as http:
        body = (await http.get("/api/digest", params={"period": "week", "factory": "adf-prod"})).json()
    assert any("LoadSales" in line for line in body["failures"]), body
    assert body["runs"] > body["failed"] > 0
    assert (body["factories"], body["silent"]) == (["adf-prod"], [])
    assert "at list price" in body["cost"]
    assert body["text"].startswith("The week in Data Factory\n")
