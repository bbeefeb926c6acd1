"""Lists page as the service pages them: the SDK reads on until `last_id` is null."""

from __future__ import annotations

import pytest

from tests.localcloud.foundry.conftest import Json, StandIn, StartStandIn


async def seven(one: StandIn) -> list[str]:
    return [(await one.client.threads.create()).id for _ in range(7)]


async def listed(one: StandIn, query: str) -> Json:
    body: Json = (await one.http.get(f"/api/projects/local/threads?{query}")).json()
    return body


async def test_the_sdk_reads_every_page_and_stops(stand_in: StartStandIn) -> None:
    one = await stand_in()
    made = await seven(one)
    assert [thread.id async for thread in one.client.threads.list(limit=2)] == made[::-1]


async def test_a_page_tells_its_bounds_and_whether_there_is_more(stand_in: StartStandIn) -> None:
    one = await stand_in()
    made = await seven(one)
    page = await listed(one, "limit=3&order=asc")
    assert (page["first_id"], page["last_id"], page["has_more"]) == (made[0], made[2], True)


async def test_an_empty_page_has_null_bounds(stand_in: StartStandIn) -> None:
    page = await listed(await stand_in(), "limit=3")
    assert page == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


async def test_the_pages_around_an_id(stand_in: StartStandIn) -> None:
    one = await stand_in()
    made = await seven(one)
    after = await listed(one, f"order=asc&limit=2&after={made[2]}")
    before = await listed(one, f"order=asc&limit=2&before={made[2]}")
    assert [t["id"] for t in after["data"]] == made[3:5]
    assert [t["id"] for t in before["data"]] == made[0:2]


async def test_deleting_while_listing_loses_nothing(stand_in: StartStandIn) -> None:
    one = await stand_in()
    made = await seven(one)
    seen = []
    async for thread in one.client.threads.list(limit=2):
        seen.append(thread.id)
        await one.client.threads.delete(thread.id)
    assert seen == made[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "order=up", "after=thread_unknown"])
async def test_bad_paging_is_refused(stand_in: StartStandIn, query: str) -> None:
    answer = await (await stand_in()).http.get(f"/api/projects/local/threads?{query}")
    assert answer.status_code == 400
