"""An incident as a report to paste into a ticket or a mail: Markdown. The same as JSON is the incident itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.incidents.record import Incident, RunRef
from tools_worker.datafactory.wording import at, count, lasted, spoken

MAX_RUNS_SHOWN = 20


def markdown(incident: Incident) -> str:
    parts = [
        f"# {_cell(incident.title)}",
        _table(_facts(incident)),
        _section("What happened", incident.summary),
        _section("Error", _quoted(str(incident.diagnosis.get("error_message", "")))),
        _section("What to do", _bullets(_actions(incident.diagnosis))),
        _section("Repair", _repair(incident)),
        _section("Not known", _bullets(incident.diagnosis.get("evidence_gaps", ()))),
        _section("Runs", _bullets([*_runs(incident.runs), *_more(incident)])),
        _section("Runs above them", _bullets(_runs(incident.parents))),
        _section("Seen before", _bullets(incident.similar)),
        _section("Timeline", _bullets(_timeline(incident))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(incident: Incident) -> list[tuple[str, str]]:
    ended = incident.resolved_at
    took = lasted(round((ended - incident.opened_at).total_seconds() * 1000)) if ended else ""
    return [
        ("Incident", incident.id),
        ("Status", f"{incident.status}, severity {incident.severity} ({incident.severity_reason or 'not judged'})"),
        ("Factory", incident.factory),
        ("Pipelines", ", ".join(incident.pipelines)),
        ("Failed at", incident.resource),
        ("Cause", f"{spoken(incident.category)}, {incident.transience or 'not known whether it passes by itself'}"
         if incident.category else ""),
        ("Opened", f"{at(incident.opened_at)} by {incident.opened_by or 'the watcher'}"),
        ("Last seen", at(incident.last_seen_at)),
        ("Runs, alerts", f"{incident.runs_count}, {incident.alerts_count}"),
        ("Taken up", f"{incident.acknowledged_by}, {at(incident.acknowledged_at)}" if incident.acknowledged_at else ""),
        ("Assigned to", incident.assigned_to),
        ("Resolved", f"{at(ended)} after {took}: {incident.resolution}" if ended else ""),
    ]  # fmt: skip


def _table(facts: Iterable[tuple[str, str]]) -> str:
    rows = [f"| {name} | {_cell(value)} |" for name, value in facts if value]
    return "\n".join(["| | |", "|---|---|", *rows])


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _bullets(lines: Iterable[object]) -> str:
    return "\n".join(f"- {_cell(str(line))}" for line in lines if line)


def _quoted(text: str) -> str:
    """A block of its own, so that nothing in it is read as Markdown."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _actions(diagnosis: Mapping[str, Any]) -> list[str]:
    found = diagnosis.get("recommended_actions", ())
    return [f"{action.get('what', '')} {action.get('why', '')}".strip() for action in found]


def _repair(incident: Incident) -> str:
    """What a playbook did, and the change that it suggests."""
    repair = incident.repair
    if repair is None or not repair.outcome:
        return ""
    patch = repair.suggestion.get("patch")
    told = _quoted(json.dumps(patch, indent=2, ensure_ascii=False)) if patch else ""
    return "\n\n".join(part for part in (_cell(repair.outcome), told) if part)


def _runs(refs: Iterable[RunRef]) -> list[str]:
    return [f"{ref.pipeline}, run {ref.run_id}, ended {at(ref.ended_at)}" for ref in list(refs)[:MAX_RUNS_SHOWN]]


def _more(incident: Incident) -> list[str]:
    left = incident.runs_count - min(len(incident.runs), MAX_RUNS_SHOWN)
    return [f"{count(left, 'more run')}"] if left > 0 else []


def _timeline(incident: Incident) -> list[str]:
    lines = [f"{at(entry.at)}: {entry.text}" for entry in incident.timeline]
    left = [f"{count(incident.entries_left_out, 'entry')} left out"] if incident.entries_left_out else []
    return [*lines, *left]


def _cell(text: str) -> str:
    """One line, with what would end a cell or begin a link, a picture or a tag made plain."""
    plain = " ".join(text.split())
    return plain.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
