"""The message that tells a diagnosis: what failed, why, how sure that is, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.notify.cards import parts
from orchestrator.notify.cards.parts import Link, Part, Style
from orchestrator.notify.port import Message
from tools_worker.datafactory.fields import as_mapping, items, mapping, text, whole
from tools_worker.datafactory.wording import count, spoken

STYLES: Mapping[str, Style] = {"failed": "attention", "succeeded": "good", "cancelled": "warning"}


def diagnosis_card(diagnosis: Mapping[str, Any], *, link: str = "") -> Message:
    """Of the data of a diagnosis with its `summary`, as POST /api/diagnose answers it."""
    run = mapping(diagnosis, "run")
    pipeline, run_id, outcome = text(run, "pipeline") or "a pipeline", text(run, "run_id"), text(diagnosis, "outcome")
    title = f"Diagnosis: {pipeline} {outcome}".strip()
    error = text(diagnosis, "error_message")
    told = [
        parts.badge("Diagnosis", STYLES.get(outcome, "accent")),
        parts.headline(f"{pipeline} {outcome}".strip()),
        parts.paragraph(text(diagnosis, "summary") or "There is no more to say about it."),
        parts.quoted(error) if error else None,
        parts.facts(_facts(diagnosis, run)),
        what_to_do(diagnosis),
        parts.lines("Also seen", _texts(diagnosis, "contributing"), most=3),
        parts.lines("Not known", _texts(diagnosis, "evidence_gaps"), most=3),
    ]
    studio = parts.portal_run(text(run, "factory"), run_id)
    links = [Link("Run in Data Factory", studio), Link("Documentation", text(diagnosis, "docs"))]
    return parts.compose(f"{run_id}:diagnosis", run_id, title, told, link=link, links=links)


def what_to_do(diagnosis: Mapping[str, Any]) -> Part | None:
    """The recommended actions of a diagnosis, each with its reason."""
    steps = [as_mapping(step) for step in items(diagnosis, "recommended_actions")]
    return parts.lines("What to do", [_step(step) for step in steps if text(step, "what")], most=3)


def _step(step: Mapping[str, Any]) -> str:
    what, why, risk = text(step, "what").rstrip("."), text(step, "why"), text(step, "risk")
    return f"{what}{f': {why}' if why else ''}{f' ({risk} risk)' if risk not in ('', 'none') else ''}"


def _facts(diagnosis: Mapping[str, Any], run: Mapping[str, Any]) -> list[tuple[str, object]]:
    sure, why = text(diagnosis, "confidence"), text(diagnosis, "confidence_reason")
    return [
        ("Factory", text(run, "factory").rsplit("/", 1)[-1]),
        ("Run id", text(run, "run_id")),
        ("Path", text(diagnosis, "root_cause_path_text")),
        ("Cause", spoken(text(diagnosis, "root_cause_category"))),
        ("Error code", text(diagnosis, "error_code")),
        ("Transience", spoken(text(diagnosis, "transience"))),
        ("Certainty", f"{sure}: {why}" if why else sure),
        ("Seen", _seen(mapping(diagnosis, "recurrence"))),
        ("Evidence", count(len(items(diagnosis, "evidence")), "id") if items(diagnosis, "evidence") else ""),
    ]


def _seen(recurrence: Mapping[str, Any]) -> str:
    number, of, days = (whole(recurrence, name) for name in ("count", "of_runs", "window_days"))
    if number is None or of is None or days is None:
        return ""
    exact = recurrence.get("exact") is not False
    return f"in {'' if exact else 'at least '}{number} of {count(of, 'run')} in {count(days, 'day')}"


def _texts(diagnosis: Mapping[str, Any], name: str) -> list[str]:
    return [line for line in items(diagnosis, name) if isinstance(line, str)]
