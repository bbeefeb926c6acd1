"""The page on which persons decide, in a real browser: it shows what would happen, and a click is a decision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from fastapi import Request

from localcloud.serve import free_socket
from orchestrator.actions import services as action_services
from orchestrator.actions.record import Action
from orchestrator.actions.services import ActionServices
from orchestrator.api import app as api
from orchestrator.api import callers
from tests.orchestrator.actions.desk import ASK, Afternoon
from tests.orchestrator.api.doors import by_path
from tests.orchestrator.web.browser import FOUND, Page, browser

pytestmark = pytest.mark.skipif(not FOUND, reason="no Chromium on this machine")
BEA = callers.Caller("person", "bea@contoso.com", frozenset({"reader", "approver"}), "id-bea")
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


class Site:
    """The app's own routes over memory, with somebody signed in."""

    def __init__(self) -> None:
        self.desk, self.person, self.url = Afternoon(ASK), BEA, ""

    async def let_in(self, request: Request) -> None:
        request.state.caller = self.person

    async def waiting(self, why: str = "") -> Action:
        return await self.desk.proposed(why=why)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made, app = Site(), api.build()
    parts = ActionServices(made.desk.store, made.desk.proposer, made.desk.desk, cast("Any", None))
    app.dependency_overrides[action_services.provided] = lambda: parts
    for guard, _ in api.GUARDED:
        app.dependency_overrides[guard] = made.let_in
    socket = free_socket(0)
    made.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(by_path(app), log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve([socket]))
    yield made
    server.should_exit = True
    await serving


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browser(tmp_path / "profile") as opened:
        yield opened


SHOWN = "document.getElementById('page') && !document.getElementById('page').hasAttribute('aria-busy')"


async def text(page: Page, name: str) -> str:
    return str(await page.js(f"document.getElementById('{name}').innerText"))


async def test_it_shows_what_would_happen_and_decides_by_a_click(site: Site, page: Page) -> None:
    action = await site.waiting("The login was renewed.")
    await page.open(f"{site.url}/ui/approvals/{action.id}")
    await page.until(SHOWN)
    assert await text(page, "state") == "Waiting for approval"
    assert await text(page, "title") == "rerun of LoadSales"
    assert await text(page, "effects") == "LoadSales runs again."
    assert "status of run r-1\nFailed" in await text(page, "facts")
    assert (await site.desk.action(action)).state == "waiting"  # looking decides nothing
    await page.js("document.getElementById('comment').value = 'Checked.'; document.querySelector('.yes').click()")
    await page.until("document.getElementById('said').innerText === 'You approved it.'")
    approved = await site.desk.action(action)
    assert (approved.state, approved.approvals[0].by, approved.approvals[0].comment) == (
        "queued",
        "bea@contoso.com",
        "Checked.",
    )
    await page.until("document.getElementById('state').innerText === 'Allowed, about to be done'")
    await page.js("document.querySelector('#withdraw button').click()")
    await page.until("document.getElementById('said').innerText === 'You took it back.'")
    assert (await site.desk.action(action)).state == "waiting"


async def test_text_from_outside_is_text(site: Site, page: Page) -> None:
    action = await site.waiting(NASTY)
    await page.open(f"{site.url}/ui/approvals/{action.id}")
    await page.until(SHOWN)
    assert await text(page, "why") == NASTY
    assert await page.js("document.title") == "rerun of LoadSales"
    assert await page.js("document.querySelectorAll('main img, main script').length") == 0


async def test_what_was_changed_meanwhile_is_not_decided(site: Site, page: Page) -> None:
    action = await site.waiting()
    await page.open(f"{site.url}/ui/approvals/{action.id}")
    await page.until(SHOWN)
    known = await site.desk.action(action)
    await site.desk.store.save(replace(known, plan=replace(known.plan, facts={"status of run r-1": "Cancelled"})))
    await page.js("document.querySelector('.yes').click()")
    await page.until("document.getElementById('said').innerText.startsWith('This is not what you were shown.')")
    assert (await site.desk.action(action)).state == "waiting"
    await page.until("document.getElementById('facts').innerText.includes('Cancelled')")  # loaded again, to be read


async def test_who_may_not_decide_is_offered_nothing(site: Site, page: Page) -> None:
    site.person = callers.Caller("person", "dan@contoso.com", frozenset({"reader"}), "id-dan")
    action = await site.waiting()
    await page.open(f"{site.url}/ui/approvals/{action.id}")
    await page.until(SHOWN)
    assert await page.js("document.getElementById('decide').hidden && document.getElementById('withdraw').hidden")


async def test_an_action_that_is_not_there_is_said(site: Site, page: Page) -> None:
    await page.open(f"{site.url}/ui/approvals/A-202611-0000000000000000")
    await page.until("document.getElementById('said') && document.getElementById('said').innerText.length > 0")
    assert (await text(page, "said")).startswith("There is no action 'A-202611-0000000000000000'.")


async def test_the_end_of_a_pause_says_when_it_comes(site: Site, page: Page) -> None:
    action = await site.waiting()
    due = datetime(2126, 11, 21, 16, 30, tzinfo=UTC)
    await site.desk.store.save(replace(await site.desk.action(action), state="queued", not_before=due))
    await page.open(f"{site.url}/ui/approvals/{action.id}")
    await page.until(SHOWN)
    assert await text(page, "state") == "Allowed, to be done later"
    assert "2126-11-21 16:30 UTC" in await text(page, "terms")
