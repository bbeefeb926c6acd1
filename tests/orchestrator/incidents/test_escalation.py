"""Severity comes from what pipelines mean to people; what nobody takes up is told again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.errors import UpstreamUnavailable
from orchestrator.incidents.desk import Desk
from orchestrator.incidents.escalation import Escalator
from orchestrator.incidents.record import Incident, RunRef
from orchestrator.incidents.severity import by_policy
from orchestrator.notify.console import MemoryNotifier
from orchestrator.policy.reading import parse
from tests.orchestrator.incidents.night import SCOPE, Night

POLICY = parse(f"""
importance:
  - {{factory: {SCOPE}, pipelines: [LoadSales], severity: 3, why: it can wait}}
  - {{factory: {SCOPE}, pipelines: ["Night*"], severity: 0, why: the whole night}}
escalation:
  - severity: [0]
    steps: [{{after_minutes: 15, to: on call}}, {{after_minutes: 60, to: head of data}}]
""")


async def opened(night: Night, parent: str = "Nightly") -> Incident:
    above = night.run(parent)
    night.run("LoadSales", parent=above.run_id)
    (incident,) = await night.look()
    return incident


def escalator(night: Night) -> Escalator:
    return Escalator(night.incidents, night.notifier, lambda: POLICY, lambda: night.now)


async def test_the_most_important_pipeline_decides_also_one_that_only_suffers() -> None:
    incident = await opened(Night())
    judge = by_policy(lambda: POLICY)
    assert judge(incident) == (0, "Nightly: the whole night")
    assert judge(replace(incident, parents=())) == (3, "LoadSales: it can wait")
    other = replace(incident, factory="adf-dev", pipelines=("A", "B", "C"), parents=())
    assert judge(other) == (2, "3 pipelines are stopped by one cause")
    assert judge(replace(other, pipelines=("A",), parents=(RunRef("r", "P"),)))[0] == 2


async def test_what_is_slow_is_milder_than_what_failed() -> None:
    judge = by_policy(lambda: POLICY)
    slow = replace(await opened(Night()), kind="slow", parents=(), pipelines=("Nightly",))
    assert judge(slow) == (1, "Nightly: the whole night; it is slow, but did not fail")
    assert judge(replace(slow, factory="adf-dev"))[0] == 4
    assert judge(replace(slow, pipelines=("LoadSales",)))[0] == 4


async def important(night: Night) -> Incident:
    incident = await opened(night)
    return await night.incidents.save(replace(incident, severity=0))


async def test_each_step_is_taken_once_when_its_time_has_come() -> None:
    night = Night()
    await important(night)
    taken = []
    for minutes in (14, 1, 1, 44, 60):
        night.now += timedelta(minutes=minutes)
        taken.append(await escalator(night).run())
    assert taken == [0, 1, 0, 1, 0]
    (incident,) = await night.known()
    assert (incident.status, incident.escalated) == ("escalated", 2)
    assert [message.key.split(":", 1)[1] for message in night.notifier.sent] == ["opened", "escalated:1", "escalated:2"]
    assert "head of data should look at it" in incident.timeline[-1].text


async def test_what_is_taken_up_or_over_escalates_no_further() -> None:
    for deed in ("acknowledge", "resolve"):
        night = Night()
        incident = await important(night)
        desk = Desk(night.incidents, lambda: night.now)  # noqa: B023 - used within the turn
        await (desk.acknowledge(incident.id, "ana") if deed == "acknowledge" else desk.resolve(incident.id, "ana", "x"))
        night.now += timedelta(hours=3)
        assert await escalator(night).run() == 0


async def test_a_step_whose_message_was_not_taken_is_told_a_minute_later() -> None:
    night = Night()
    await important(night)
    night.now += timedelta(minutes=15)
    night.notifier = MemoryNotifier(UpstreamUnavailable("no", hint=""))
    await escalator(night).run()
    assert night.notifier.sent == []
    await escalator(night).run()
    assert [message.key.split(":", 1)[1] for message in night.notifier.sent] == ["escalated:1"]
    await escalator(night).run()
    assert len(night.notifier.sent) == 1


async def test_an_incident_of_a_severity_without_a_path_is_left_alone() -> None:
    night = Night()
    await opened(night)
    night.now += timedelta(days=2)
    assert await escalator(night).run() == 0
