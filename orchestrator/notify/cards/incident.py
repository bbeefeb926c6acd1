"""The message about an incident: that there is one and why, that nobody has taken it up, that it is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from orchestrator.incidents.record import Incident
from orchestrator.notify.cards import parts
from orchestrator.notify.cards.diagnosis import also_seen, finding, what_to_do
from orchestrator.notify.cards.parts import Link, Part, Style
from orchestrator.notify.port import Message
from tools_worker.datafactory.fields import text
from tools_worker.datafactory.wording import at, count, lasted, spoken

Occasion = Literal["opened", "escalated", "resolved"]
KINDS = {
    "failure": "Failure",
    "stuck": "Run is stuck",
    "slow": "Run is slow",
    "missed": "Run was missed",
    "late": "Run is late",
    "sla_risk": "Deadline at risk",
    "masked": "Hidden failure",
    "zero_rows": "No rows were copied",
    "service_health": "Azure service health",
    "alert": "Alert",
}


def incident_card(incident: Incident, occasion: Occasion | None = None, *, link: str = "") -> Message:
    """`occasion` is read off the record where it is not given. The message that an incident was opened has one key,
    diagnosed or not, so that it goes out once; every step of an escalation has its own."""
    occasion = occasion or _occasion(incident)
    step = f":{incident.escalated}" if occasion == "escalated" else ""
    told: list[Part | None] = [
        parts.badge(
            f"{_words(incident, occasion)} · {parts.severity_words(incident.severity)}", _style(incident, occasion)
        ),
        parts.headline(incident.title),
        *_what_happened(incident, occasion),
        parts.facts(_facts(incident, occasion)),
        *_around(incident, occasion),
        parts.lines("Seen before", incident.similar, most=3),
    ]
    title = f"{_words(incident, occasion)}: {incident.title}"
    return parts.compose(
        f"{incident.id}:{occasion}{step}",
        incident.id,
        title,
        told,
        link=link,
        opens="Open incident",
        links=_links(incident),
    )


def _occasion(incident: Incident) -> Occasion:
    return "resolved" if incident.ended else "escalated" if incident.escalated else "opened"


def _words(incident: Incident, occasion: Occasion) -> str:
    kind = KINDS.get(incident.kind, "Incident")
    return {"opened": kind, "escalated": f"Still open: {kind.lower()}", "resolved": f"Resolved: {kind.lower()}"}[
        occasion
    ]


def _style(incident: Incident, occasion: Occasion) -> Style:
    return "good" if occasion == "resolved" else parts.severity_style(incident.severity)


def _what_happened(incident: Incident, occasion: Occasion) -> list[Part | None]:
    if occasion == "resolved":
        return [parts.paragraph(incident.resolution or "It is over; nobody said what mended it.")]
    summary = incident.summary or "Not diagnosed yet: what is known so far is below."
    return finding(incident.diagnosis, summary)


def _facts(incident: Incident, occasion: Occasion) -> list[tuple[str, object]]:
    return [
        ("Factory", incident.factory.rsplit("/", 1)[-1]),
        ("Pipelines" if len(incident.pipelines) > 1 else "Pipeline", parts.names(incident.pipelines)),
        ("Failed at" if incident.kind == "failure" else "Where", incident.resource),
        ("Cause", _cause(incident)),
        ("Runs", _runs(incident) if incident.runs_count or incident.runs else ""),
        ("Newest run", incident.runs[0].run_id if incident.runs else ""),
        ("Opened", f"{at(incident.opened_at)}{_by(incident.opened_by)}"),
        ("Severity", incident.severity_reason),
        ("Acknowledged", _acknowledged(incident, occasion)),
        ("Resolved", _resolved(incident)),
    ]


def _around(incident: Incident, occasion: Occasion) -> list[Part | None]:
    return [] if occasion == "resolved" else [what_to_do(incident.diagnosis), also_seen(incident.diagnosis)]


def _name(name: str) -> str:
    return parts.shown(name, parts.MAX_NAME)


def _by(who: str) -> str:
    return f" by {_name(who)}" if who else ""


def _cause(incident: Incident) -> str:
    words = [spoken(incident.category), spoken(incident.transience)]
    sure = f"{incident.confidence} confidence" if incident.confidence else ""
    return ", ".join(word for word in (*words, sure) if word)


def _runs(incident: Incident) -> str:
    number = max(incident.runs_count, len(incident.runs))
    alerts = f", {count(incident.alerts_count, 'alert')}" if incident.alerts_count else ""
    return f"{count(number, 'run')}{alerts}, last seen {at(incident.last_seen_at)}"


def _acknowledged(incident: Incident, occasion: Occasion) -> str:
    if incident.acknowledged_at:
        other = incident.assigned_to not in ("", incident.acknowledged_by)
        owner = f", assigned to {_name(incident.assigned_to)}" if other else ""
        return f"{at(incident.acknowledged_at)}{_by(incident.acknowledged_by)}{owner}"
    return "by nobody yet" if occasion == "escalated" else ""


def _resolved(incident: Incident) -> str:
    if not incident.resolved_at:
        return ""
    took = max(incident.resolved_at - incident.opened_at, timedelta())
    after = f", after {lasted(int(took.total_seconds() * 1000))}"
    return f"{at(incident.resolved_at)}{_by(incident.resolved_by)}{after}"


def _links(incident: Incident) -> list[Link]:
    run = incident.runs[0] if incident.runs else None
    studio = parts.portal_run(run.factory or incident.factory, run.run_id) if run else ""
    return [Link("Run in Data Factory", studio), Link("Documentation", text(incident.diagnosis, "docs"))]
