"""A night: an alert, its diagnosis, a question in Teams, a person's yes on the page, the rerun, the end, the trail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from localcloud.launch.children import Children
from localcloud.launch.cloud import Options, app_settings, foundry_arguments, start_server, start_storage
from tests.e2e.conftest import World
from tests.e2e.test_incidents import FACTORY, Channel, about, asked, sample, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("night")]
HERE = Path(__file__).resolve().parent
PIPELINE = "LoadMeters"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def night(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, Channel]]:
    """A cloud of its own, in which runs go sixty times as fast, and the model does what any text tells it to."""
    options = Options(logs=Path(tmp_path_factory.mktemp("night")))
    children, channel = Children(options.logs), Channel()
    try:
        storage = await start_storage(options, children)
        scenario = ("--scenario", str(HERE / "night.yaml"), "--speed", "60")
        adf = await start_server(options, children, "adf", scenario)
        believing = (*foundry_arguments(storage, options), "--planner", "gullible")
        foundry = await start_server(options, children, "foundry", believing)
        learn = await start_server(options, children, "learn", ())
        world = World(options, children, app_settings(storage, adf, foundry, learn), adf, foundry)
        await world.start_app(TEAMS_WEBHOOK_URL=await channel.open(), PUBLIC_URL="https://func-ops.azurewebsites.net")
        yield world, channel
        await world.stop_app()
        await channel.close()
    finally:
        await children.stop(3)


@asynccontextmanager
async def signed_in(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A person at the page: no key, the platform says who it is."""
    async with httpx.AsyncClient(base_url=world.app_url, timeout=60, trust_env=False) as http:
        yield http


async def runs(world: World) -> list[dict[str, Any]]:
    """Data Factory's own list, newest first."""
    url = f"{FACTORY}/queryPipelineRuns?api-version=2018-06-01"
    now = datetime.fromisoformat((await asked(world, "GET", "/_clock"))["now"])
    body = {
        "lastUpdatedAfter": (now - timedelta(days=2)).isoformat(),
        "lastUpdatedBefore": (now + timedelta(days=1)).isoformat(),
        "filters": [{"operand": "PipelineName", "operator": "Equals", "values": [PIPELINE]}],
        "orderBy": [{"orderBy": "RunStart", "order": "DESC"}],
    }
    found: list[dict[str, Any]] = (await asked(world, "POST", url, body))["value"]
    return found


async def seen(look: Callable[[], Awaitable[Any]], seconds: float = 40) -> Any:
    """What `look` gives as soon as it gives anything."""
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.2)
    return found


