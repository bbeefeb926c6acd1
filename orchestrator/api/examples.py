"""Examples of what the API takes and gives, by the name of the schema, of the operation, or of either and a status.

The contract shows them, and its test holds each against its schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RUN_ID = "run-3f2a9c01d4e57b6a8c1d2e3f"
FAILED_RUN = "7c6f1d0a-2e4b-4c8e-9d3f-1a2b3c4d5e6f"
INCIDENT_ID = "inc-202611-3f2a9c01d4e5"
CALLBACK = "https://prod-12.westeurope.logic.azure.com/workflows/3f2a/runs/0858/actions/Ask/run?sig=abc"

ACTION: dict[str, Any] = {
    "id": "A-202611-3f2a9c01d4e57b6a",
    "state": "waiting",
    "title": "Rerun LoadSales from its failed activity",
    "effects": ["CopySales and MergeSales run again; what ran before them does not."],
    "facts": {"status of the run": "Failed"},
    "risk": "low",
    "kind": "rerun",
    "factory": "adf-prod",
    "pipeline": "LoadSales",
    "arguments": {"run_id": FAILED_RUN, "mode": "from_failure"},
    "why": "The login was renewed.",
    "requested_by": "ana@contoso.com",
    "rule": "repairs in production",
    "rule_why": "somebody else looks at what is done in production",
    "approvals_needed": 1,
    "roles": ["approver"],
    "four_eyes": True,
    "expires_at": "2026-11-21T07:00:00Z",
    "approvals": [],
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "incident_id": INCIDENT_ID,
    "question_run": "",
    "created_at": "2026-11-21T06:00:00Z",
    "outcome": "",
    "started_run": "",
    "started_status": "",
    "timeline": [{"at": "2026-11-21T06:00:00Z", "what": "proposed", "text": "Proposed.", "who": "ana@contoso.com"}],
}
VERDICT: dict[str, Any] = {
    "effect": "ask",
    "rule": "repairs in production",
    "why": "somebody else looks at what is done in production",
    "limit": None,
    "environment": "production",
    "at": "2026-11-21T06:00:00Z",
    "ask": {"roles": ["approver"], "approvals": 1, "four_eyes": True, "expires_minutes": 60},
    "passed": [
        {
            "rule": "transient failures in development",
            "condition": "environments",
            "told": "production is not development",
        }
    ],
    "stopped": "",
}
AUDITED: dict[str, Any] = {
    "at": "2026-11-21T06:20:00Z",
    "kind": "approval",
    "actor": {"kind": "person", "name": "ana@contoso.com", "id": "6a1f0c2e-58d4-4b7a-9e3b-7d2c1f0a9b8c"},
    "channel": "ui",
    "subject": "A-202611-3f2a9c01d4e57b6a",
    "factory": "adf-prod",
    "what": "Approved: rerun LoadSales from its failed activity",
    "arguments": {"run_id": FAILED_RUN, "mode": "from_failure"},
    "why": "repairs in production",
    "outcome": "1 of 1",
    "chain": "20261121-055812-3f2a9c01d4e5",
    "seq": 14,
    "hash": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
    "intact": True,
}
WORKING: dict[str, Any] = {
    "run_id": RUN_ID,
    "status": "working",
    "question": "Why did LoadSales fail last night?",
    "session_id": "session-0c2b7e5f91d84a63b7c2e1f0",
    "created_at": "2026-11-21T06:00:00Z",
    "deadline_at": "2026-11-21T06:10:00Z",
    "evidence": [],
    "unsupported": [],
    "usage": {"input_tokens": 0, "output_tokens": 0},
    "tool_calls": 0,
}
ANSWERED: dict[str, Any] = {
    **WORKING,
    "status": "done",
    "answer": f"LoadSales (run {FAILED_RUN}) failed at 02:14 UTC: the login of 'etl' to Azure SQL was refused.",
    "answered_by": "gpt-4.1-mini",
    "evidence": [{"kind": "pipeline_run", "id": FAILED_RUN, "factory": "adf-prod"}],
    "usage": {"input_tokens": 2140, "output_tokens": 188},
    "tool_calls": 2,
    "seconds": 6.4,
}
LISTED: dict[str, Any] = {
    "id": INCIDENT_ID,
    "kind": "failure",
    "status": "diagnosed",
    "severity": 2,
    "severity_reason": "LoadSales is no pipeline of special importance.",
    "title": "LoadSales failed: login refused",
    "summary": "2 runs of LoadSales failed since 02:14 UTC: the login of 'etl' to Azure SQL was refused.",
    "factory": "adf-prod",
    "pipelines": ["LoadSales"],
    "resource": "AzureSqlSales",
    "category": "authentication",
    "transience": "permanent",
    "opened_at": "2026-11-21T02:16:05Z",
    "opened_by": "alert",
    "last_seen_at": "2026-11-21T03:14:00Z",
    "runs_count": 2,
    "alerts_count": 1,
    "acknowledged_by": "",
    "acknowledged_at": None,
    "assigned_to": "",
    "resolved_at": None,
    "resolved_by": "",
    "resolution": "",
}
INCIDENT: dict[str, Any] = {
    **LISTED,
    "runs": [
        {"run_id": FAILED_RUN, "pipeline": "LoadSales", "factory": "adf-prod", "ended_at": "2026-11-21T02:14:00Z"}
    ],
    "parents": [],
    "recovered": [],
    "diagnosis": {"root_cause_category": "authentication", "error_code": "SqlFailedToConnect"},
    "narrative": "",
    "similar": ["The same login was refused on 2 October: its password had expired."],
    "timeline": [{"at": "2026-11-21T02:16:05Z", "what": "opened", "text": "Opened by an alert.", "who": ""}],
    "entries_left_out": 0,
}
UNTROUBLED = {"waiting": 0, "lost": 0, "unanchored": 0, "taken": 0, "disputed": 0}
REPORT = f"# LoadSales failed: login refused\n\n- Incident: {INCIDENT_ID}\n- Severity: 2\n"
DIGEST: dict[str, Any] = {
    "text": "The day in Data Factory\n2 of 412 runs failed.\nFrom: 2026-11-20 06:00 UTC\nTo: 2026-11-21 06:00 UTC",
    "since": "2026-11-20T06:00:00Z",
    "until": "2026-11-21T06:00:00Z",
    "factories": ["adf-prod"],
    "silent": [],
    "runs": 412,
    "failed": 2,
    "cancelled": 0,
    "exact": True,
    "runs_before": None,
    "failed_before": None,
    "incidents_opened": 1,
    "incidents_open": 1,
    "failures": [
        f"LoadSales failed: login refused, 2 runs: the login was refused. Still open, nobody has it. ({INCIDENT_ID})"
    ],
    "slower": ["NightlyWarehouse took 2 h 10 min, usually 1 h 20 min."],
    "at_risk": [f"LoadSales failed: severity 2, open for 3 h 44 min, and nobody has taken it up. ({INCIDENT_ID})"],
    "cost": "about $38.20 at list price, reckoned from 40 of 412 runs",
    "gaps": [],
}

EXAMPLES: Mapping[str, Any] = {
    "AskBody": {"question": "Why did LoadSales fail last night?", "wait_seconds": 20},
    "RunView": ANSWERED,
    "RunView 202": WORKING,
    "RunView 201": {**WORKING, "status": "queued"},
    "EventsView": {
        "events": [
            {
                "seq": 3,
                "at": "2026-11-21T06:00:02Z",
                "state": "waiting_tool",
                "agent": "supervisor",
                "tool": "adf_diagnose_run",
                "text": "Looking for the cause of the last failure of LoadSales.",
                "seconds": 1.2,
            }
        ],
        "last": 3,
        "ended": False,
    },
    "AuditView": {"entries": [AUDITED], "next": "", "unreadable": 0},
    "DiagnoseBody": {"pipeline": "LoadSales", "factory": "adf-prod"},
    "diagnosis_make": {
        "summary": f"LoadSales (run {FAILED_RUN}) failed: the login of 'etl' to Azure SQL was refused.",
        "root_cause_category": "authentication",
        "error_code": "SqlFailedToConnect",
        "transience": "permanent",
    },
    "SubscribeBody": {"question": "What failed in the last 24 hours, and why?", "callback_url": CALLBACK},
    "UnsubscribeBody": {"callback_url": CALLBACK},
    "Taken": {"new": 0, "known": 1},
    "Taken 202": {"new": 1, "known": 0},
    "alerts_event_grid": {"new": 1, "known": 0},
    "alerts_event_grid_by_token": {"new": 1, "known": 0},
    "IncidentsView": {"incidents": [LISTED]},
    "IncidentView": INCIDENT,
    "AcknowledgeBody": {"by": "ana@contoso.com", "comment": "I am looking into it."},
    "AssignBody": {"by": "ana@contoso.com", "to": "data-platform@contoso.com"},
    "CommentBody": {"by": "ana@contoso.com", "text": "The password of 'etl' expired at midnight."},
    "ResolveBody": {"by": "ana@contoso.com", "resolution": "Renewed the password of 'etl' and ran LoadSales again."},
    "incidents_report": REPORT,
    "links_incident": REPORT,
    "DigestView": DIGEST,
    "Health": {"status": "ok", "version": "0.1.0", "problems": [], "off": [], "audit": UNTROUBLED},
    "Health 503": {
        "status": "misconfigured",
        "version": "0.1.0",
        "problems": [{"area": "foundry", "setting": "FOUNDRY_PROJECT_ENDPOINT", "text": "It is missing."}],
        "off": [],
        "audit": UNTROUBLED,
    },
    "ExplainBody": {
        "action": "rerun",
        "factory": "adf-prod",
        "pipeline": "LoadSales",
        "callers": ["agent", "operator"],
    },
    "VerdictView": VERDICT,
    "OperationBody": {
        "kind": "rerun",
        "factory": "adf-prod",
        "arguments": {"run_id": FAILED_RUN, "mode": "from_failure"},
    },
    "ProposeBody": {
        "kind": "rerun",
        "factory": "adf-prod",
        "arguments": {"run_id": FAILED_RUN, "mode": "from_failure"},
        "why": "The login was renewed.",
        "incident_id": INCIDENT_ID,
    },
    "ActionView": ACTION,
    "ActionsView": {"actions": [ACTION]},
    "PreviewView": {
        **{name: ACTION[name] for name in ("title", "effects", "facts", "risk")},
        "refusal": "",
        "repeatable": "yes",
        "verdict": VERDICT,
    },
    "DecisionBody": {"decision": "approve", "digest": ACTION["digest"], "comment": "Checked: the sink is an upsert."},
    "TakeUpBody": {"comment": "I am looking into it."},
    "HandOnBody": {"to": "data-platform@contoso.com"},
    "RemarkBody": {"text": "The password of 'etl' expired at midnight."},
    "CloseBody": {"resolution": "Renewed the password of 'etl' and ran LoadSales again."},
    "persons_page": "<!doctype html>",
    "PersonView": {"name": "ana@contoso.com", "roles": ["operator", "reader"]},
    "teams_ask": {
        "type": "message",
        "id": "1700000000000",
        "timestamp": "2026-11-21T06:00:00Z",
        "text": "<at>Operations</at> what failed tonight?",
        "from": {"id": "29:1", "name": "Ana"},
        "conversation": {"id": "19:abc@thread.tacv2;messageid=1700000000000"},
    },
    "Reply": {"type": "message", "text": "2 runs of **LoadSales** failed tonight: the login of 'etl' was refused."},
}
