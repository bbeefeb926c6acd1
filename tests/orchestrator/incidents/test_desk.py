"""What people do with incidents, and the report they paste."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import Conflict, NotFound
from orchestrator.incidents.desk import Desk
from orchestrator.incidents.record import MAX_ENTRIES, Entry, Incident
from orchestrator.incidents.report import markdown
from tests.orchestrator.incidents.night import Night
from tests.tools_worker.datafactory.build import NOW


async def opened() -> tuple[Desk, Incident]:
    night = Night()
    night.run()
    await night.alert()
    (incident,) = await night.look()
    return Desk(night.incidents, lambda: NOW + timedelta(hours=1)), incident


async def test_the_first_who_takes_it_up_has_it() -> None:
    desk, incident = await opened()
    first = await desk.acknowledge(incident.id, "ana", "On it.")
    assert (first.acknowledged_by, first.timeline[-1].text) == ("ana", "ana has taken it up. On it.")
    assert await desk.acknowledge(incident.id, "ben") == first


async def test_it_can_be_handed_on_and_remarked_on() -> None:
    desk, incident = await opened()
    assert (await desk.assign(incident.id, "ana", "ben")).assigned_to == "ben"
    assert (await desk.comment(incident.id, "ben", "Password renewed.")).timeline[-1] == Entry(
        NOW + timedelta(hours=1), "commented", "Password renewed.", "ben"
    )


async def test_what_is_over_stays_over_but_takes_remarks() -> None:
    desk, incident = await opened()
    over = await desk.resolve(incident.id, "ana", "Password renewed.")
    assert (over.status, over.resolved_by, over.resolution) == ("resolved", "ana", "Password renewed.")
    for again in (desk.resolve(incident.id, "ben", "x"), desk.acknowledge(incident.id, "ben")):
        with pytest.raises(Conflict, match="was resolved by ana at 2026-03-10 09:00 UTC"):
            await again
    assert (await desk.comment(incident.id, "ben", "Thanks.")).status == "resolved"


async def test_a_secret_that_somebody_pastes_is_seen_by_nobody() -> None:
    desk, incident = await opened()
    pasted = "It is Server=tcp:sql;Password=hunter2hunter2; now."
    await desk.acknowledge(incident.id, "ana", pasted)
    await desk.comment(incident.id, "ana", pasted)
    over = await desk.resolve(incident.id, "ana", pasted)
    assert "hunter2" not in repr(over)
    assert over.resolution.startswith("It is Server=tcp:sql;Password=")


async def test_an_unknown_incident_is_not_found() -> None:
    desk, _ = await opened()
    with pytest.raises(NotFound):
        await desk.comment("inc-202611-000000000000", "ana", "x")


async def test_a_long_timeline_keeps_its_beginning_and_its_end() -> None:
    desk, incident = await opened()
    before = len(incident.timeline)
    for number in range(MAX_ENTRIES + 50):
        incident = await desk.comment(incident.id, "ana", f"remark {number}")
    assert len(incident.timeline) == MAX_ENTRIES
    assert incident.timeline[0].what == "opened"
    assert incident.timeline[-1].text == f"remark {MAX_ENTRIES + 49}"
    assert incident.entries_left_out == before + 50


async def test_the_report_says_what_why_and_what_to_do_and_lets_nothing_in() -> None:
    desk, incident = await opened()
    await desk.comment(incident.id, "ana", "see [here](https://evil.example) <script>|\n# Not a heading")
    over = await desk.resolve(incident.id, "ana", "Password renewed.")
    report = markdown(over)
    for words in ("# LoadSales failed", "severity 3", "## What to do", over.runs[0].run_id, "Password renewed."):
        assert words in report
    assert "\n# Not a heading" not in report
    assert "](https://evil" not in report.replace("\\[here]", "")
    assert "<script>" not in report
