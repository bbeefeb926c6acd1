"""Agents are made once, by however many instances, and follow their definition."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from orchestrator.agents import roster
from orchestrator.agents.lifecycle import Agents
from orchestrator.foundry.port import AgentSpec
from tests.orchestrator.scripted_service import ScriptedService


def spec(model: str = "m") -> AgentSpec:
    return roster.supervisor(model, "http://queues", "")


def names(service: ScriptedService) -> list[str]:
    return sorted(record.ref.name for record in service.known.values())


ALL = sorted([roster.SUPERVISOR, *(specialist.name for specialist in roster.SPECIALISTS)])


async def test_makes_each_agent_once_for_many_questions() -> None:
    service = ScriptedService()
    agents = Agents(service, spec())
    await asyncio.gather(*(agents.supervisor() for _ in range(10)))
    assert sorted(service.specs) == ALL


async def test_a_second_process_finds_the_agents_of_the_first() -> None:
    service = ScriptedService()
    first = await Agents(service, spec()).supervisor()
    assert (await Agents(service, spec()).supervisor()).id == first.id
    assert sorted(service.specs) == ALL


async def test_instances_that_start_together_end_with_one_set() -> None:
    service = ScriptedService()
    refs = await asyncio.gather(*(Agents(service, spec()).supervisor() for _ in range(5)))
    assert names(service) == ALL
    assert {ref.id for ref in refs} <= set(service.known)


async def test_a_changed_definition_makes_new_agents_and_retires_the_old_an_hour_later() -> None:
    service = ScriptedService()
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    service.created_at = lambda: moment
    await Agents(service, spec("old")).supervisor()
    moment += timedelta(minutes=1)
    newer = Agents(service, spec("new"))
    await newer.supervisor()
    assert await newer.retire(moment + timedelta(minutes=30)) == 0
    assert await newer.retire(moment + timedelta(minutes=61)) == len(ALL)
    assert names(service) == ALL


async def test_after_a_roll_back_the_older_agents_are_in_use_and_stay() -> None:
    service = ScriptedService()
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    service.created_at = lambda: moment
    older = Agents(service, spec("old"))
    await older.supervisor()
    moment += timedelta(minutes=1)
    newer = Agents(service, spec("new"))
    await newer.supervisor()
    assert await older.retire(moment + timedelta(days=1)) == 0
    assert await newer.retire(moment + timedelta(days=1)) == len(ALL)


async def test_a_recreated_specialist_makes_a_new_supervisor() -> None:
    service = ScriptedService()
    first = await Agents(service, spec()).supervisor()
    lost = next(r.ref.id for r in service.known.values() if r.ref.name == "run_investigator")
    del service.known[lost]
    assert (await Agents(service, spec()).supervisor()).id != first.id
