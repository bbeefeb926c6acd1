"""One message of every kind, as a channel would get it on a bad morning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.incidents.record import Incident, RunRef
from orchestrator.notify.cards.answer import answer_message
from orchestrator.notify.cards.approval import Decision, Proposal, approval_card, decision_card
from orchestrator.notify.cards.diagnosis import diagnosis_card
from orchestrator.notify.cards.digest import Digest, digest_card
from orchestrator.notify.cards.incident import incident_card
from orchestrator.notify.port import Message
from orchestrator.runs.record import Run

NOW = datetime(2026, 11, 21, 6, 12, tzinfo=UTC)
FACTORY = "/subscriptions/0c1d/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-contoso-prod"
RUN_ID = "2f7fdb90-5df1-4b8e-ac2f-064cfa58202b"
PAGE = "https://func-contoso.azurewebsites.net/ui#/"
ERROR = "Cannot open server 'sql-contoso' requested by the login. Client with IP address is not allowed to access it."
SUMMARY = (
    "LoadSales failed in the activity CopyOrders: the sink database refused the connection, since its firewall does "
    "not let the integration runtime in. The same error stopped 11 other runs since 05:40 UTC. The last good run was "
    "at 2026-11-21 05:10 UTC; the firewall rule was changed at 05:32 UTC."
)
DIAGNOSIS: dict[str, Any] = {
    "summary": SUMMARY,
    "run": {"factory": FACTORY, "pipeline": "LoadSales", "run_id": RUN_ID, "status": "Failed"},
    "outcome": "failed",
    "cause": "The firewall of the database does not let the integration runtime in.",
    "notes": ["No later run of LoadSales went well."],
    "root_cause_path_text": "Nightly → RunLoad → LoadSales → CopyOrders",
    "root_cause_category": "network_connectivity",
    "error_code": "2200",
    "error_message": ERROR,
    "transience": "permanent",
    "confidence": "high",
    "confidence_reason": "the error code names the cause, and a change stands right before it",
    "recurrence": {"count": 12, "of_runs": 40, "window_days": 7, "exact": True},
    "evidence": [{"kind": "pipeline_run", "id": RUN_ID}, {"kind": "activity_run", "id": "a1"}],
    "contributing": [
        "Retries are used up: all 3 attempts of CopyOrders failed in the same way.",
        "Last good run before it: 2026-11-21 05:10 UTC; the firewall rule was changed at 05:32 UTC.",
    ],
    "impact": ["Nightly failed with it, and DailyReport has not started."],
    "evidence_gaps": ["Who changed the firewall: the Activity Log of the server's group cannot be read."],
    "recommended_actions": [
        {"what": "Allow the address of the integration runtime in the firewall of sql-contoso", "why": ""},
        {"what": "Rerun LoadSales from CopyOrders", "why": "What ran before it is done.", "risk": "low"},
    ],
    "docs": "https://learn.microsoft.com/azure/data-factory/connector-troubleshoot-azure-sql-database",
}
INCIDENT = Incident(
    id="incident-7c1f",
    kind="failure",
    title="LoadSales and 2 more cannot reach sql-contoso",
    cause="c",
    opened_at=NOW,
    last_seen_at=NOW + timedelta(minutes=9),
    status="diagnosed",
    severity=1,
    severity_reason="LoadSales is of high importance, and its data is due at 07:00 UTC",
    opened_by="alert rule 'pipeline failures'",
    factory=FACTORY,
    pipelines=("LoadSales", "LoadCustomers", "LoadReturns"),
    runs=(RunRef(RUN_ID, "LoadSales"), RunRef("9a0c4c0e-8a11-4c52-9f0e-3a1f8f0f2d11", "LoadCustomers")),
    runs_count=12,
    alerts_count=31,
    resource="CopyOrders",
    category="network_connectivity",
    transience="permanent",
    confidence="high",
    summary=SUMMARY,
    diagnosis=DIAGNOSIS,
    similar=("incident-31aa, 2026-10-02: the firewall rule was restored",),
)
RESOLVED = replace(
    INCIDENT,
    status="resolved",
    acknowledged_at=NOW + timedelta(minutes=12),
    acknowledged_by="Dana Weber",
    assigned_to="Dana Weber",
    resolved_at=NOW + timedelta(minutes=41),
    resolved_by="the watcher",
    resolution="All three pipelines ran well after the firewall rule was restored.",
)
DIGEST = Digest(
    period="daily",
    since=NOW - timedelta(days=1),
    until=NOW,
    factories=("adf-contoso-prod", "adf-contoso-dev"),
    runs=412,
    failed=17,
    incidents_opened=3,
    incidents_open=1,
    failures=(
        "LoadSales and 2 more cannot reach sql-contoso in adf-contoso-prod, 12 runs: The firewall of the database does "
        "not let the integration runtime in. Still open; nobody has taken it up. (inc-202611-7c1f09ab23de)",
        "ExportLedger in adf-contoso-dev: 1 run failed at Transform (resource exhausted): A data flow ran out of "
        "memory. No good run since. (run 9a0c4c0e-8a11-4c52-9f0e-3a1f8f0f2d11)",
        "SyncCrm in adf-contoso-prod: 4 runs failed at CopyCases (throttling quota): The source takes no more requests "
        f"for now. Ran well since. (run {RUN_ID})",
    ),
    slower=("NightlyWarehouse in adf-contoso-prod took 2 h 10 min, usually 1 h 20 min.",),
    at_risk=(
        "LoadSales and 2 more cannot reach sql-contoso in adf-contoso-prod: severity 1, open for 1 h 2 min, and nobody "
        "has taken it up. It went to on-call engineer. (inc-202611-7c1f09ab23de)",
    ),
    cost="about $38.20 at list price, reckoned from 80 of 412 runs",
)
PROPOSAL = Proposal(
    id="approval-01",
    action="Rerun LoadSales from CopyOrders",
    why="The firewall lets the runtime in again; the 12 failed runs left their day unloaded.",
    requested_by="Dana Weber",
    risk="medium",
    expires_at=NOW + timedelta(hours=1),
    factory=FACTORY,
    pipeline="LoadSales",
    run_id=RUN_ID,
    rule="reruns-in-production",
    effects=(
        "One new run of LoadSales begins at CopyOrders.",
        "Rows of 2026-11-21 in dbo.Orders are written again: the sink is an upsert, so none is doubled.",
    ),
)
RUN = Run(
    id="run-51f0",
    question="Why did LoadSales fail last night?",
    session_id="session-1",
    created_at=NOW,
    deadline_at=NOW + timedelta(minutes=5),
    status="done",
    ended_at=NOW + timedelta(seconds=14),
    answer=f"**LoadSales** failed in `CopyOrders`.\n\n- Cause: the firewall of sql-contoso refuses the runtime.\n"
    f"- Run: {RUN_ID}\n\n## What to do\nAllow the runtime's address, then rerun from CopyOrders.",
    evidence=({"kind": "pipeline_run", "id": RUN_ID},),
)


def messages() -> dict[str, Message]:
    page = f"{PAGE}incidents/{INCIDENT.id}"
    return {
        "incident": incident_card(INCIDENT, link=page),
        "incident-escalated": incident_card(replace(INCIDENT, status="escalated", escalated=1), link=page),
        "incident-resolved": incident_card(RESOLVED, link=page),
        "diagnosis": diagnosis_card(DIAGNOSIS, link=f"{PAGE}runs/{RUN_ID}"),
        "digest": digest_card(DIGEST),
        "approval": approval_card(PROPOSAL, link=f"{PAGE}approvals/approval-01"),
        "approval-decided": decision_card(
            PROPOSAL, Decision("approved", NOW + timedelta(minutes=4), "Kim Larsen", "Go ahead."), link=PAGE
        ),
        "answer": answer_message(RUN, link=f"{PAGE}runs/{RUN.id}"),
    }
