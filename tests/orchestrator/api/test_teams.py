"""Questions from Teams: an answer when there is one, an acknowledgement when there is none yet, words in trouble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.errors import UpstreamUnavailable
from orchestrator import services
from orchestrator.agents import roster
from orchestrator.agents.lifecycle import Agents
from orchestrator.api import problems, teams
from orchestrator.foundry.port import Turn, TurnRef
from orchestrator.runs.conductor import Conductor
from orchestrator.runs.intake import Intake
from orchestrator.runs.record import Run, Session
from orchestrator.runs.signals import Signals
from orchestrator.services import Services
from orchestrator.stores.runs import MemoryRunStore
from orchestrator.sweeper import Sweeper
from orchestrator.teams.activity import asked_in_teams
from tests.orchestrator.api.test_api import ServedAtOnce, endless, problem, utc_now
from tests.orchestrator.scripted_service import Script, ScriptedService, answer_at_once, answered
from tests.orchestrator.teams.test_activity import ACTIVITY

LINK = "https://func.example/hooks/runs/"


class Store(MemoryRunStore):
    """`down` and `stuck` are how storage fails."""

    down = stuck = False

    async def open_session(self, session: Session) -> None:
        if self.stuck:
            await asyncio.sleep(60)
        if self.down:
            raise UpstreamUnavailable("Table storage does not answer.", hint="Try again in a minute.")
        await super().open_session(session)


class Channel:
    """The door of Teams in this process over in-memory parts, called as Teams calls it."""

    def __init__(self, script: Script, how: teams.Manner) -> None:
        self.store, self.queue, signals = Store(), ServedAtOnce(), Signals()
        service = ScriptedService(script)
        agents = Agents(service, roster.supervisor("gpt-test", "http://queues", ""))
        conductor = Conductor(self.store, service, agents, signals, utc_now, 0.1)
        self.queue.conductor = conductor
        intake = Intake(self.store, self.queue, signals, utc_now, deadline_seconds=30)
        sweeper = Sweeper(self.store, service, agents, conductor, self.queue, None, utc_now)
        parts = Services(self.store, signals, intake, conductor, sweeper)

        async def manner() -> teams.Manner:
            return how

        app = FastAPI()
        app.include_router(teams.router)
        problems.register(app)
        app.dependency_overrides[services.provided] = lambda: parts
        app.dependency_overrides[teams.manner] = manner
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://app.example")

    async def say(self, text: str = "<at>Ops</at> What failed?", **changes: Any) -> str:
        response = await self.http.post("/hooks/teams/messages", json={**ACTIVITY, "text": text, **changes})
        assert response.status_code == 200
        reply: dict[str, str] = response.json()
        assert set(reply) == {"type", "text"}
        assert reply["type"] == "message"
        return reply["text"]

    async def runs(self) -> list[Run]:
        return [await self.store.load(run_id) for run_id in await self.store.active()]


@asynccontextmanager
async def channel(script: Script = answer_at_once, *, posted: bool = True) -> AsyncIterator[Channel]:
    made = Channel(script, teams.Manner(posted=posted, link=lambda run: f"{LINK}{run.id}"))
    try:
        yield made
    finally:
        for task in made.queue.serving:
            task.cancel()
        await asyncio.gather(*made.queue.serving, return_exceptions=True)
        await made.http.aclose()


async def remembering(ref: TurnRef, text: str) -> AsyncIterator[Turn]:
    yield answered(ref, f"In {ref.conversation}: {text}")


async def test_a_short_answer_is_the_reply() -> None:
    async with channel() as teams_channel:
        told = await teams_channel.say()
    assert told.startswith("Answer to: What failed?")
    assert f"]({LINK}run-" in told


async def test_a_longer_one_is_acknowledged_with_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "POSTED_WAIT_SECONDS", 0.05)
    async with channel(endless) as teams_channel:
        told = await teams_channel.say()
        [run] = await teams_channel.runs()
    assert told.startswith("I am looking into “What failed?”. The answer will be posted in this channel.")
    assert told.endswith(f"({LINK}{run.id})")


async def test_an_answer_is_promised_before_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "POSTED_WAIT_SECONDS", 0.05)
    async with channel(endless) as teams_channel:
        await teams_channel.say()
        [run] = await teams_channel.runs()
        assert await teams_channel.store.answer_promised(run.id)


async def test_what_was_answered_at_once_is_not_promised() -> None:
    async with channel() as teams_channel:
        promised: list[str] = []
        teams_channel.store.promise_answer = promised.append  # type: ignore[method-assign,assignment]
        assert (await teams_channel.say()).startswith("Answer to")
        assert promised == []


async def test_a_run_that_ends_right_before_the_promise_is_answered_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "POSTED_WAIT_SECONDS", 0.0)
    async with channel(endless) as teams_channel:
        store = teams_channel.store
        promise = store.promise_answer

        async def ends_first(run_id: str) -> None:
            run = await store.load(run_id)
            await store.save(replace(run, status="done", answer="Just in time.", ended_at=utc_now()))
            await promise(run_id)

        store.promise_answer = ends_first  # type: ignore[method-assign]
        assert (await teams_channel.say()).startswith("Just in time.")


async def test_a_promise_that_cannot_be_noted_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "POSTED_WAIT_SECONDS", 0.0)
    async with channel(endless) as teams_channel:

        async def fails(run_id: str) -> None:
            raise UpstreamUnavailable("Table storage does not answer.")

        teams_channel.store.promise_answer = fails  # type: ignore[method-assign]
        told = await teams_channel.say()
    assert told.startswith("I am looking into")
    assert "posted" not in told


async def test_without_a_channel_to_post_in_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "ONLY_WAIT_SECONDS", 0.05)
    async with channel(endless, posted=False) as teams_channel:
        assert "posted" not in await teams_channel.say()


async def test_an_activity_sent_again_is_the_same_question() -> None:
    async with channel() as teams_channel:
        told = [await teams_channel.say() for _ in range(3)]
        assert len(set(told)) == 1
        assert len(teams_channel.queue.serving) == 1


async def test_questions_of_one_thread_share_a_session() -> None:
    async with channel(remembering) as teams_channel:
        first, second = await teams_channel.say(id="1"), await teams_channel.say(id="2", text="And before?")
        elsewhere = await teams_channel.say(id="3", conversation={"id": "19:other"})
    place = [told.split(":")[0] for told in (first, second, elsewhere)]
    assert place[0] == place[1] != place[2]


async def test_a_run_knows_that_it_was_asked_in_teams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "POSTED_WAIT_SECONDS", 0.0)
    async with channel(endless) as teams_channel:
        await teams_channel.say()
        [run] = await teams_channel.runs()
    assert asked_in_teams(run)


@pytest.mark.parametrize("said", [{"text": ""}, {"text": "<at>Ops</at> help"}, {"text": None}, {"text": {"a": 1}}])
async def test_who_asks_nothing_is_told_what_can_be_asked(said: dict[str, Any]) -> None:
    async with channel() as teams_channel:
        response = await teams_channel.http.post("/hooks/teams/messages", json={**ACTIVITY, **said})
        assert "What failed in the last 24 hours?" in response.json()["text"]
        assert await teams_channel.runs() == []


async def test_storage_that_is_down_is_told_in_words() -> None:
    async with channel() as teams_channel:
        teams_channel.store.down = True
        assert "Table storage does not answer. Try again in a minute." in await teams_channel.say()


async def test_storage_that_hangs_does_not_keep_teams_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "ACCEPT_SECONDS", 0.05)
    async with channel() as teams_channel:
        teams_channel.store.stuck = True
        assert "Storage does not answer. Ask again in a minute." in await teams_channel.say()


async def test_all_waits_together_leave_time_to_answer_within_what_teams_allows() -> None:
    assert max(teams.ACCEPT_SECONDS, teams.ONLY_WAIT_SECONDS) + teams.LOOK_SECONDS < 4.5
    assert teams.POSTED_WAIT_SECONDS < 1


async def test_trouble_in_looking_does_not_hide_that_the_question_was_taken() -> None:
    async with channel(endless) as teams_channel:
        load = teams_channel.store.load

        async def fails(run_id: str) -> Run:
            raise UpstreamUnavailable("Table storage does not answer.")

        teams_channel.store.load = fails  # type: ignore[method-assign]
        assert (await teams_channel.say()).startswith("I am looking into")
        teams_channel.store.load = load  # type: ignore[method-assign]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"[" * 20_000, b"\xff\xfe", b"null", b"7"])
async def test_a_body_that_is_no_activity_is_refused(body: bytes) -> None:
    async with channel() as teams_channel:
        response = await teams_channel.http.post("/hooks/teams/messages", content=body)
    assert "Teams" in problem(response, 422, "invalid_arguments")["detail"]


async def test_the_reply_to_an_odd_question_can_be_sent() -> None:
    async with channel() as teams_channel:
        body = json.dumps({**ACTIVITY, "text": "why \ud800 <script>alert(1)</script>\u202e"})
        response = await teams_channel.http.post("/hooks/teams/messages", content=body.encode())
    assert response.status_code == 200
    assert "<" not in response.json()["text"]
