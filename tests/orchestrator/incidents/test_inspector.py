"""Checks have their turns; what they find is told once and ends by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.errors import UpstreamUnavailable
from orchestrator.incidents.checks import Check, Glance, Trouble
from orchestrator.incidents.desk import Desk
from orchestrator.incidents.record import Incident
from tests.orchestrator.incidents.night import Night
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import PipelineRun


@dataclass
class Scripted:
    """A check that finds what it is told to."""

    found: list[Trouble] = field(default_factory=list)
    made: list[datetime] = field(default_factory=list)
    error: Exception | None = None
    ends: str = "It has passed."

    async def look(self, _: DataFactory, glance: Glance) -> Sequence[Trouble]:
        self.made.append(glance.now)
        if self.error:
            raise self.error
        return self.found

    async def over(self, _: DataFactory, __: Incident, ___: Glance) -> str:
        return self.ends

    @property
    def night(self) -> Night:
        return Night(checks=(Check("scripted", frozenset({"missed"}), timedelta(minutes=10), self.look, self.over),))


def trouble(occasion: str = "first", runs: tuple[PipelineRun, ...] = ()) -> Trouble:
    return Trouble("missed", "Nightly", occasion, "Nightly was missed", "Nightly did not fire.", ("LoadSales",), runs)


async def test_what_a_check_finds_is_an_incident_and_one_message() -> None:
    check = Scripted([trouble()])
    night = check.night
    (incident,) = await night.look()
    assert (incident.kind, incident.resource, incident.pipelines) == ("missed", "Nightly", ("LoadSales",))
    assert incident.summary == "Nightly did not fire."
    (again,) = await night.look(minutes_later=10)
    assert again == incident
    assert len(night.notifier.sent) == 1


async def test_it_ends_when_the_check_finds_it_no_longer_and_says_why() -> None:
    check = Scripted([trouble()])
    night = check.night
    await night.look()
    check.found = []
    (incident,) = await night.look(minutes_later=10)
    assert (incident.status, incident.resolution) == ("resolved", "It has passed.")
    assert len(night.notifier.sent) == 2


async def test_it_stays_where_nobody_knows_that_it_is_over() -> None:
    check = Scripted([trouble()], ends="")
    night = check.night
    await night.look()
    check.found = []
    (incident,) = await night.look(minutes_later=10)
    assert not incident.ended


async def test_a_check_waits_for_its_turn() -> None:
    check = Scripted()
    night = check.night
    for _ in range(21):
        await night.look(minutes_later=1)
    assert len(check.made) == 3


async def test_a_check_that_fails_ends_nothing_and_is_made_again_soon() -> None:
    check = Scripted([trouble()])
    night = check.night
    await night.look()
    check.found, check.error = [], UpstreamUnavailable("no", hint="")
    for minutes in (10, 1, 1, 1, 1):
        (incident,) = await night.look(minutes_later=minutes)
    assert not incident.ended
    assert len(check.made) == 2
    await night.look(minutes_later=1)
    assert len(check.made) == 3


async def test_failed_runs_are_told_although_a_check_fails() -> None:
    night = Scripted(error=UpstreamUnavailable("no", hint="")).night
    night.run()
    (incident,) = await night.look()
    assert incident.status == "diagnosed"


async def test_what_a_person_closed_is_not_opened_again_but_the_next_time_is_told() -> None:
    check = Scripted([trouble()])
    night = check.night
    (incident,) = await night.look()
    await Desk(night.incidents, lambda: night.now).resolve(incident.id, "ana", "Known.")
    assert len(await night.look(minutes_later=10)) == 1
    check.found = [trouble("second")]
    assert len(await night.look(minutes_later=10)) == 2


async def test_more_of_the_same_trouble_joins_its_incident() -> None:
    check = Scripted()
    night = check.night
    first, second = night.run(status="Succeeded"), night.run(status="Succeeded")
    check.found = [trouble("first", (first,))]
    await night.look()
    check.found = [trouble("second", (second, first))]
    (incident,) = await night.look(minutes_later=10)
    assert (incident.runs_count, len(night.notifier.sent)) == (2, 1)
    assert "1 more run in the same trouble" in incident.timeline[-1].text