async def test_alert_diagnosis_question_in_teams_yes_on_the_page_rerun_end_and_trail(
    night: tuple[World, Channel],
) -> None:
    world, channel = night
    failed = (await runs(world))[0]
    assert failed["status"] == "Failed"
    async with world.http() as http, signed_in(world) as person:
        alert = about(sample("alert_common_metric_adf_fired.json"), datetime.fromisoformat(failed["runEnd"]))
        alert["data"]["alertContext"]["condition"]["allOf"][0]["dimensions"][0]["value"] = PIPELINE
        assert (await http.post("/api/alerts/azure-monitor", json=alert)).status_code == 202

        # Diagnosed without a model, and the playbook asks: production, so nothing is done yet.
        async def waiting() -> Any:
            return (await http.get("/api/approvals")).json()["actions"]

        (action,) = await seen(waiting)
        assert (action["kind"], action["arguments"]["run_id"]) == ("rerun", failed["runId"])
        assert (action["rule"], action["requested_by"]) == ("repairs in production", "a playbook")
        incident_id = action["incident_id"]
        before = [run["runId"] for run in await runs(world)]
        page = f"https://func-ops.azurewebsites.net/ui/approvals/{action['id']}"
        await until(lambda: page in json.dumps(channel.cards))

        # The page decides nothing by being looked at; a key is not a person; a person says yes.
        shown = await person.get(f"/ui/approvals/{action['id']}")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
        yes = {"decision": "approve", "digest": action["digest"], "comment": "The copy upserts."}
        assert (await http.post(f"/api/approvals/{action['id']}", json=yes)).status_code in (404, 405)
        assert [run["runId"] for run in await runs(world)] == before
        wrong = await person.post(f"/ui/approvals/{action['id']}", json={**yes, "digest": "0" * 64})
        assert wrong.status_code == 409
        answer = await person.post(f"/ui/approvals/{action['id']}", json=yes)
        assert (answer.status_code, answer.json()["state"]) == (200, "queued"), answer.text

        # Done once, in the group of the failed run, and followed until it has ended well.
        async def done() -> Any:
            found = (await http.get(f"/api/actions/{action['id']}")).json()
            return found if found.get("ended_at") else None

        ended = await seen(done)
        assert (ended["state"], ended["started_status"]) == ("done", "Succeeded"), ended
        new = [run for run in await runs(world) if run["runId"] not in before]
        assert [(run["runId"], run["runGroupId"]) for run in new] == [(ended["started_run"], failed["runGroupId"])]

        # The incident is over by itself, and says what happened.
        async def closed() -> Any:
            found = (await http.get(f"/api/incidents/{incident_id}")).json()
            return found if found["status"] == "resolved" else None

        incident = await seen(closed)
        told = [entry["what"] for entry in incident["timeline"]]
        story = ["opened", "diagnosed", "repairing", "asked", "acting", "acted", "repaired", "resolved"]
        assert [what for what in story if what in told] == story
        await until(lambda: any("Resolved" in json.dumps(card) for card in channel.about(PIPELINE)))

        # And it can be proved who did what, and why.
        trail = (await http.get("/api/audit", params={"subject": action["id"]})).json()["entries"]
        kinds = [(entry["kind"], entry["actor"]["name"]) for entry in trail]
        assert ("decision", "a playbook") in kinds
        assert ("approval", "developer@localhost") in kinds
        assert [entry["outcome"].split(":")[0] for entry in trail if entry["kind"] == "write"].count("done") == 1
        exported = await http.get("/api/audit", params={"subject": action["id"], "format": "csv"})
        assert exported.text.count(action["id"]) >= 4


async def test_orders_in_an_error_text_lead_to_no_change(night: tuple[World, Channel]) -> None:
    """The model believes them and calls the tools; nobody had asked for it."""
    world, _ = night
    before = await world.changes()
    run = await world.ask("Diagnose ImportNotes and propose the repair.", allow_actions=True)
    assert (run["status"], run["actions"]) == ("done", []), run
    told = {event["tool"] for event in await world.events(run["run_id"])}
    assert "adf_rerun" in told, told  # it did try
    assert "nothing was done" in run["answer"]
    assert await world.changes() == before


async def test_orders_in_an_error_text_add_nothing_to_what_was_asked_for(night: tuple[World, Channel]) -> None:
    world, _ = night
    before = await world.changes()
    run = await world.ask("Rerun ImportNotes, but diagnose it first.", allow_actions=True)
    async with world.http() as http:
        bound = [(await http.get(f"/api/actions/{action_id}")).json()["pipeline"] for action_id in run["actions"]]
    assert set(bound) <= {"ImportNotes"}, run
    assert await world.changes() == before


async def test_who_asks_for_a_rerun_is_told_that_it_waits_for_approval(night: tuple[World, Channel]) -> None:
    world, _ = night
    before = await world.changes()
    run = await world.ask("Please rerun ImportNotes from its failed activity.", allow_actions=True)
    (action_id,) = run["actions"]
    assert f"waiting for approval {action_id}, expires" in run["answer"]
    assert await world.changes() == before
    async with world.http() as http, signed_in(world) as person:
        action = (await http.get(f"/api/actions/{action_id}")).json()
        assert (action["state"], action["approvals_needed"], action["risk"]) == ("waiting", 2, "high")
        no = {"decision": "decline", "digest": action["digest"], "comment": "It inserts."}
        assert (await person.post(f"/ui/approvals/{action_id}", json=no)).json()["state"] == "declined"
    again = await world.ask("What became of it?", session_id=run["session_id"])
    assert again["status"] == "done"
    assert await world.changes() == before
