"""From failed runs and alerts to incidents: one for each cause, told once, over when its pipelines run well again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.errors import UpstreamUnavailable
from orchestrator.incidents.investigator import NOWHERE, PATIENCE
from orchestrator.notify.console import MemoryNotifier
from orchestrator.stores.scopes import MemoryScopeStore, Scope
from tests.orchestrator.incidents.night import LOGIN, SCOPE, Night
from tests.tools_worker.datafactory.build import NOW
from tools_worker.datafactory.client import Found
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import Dataset, Pipeline, PipelineRun


async def test_an_alert_becomes_a_diagnosed_incident_and_one_message() -> None:
    night = Night()
    run = night.run()
    alert = await night.alert()
    (incident,) = await night.look()
    assert (incident.status, incident.category, incident.factory) == ("diagnosed", "authentication", SCOPE)
    assert [ref.run_id for ref in incident.runs] == [run.run_id]
    assert (incident.alerts_count, incident.opened_by) == (1, "pipeline failed")
    assert incident.diagnosis["root_cause_category"] == "authentication"
    assert await night.alerts.of_incident(SCOPE, incident.id) == [alert]
    assert [message.about for message in night.notifier.sent] == [incident.id]


async def test_a_failure_without_any_alert_is_found_by_the_watcher() -> None:
    night = Night()
    night.run()
    (incident,) = await night.look()
    assert (incident.status, incident.alerts_count, len(night.notifier.sent)) == ("diagnosed", 0, 1)


async def test_looking_again_finds_nothing_new_and_tells_nobody() -> None:
    night = Night()
    night.run()
    (first,) = await night.look()
    (second,) = await night.look(minutes_later=1)
    assert second == first
    assert len(night.notifier.sent) == 1


async def test_the_same_failure_again_joins_its_incident() -> None:
    night = Night()
    night.run()
    await night.look()
    night.now += timedelta(minutes=30)
    night.run()
    (incident,) = await night.look()
    assert (incident.runs_count, len(night.notifier.sent)) == (2, 1)
    assert "1 more run failed" in incident.timeline[-1].text


async def test_a_parent_that_only_repeats_its_child_is_no_second_incident_even_where_it_fails_later() -> None:
    night = Night()
    parent = night.run("Nightly", status="InProgress")
    night.run("LoadSales", parent=parent.run_id)
    await night.look()
    night.factory.runs[0] = replace(
        parent, status="Failed", end=night.now, updated=night.now, message=f"Operation on target X failed: {LOGIN}"
    )
    (incident,) = await night.look(minutes_later=1)
    assert [ref.pipeline for ref in incident.parents] == ["Nightly"]
    assert incident.pipelines == ("LoadSales",)


async def test_a_login_that_stops_many_pipelines_of_one_linked_service_is_one_cause() -> None:
    night = Night()
    names = ("LoadSales", "LoadStock", "LoadStaff")
    night.factory.dataset_list = [Dataset("SqlTable", "AzureSqlTable", "sqlSales"), Dataset("File", "Parquet", "lake")]
    for name in names:
        source = {"name": f"Copy{name}", "type": "Copy", "inputs": [{"referenceName": "SqlTable"}], "outputs": []}
        night.factory.definitions.append(Pipeline(name, {"activities": [source]}))
        night.run(name)
    (incident,) = await night.look()
    assert set(incident.pipelines) == set(names)
    assert incident.resource == "linked service 'sqlSales'"
    assert (incident.severity, len(night.notifier.sent)) == (2, 1)


async def test_copies_of_a_template_with_bad_data_are_two_causes() -> None:
    night = Night()
    for name in ("LoadSales", "LoadStock"):
        run = night.run(name, error="ErrorCode=TypeConversionFailure,Column 'Amount' cannot be converted.")
        same = replace(night.factory.activities[run.run_id][0], name="CopyTable")
        night.factory.activities[run.run_id] = [same]
    assert len(await night.look()) == 2


async def test_two_errors_are_two_incidents_and_alerts_go_to_their_own() -> None:
    night = Night()
    night.run("LoadSales")
    night.run("SyncCrm", error="ErrorCode=UserErrorFileNotFound,The file customers.csv does not exist.")
    await night.alert("SyncCrm")
    await night.alert("LoadSales")
    incidents = await night.look()
    assert sorted((each.pipelines, each.alerts_count) for each in incidents) == [(("LoadSales",), 1), (("SyncCrm",), 1)]


async def test_an_incident_is_over_when_its_pipeline_ran_well_not_when_an_alert_says_so() -> None:
    night = Night()
    night.run()
    fired = await night.alert()
    await night.look()
    night.now += timedelta(minutes=10)
    await night.alert(instance=fired.instance, fired=False, at=night.now)
    (still,) = await night.look()
    assert still.status == "diagnosed"
    assert still.timeline[-1].what == "alert_over"
    night.now += timedelta(minutes=20)
    good = night.run(status="Succeeded")
    (over,) = await night.look()
    assert (over.status, over.resolution) == ("resolved", "LoadSales ran well again.")
    assert good.run_id in str(over.timeline)
    assert [message.key.split(":")[1] for message in night.notifier.sent] == ["opened", "resolved"]


async def test_a_run_that_began_before_the_failure_ended_mends_nothing() -> None:
    night = Night()
    night.run(minutes_ago=5)
    night.run(status="Succeeded", minutes_ago=2)  # started 3 minutes before the failure ended
    await night.look()
    (incident,) = await night.look(minutes_later=1)
    assert incident.status == "diagnosed"


async def test_an_incident_of_two_pipelines_waits_for_both() -> None:
    night = Night()
    night.factory.dataset_list = [Dataset("SqlTable", "AzureSqlTable", "sqlSales")]
    for name in ("LoadSales", "LoadStock"):
        source = {"name": f"Copy{name}", "type": "Copy", "inputs": [{"referenceName": "SqlTable"}]}
        night.factory.definitions.append(Pipeline(name, {"activities": [source]}))
        night.run(name)
    await night.look()
    night.now += timedelta(minutes=30)
    night.run("LoadSales", status="Succeeded")
    (half,) = await night.look()
    assert (half.status, half.recovered) == ("diagnosed", ("LoadSales",))
    night.now += timedelta(minutes=30)
    night.run("LoadStock", status="Succeeded")
    (over,) = await night.look()
    assert over.status == "resolved"


async def test_the_same_failure_after_the_end_is_a_new_incident_that_knows_the_old_one() -> None:
    night = Night()
    night.run()
    await night.look()
    night.now += timedelta(minutes=30)
    night.run(status="Succeeded")
    await night.look()
    night.now += timedelta(hours=5)
    night.run()
    first, second = await night.look()
    assert second.cause == first.cause
    assert first.id in second.similar[0]
    assert "ran well again" in second.similar[0]


async def test_an_alert_that_comes_before_its_run_waits_for_it() -> None:
    night = Night()
    await night.alert()
    assert await night.look() == []
    night.run(minutes_ago=5)
    (incident,) = await night.look(minutes_later=1)
    assert (incident.kind, incident.alerts_count) == ("failure", 1)


async def test_an_alert_whose_run_never_shows_is_told_by_itself() -> None:
    night = Night()
    await night.alert()
    (incident,) = await night.look(minutes_later=PATIENCE.total_seconds() / 60)
    assert (incident.kind, incident.status) == ("alert", "open")
    assert "no failed run was found" in incident.summary
    assert len(night.notifier.sent) == 1


async def test_an_alert_about_no_factory_is_an_incident_that_ends_with_it() -> None:
    night = Night()
    about = {
        "factory": "",
        "pipeline": "",
        "target": "/subscriptions/1",
        "kind": "service_health",
        "title": "SQL is down",
    }
    await night.alert(**about)
    (incident,) = await night.look(scope="/subscriptions/1")
    assert (incident.kind, incident.title) == ("service_health", "SQL is down")
    night.now += timedelta(hours=1)
    await night.alert(**about, fired=False, at=night.now)
    (over,) = await night.look(scope="/subscriptions/1")
    assert over.status == "resolved"


async def test_the_end_of_an_alert_that_never_fired_is_put_away() -> None:
    night = Night()
    alert = await night.alert(factory="", target="/subscriptions/1", fired=False)
    assert await night.look(scope="/subscriptions/1") == []
    await night.look(minutes_later=6, scope="/subscriptions/1")
    assert await night.alerts.of_incident("/subscriptions/1", NOWHERE) == [alert]


async def test_an_end_that_overtook_its_beginning_does_not_hide_it() -> None:
    night = Night()
    about = {"factory": "", "pipeline": "", "target": "/subscriptions/1", "kind": "budget"}
    await night.alert(**about, fired=False, at=night.now)
    await night.look(scope="/subscriptions/1")
    await night.alert(**about, at=night.now - timedelta(minutes=5))
    (incident,) = await night.look(scope="/subscriptions/1")
    assert (incident.status, incident.alerts_count) == ("resolved", 1)


async def test_a_message_that_was_not_taken_is_sent_at_the_next_look() -> None:
    night = Night(notifier=MemoryNotifier(UpstreamUnavailable("no", hint="")))
    night.run()
    (incident,) = await night.look()
    assert (incident.status, night.notifier.sent) == ("diagnosed", [])
    await night.look(minutes_later=1)
    assert len(night.notifier.sent) == 1


async def test_old_failures_of_a_factory_never_looked_at_are_history() -> None:
    night = Night()
    night.run(minutes_ago=300)
    assert await night.look() == []


async def test_after_a_long_pause_nothing_in_between_is_missed() -> None:
    night = Night()
    await night.look()
    night.now += timedelta(hours=20)
    night.run(minutes_ago=18 * 60)
    (incident,) = await night.look()
    assert incident.kind == "failure"


async def test_an_alert_about_an_older_window_finds_its_run() -> None:
    night = Night()
    await night.look()
    night.now += timedelta(minutes=1)
    run = night.run(minutes_ago=90)
    await night.alert(since=night.now - timedelta(minutes=95), until=night.now - timedelta(minutes=85))
    (incident,) = await night.look()
    assert [ref.run_id for ref in incident.runs] == [run.run_id]


async def test_who_looks_while_somebody_looks_leaves_it_to_him() -> None:
    night = Night()
    night.run()
    lease = await night.scopes.lease(SCOPE, "another", night.now, night.now + timedelta(minutes=3))
    assert lease is not None
    assert await night.look() == []
    assert not await night.scopes.release(lease)  # wanted meanwhile: he looks once more


async def test_two_at_once_open_one_incident() -> None:
    night = Night()
    night.run()
    await asyncio.gather(*(night.investigator.look(SCOPE) for _ in range(4)))
    assert len(await night.known()) == 1
    assert len(night.notifier.sent) == 1


async def test_a_storm_of_alerts_costs_no_more_queries_than_one() -> None:
    quiet, storm = Night(), Night()
    for night in (quiet, storm):
        night.run()
        await night.alert()
    for number in range(200):
        await storm.alert(instance=f"again-{number}")
    await quiet.look()
    (incident,) = await storm.look()
    assert incident.alerts_count == 201
    assert storm.factory.calls == quiet.factory.calls


class Silent(MemoryDataFactory):
    """Does not answer until it is told to."""

    silent = True

    async def pipeline_runs(self, *args: Any, **options: Any) -> Found[PipelineRun]:
        if self.silent:
            raise UpstreamUnavailable("Data Factory does not answer.", hint="")
        return await super().pipeline_runs(*args, **options)


async def test_while_data_factory_is_silent_alerts_wait_and_then_speak_for_themselves() -> None:
    factory = Silent(SCOPE)
    night = Night(factory=factory)
    night.run()
    await night.alert()
    assert await night.look() == []
    (alone,) = await night.look(minutes_later=6)
    assert (alone.kind, len(night.notifier.sent)) == ("alert", 1)
    assert "Data Factory could not be asked" in alone.summary
    factory.silent = False
    assert [each.kind for each in await night.look(minutes_later=1)] == ["alert", "failure"]


async def test_a_look_that_failed_leaves_its_wish_and_no_lease() -> None:
    night = Night(factory=Silent(SCOPE))
    await night.look()
    (scope,) = await night.scopes.all()
    assert (scope.owner, scope.waits(night.now)) == ("", True)
    night.factory.silent = False  # type: ignore[attr-defined]
    await night.investigator.look(SCOPE)
    (scope,) = await night.scopes.all()
    assert not scope.waits(night.now)


class Forgetful(MemoryDataFactory):
    """Lists runs, but does not give a single one, so that nothing can be diagnosed."""

    async def pipeline_run(self, run_id: str) -> PipelineRun:
        raise UpstreamUnavailable("Data Factory does not answer.", hint="")


async def test_what_cannot_be_diagnosed_is_told_once_after_two_minutes() -> None:
    night = Night(factory=Forgetful(SCOPE))
    night.run()
    await night.look()
    assert night.notifier.sent == []
    for _ in range(4):
        (incident,) = await night.look(minutes_later=2)
    assert (incident.diagnosis, len(night.notifier.sent)) == ({}, 1)
    assert sum(entry.what == "not_diagnosed" for entry in incident.timeline) == 1


async def test_what_cannot_be_diagnosed_is_tried_less_and_less_often() -> None:
    night = Night(factory=Forgetful(SCOPE))
    night.run()
    await night.look()
    tried = []
    for minute in range(1, 122):
        before = (await night.known())[0].diagnosis_tries
        night.now = NOW + timedelta(minutes=minute, seconds=-15 if minute % 2 else 15)  # looks do not come by the clock
        (incident,) = await night.look()
        tried += [minute] if incident.diagnosis_tries > before else []
    assert tried == [1, 3, 7, 15, 31, 61, 91, 121]
    night.factory = MemoryDataFactory(SCOPE, runs=night.factory.runs, activities=night.factory.activities)
    (incident,) = await night.look(minutes_later=30)
    assert incident.category == "authentication"


async def test_runs_carry_the_factory_they_can_be_opened_in() -> None:
    night = Night()
    night.run()
    (incident,) = await night.look()
    assert incident.runs[0].factory == night.factory.id.path
    assert "Run in Data Factory" in str(night.notifier.sent[0].card)


async def test_whoever_finds_no_run_for_an_alert_looks_again_soon_but_not_for_ever() -> None:
    night, again = Night(), list[tuple[str, int]]()

    async def look_again(scope: str, seconds: int) -> None:
        again.append((scope, seconds))

    await night.alert()
    await replace(night.investigator, again=look_again).look(SCOPE)
    assert again == [(SCOPE, 10)]
    night.now += PATIENCE
    await replace(night.investigator, again=look_again).look(SCOPE)
    assert len(again) == 1


class Remembering(MemoryDataFactory):
    """Knows of no runs, unless it is asked for what is true now."""

    async def pipeline_runs(self, *args: Any, **more: Any) -> Found[PipelineRun]:
        return Found()

    def fresh(self) -> MemoryDataFactory:
        return MemoryDataFactory(self.name, runs=self.runs)


async def test_a_look_is_not_answered_from_what_was_asked_before_the_alert() -> None:
    night = Night(factory=Remembering(SCOPE))
    night.run()
    await night.alert()
    (incident,) = await night.look()
    assert (incident.alerts_count, incident.runs_count) == (1, 1)
    night.now += timedelta(minutes=10)
    night.run(status="Succeeded")
    (incident,) = await night.look()
    assert incident.status == "resolved"


class Restless(MemoryScopeStore):
    """Somebody wishes for another look during each."""

    looks = 0

    async def release(self, scope: Scope) -> bool:
        self.looks += 1
        await self.want(scope.name)
        return await super().release(scope)


async def test_in_a_storm_that_does_not_end_looking_ends_and_the_wish_stays() -> None:
    scopes = Restless()
    night = Night(scopes=scopes)
    moments = (night.now + timedelta(minutes=minute) for minute in range(1000))
    await replace(night.investigator, now=lambda: next(moments)).look(SCOPE)
    assert 1 <= scopes.looks <= 5
    (scope,) = await scopes.all()
    assert scope.waits(night.now)
