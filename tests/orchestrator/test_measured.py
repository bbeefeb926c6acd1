"""Alerts, incidents, repairs, actions, limits of the policy, digests and poison messages, as telemetry tells them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from core import clients
from core.settings import Settings
from core.telemetry import names
from orchestrator.actions.deciding import Decider
from orchestrator.incidents.desk import Desk
from orchestrator.stores.queues import Wishes
from tests.orchestrator.actions.desk import ANA, ASK, BEA, Afternoon
from tests.orchestrator.alerts.test_intake import Storage, make_alert
from tests.orchestrator.digest.test_sending import Morning
from tests.orchestrator.healing.ward import Ward
from tests.orchestrator.incidents.night import Night
from tests.orchestrator.incidents.test_escalation import escalator, important
from tests.recorded import Recorded, recording

LIMITED = """
rules:
  - {name: some, why: it is a test, effect: allow, limits: {per_hour: 2, per_pipeline_per_hour: 4}}
"""


def counted(recorded: Recorded, metric: str, *parts: str) -> dict[tuple[Any, ...], float]:
    """By the last words of these attributes' names; there are no others."""
    found = recorded.metric(metric)
    assert all({name.rsplit(".", 1)[-1] for name in about} == set(parts) for about, _ in found), found
    return {tuple(_short(about)[part] for part in parts): total for about, total in found}


def _short(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name.rsplit(".", 1)[-1]: value for name, value in about.items()}


async def test_alerts_are_counted_as_new_or_known() -> None:
    storage = Storage()
    with recording() as recorded:
        await storage.intake.take([make_alert(1), make_alert(2)])
        await storage.intake.take([make_alert(2)])
        assert counted(recorded, names.ALERTS_TAKEN, "outcome") == {("new",): 2, ("known",): 1}
    assert [dict(span.attributes or {}) for span in recorded.spans] == [{"adf_ops.count": 2}, {"adf_ops.count": 1}]


async def test_an_incident_is_counted_when_it_opens_and_when_it_is_over() -> None:
    with recording() as recorded:
        night = Night()
        night.run()
        await night.look()
        await night.look(minutes_later=1)
        night.now += timedelta(minutes=20)
        night.run(status="Succeeded")
        await night.look()
        await night.look(minutes_later=1)
        events = counted(recorded, names.INCIDENTS, "event", "kind", "category")
    assert events == {("opened", "failure", "authentication"): 1, ("resolved", "failure", "authentication"): 1}
    (first, *_) = [span for span in recorded.spans if span.name == "explain_incident"]
    assert dict(first.attributes or {})["adf_ops.incident.category"] == "authentication"
    looks = [span for span in recorded.spans if span.name == "look_at_factory"]
    assert [dict(span.attributes or {})["adf_ops.factory"] for span in looks] == [night.factory.name] * 4
    assert first.parent is not None


async def test_what_a_person_closes_is_counted_once_and_remarks_are_not() -> None:
    night = Night()
    night.run()
    (incident,) = await night.look()
    desk = Desk(night.incidents, lambda: night.now)
    with recording() as recorded:
        await desk.acknowledge(incident.id, "Ana")
        await desk.resolve(incident.id, "Ana", "Mended.")
        await desk.comment(incident.id, "Ana", "A full disk.")
        assert counted(recorded, names.INCIDENTS, "event", "kind", "category") == {
            ("resolved", "failure", "authentication"): 1
        }


async def test_an_escalation_is_counted_once_whatever_steps_it_takes() -> None:
    night = Night()
    await important(night)
    with recording() as recorded:
        for minutes in (15, 45, 60):
            night.now += timedelta(minutes=minutes)
            await escalator(night).run()
        assert [*counted(recorded, names.INCIDENTS, "event", "kind", "category").values()] == [1]


async def test_an_action_is_counted_at_its_end_and_each_step_is_a_span() -> None:
    with recording() as recorded:
        afternoon = Afternoon()
        action = await afternoon.proposed()
        await afternoon.worked()
        assert counted(recorded, names.ACTIONS, "kind", "state") == {("rerun", "done"): 1}
    steps = [dict(span.attributes or {}) for span in recorded.spans if span.name == "execute_action"]
    assert {step["adf_ops.action.id"] for step in steps} == {action.id}
    assert next(step["adf_ops.action.state"] for step in steps) == "queued"


@pytest.mark.parametrize(
    ("policy", "end"),
    [("rules: []", "denied"), (ASK, "declined"), (ASK, "withdrawn"), (ASK, "expired")],
)
async def test_an_action_that_nobody_allowed_is_counted_too(policy: str, end: str) -> None:
    with recording() as recorded:
        afternoon = Afternoon(policy)
        action = await afternoon.proposed()
        if end == "declined":
            await afternoon.desk.decline(action.id, BEA, action.plan.digest)
        elif end == "withdrawn":
            await afternoon.desk.withdraw(action.id, Decider(ANA.name, ANA.id, frozenset({"operator"})))
        elif end == "expired":
            afternoon.now += timedelta(hours=2)
            await afternoon.desk.expire(action)
        assert counted(recorded, names.ACTIONS, "kind", "state") == {("rerun", end): 1}


async def test_what_is_used_up_of_a_limit_is_told_at_each_verdict() -> None:
    afternoon = Afternoon(LIMITED)
    await afternoon.proposed(key="first")
    afternoon.now += timedelta(seconds=1)
    with recording() as recorded:
        await afternoon.proposed(key="second")
        used = counted(recorded, names.LIMIT_USED, "limit", "effect")
    assert used == {("per_hour", "allow"): 0.5, ("per_pipeline_per_hour", "allow"): 0.25}
    afternoon.now += timedelta(seconds=1)
    with recording() as recorded:
        await afternoon.proposed(key="third")
        assert counted(recorded, names.LIMIT_USED, "limit", "effect")["per_hour", "deny"] == 1.0


async def test_a_step_of_a_repair_is_a_span_and_a_look_that_does_nothing_is_none() -> None:
    ward = Ward()
    incident = await ward.struck()
    with recording() as recorded:
        await ward.night(incident)
        steps = [span for span in recorded.spans if span.name == "advance_repair"]
    assert steps
    assert {dict(span.attributes or {})["adf_ops.incident.id"] for span in steps} == {incident.id}


async def test_a_digest_that_is_sent_is_a_span_and_a_turn_without_one_is_none() -> None:
    morning = Morning()
    with recording() as recorded:
        assert await morning.sender().run() == 1
        assert await morning.sender().run() == 0
    (sent,) = recorded.spans
    assert (sent.name, dict(sent.attributes or {})) == ("send_digest", {"adf_ops.outcome": "sent"})


@pytest.mark.contract
async def test_messages_that_the_host_gave_up_on_are_counted_by_their_queue(storage: str) -> None:
    async with clients.queue_service(Settings.load({"STORAGE": storage})) as queues:
        await queues.create_queue("measured-poison")
        for _ in range(2):
            await queues.get_queue_client("measured-poison").send_message("bm8=")
        with recording() as recorded:
            assert await Wishes(queues, "measured").drain() == 2
            assert recorded.metric(names.POISONED) == [({"messaging.destination.name": "measured"}, 2)]
