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
    told = [
        parts.badge("Diagnosis", STYLES.get(outcome, "accent")),
        parts.headline(f"{pipeline} {outcome}".strip()),
        *finding(diagnosis, text(diagnosis, "summary") or "There is no more to say about it."),
        parts.facts(_facts(diagnosis, run)),
        what_to_do(diagnosis),
        also_seen(diagnosis),
        parts.lines("Not known", _texts(diagnosis, "evidence_gaps"), most=3),
    ]
    studio = parts.portal_run(text(run, "factory"), run_id)
    links = [Link("Run in Data Factory", studio), Link("Documentation", text(diagnosis, "docs"))]
    return parts.compose(f"{run_id}:diagnosis", run_id, title, told, link=link, links=links)


def finding(diagnosis: Mapping[str, Any], summary: str) -> list[Part | None]:
    """What is wrong, and the error itself. The summary where no cause is known: with one, the other parts tell its
    rest in fewer words."""
    cause, error = text(diagnosis, "cause"), text(diagnosis, "error_message")
    told = " ".join([cause, *_texts(diagnosis, "notes")[:2]]) if cause else summary
    return [parts.paragraph(told), parts.quoted(error) if error else None]


def what_to_do(diagnosis: Mapping[str, Any]) -> Part | None:
    """The recommended actions of a diagnosis, each with its reason where that is not the cause again."""
    steps = [as_mapping(step) for step in items(diagnosis, "recommended_actions")]
    cause = text(diagnosis, "cause")
    return parts.lines("What to do", [_step(step, cause) for step in steps if text(step, "what")], most=3)


def _step(step: Mapping[str, Any], cause: str) -> str:
    what, why, risk = text(step, "what").rstrip("."), text(step, "why"), text(step, "risk")
    risky = f" ({risk} risk)" if risk in ("medium", "high") else ""
    return f"{what}{risky}.{f' {why}' if why and why != cause else ''}"


def also_seen(diagnosis: Mapping[str, Any]) -> Part | None:
    """What stands around the failure: before it, beside it, and what it did harm to."""
    others = [
        f"{text(other, 'path')} failed, too." for other in items(diagnosis, "other_failures") if text(other, "path")
    ]
    masked = [f"{text(each, 'what')}." for each in items(diagnosis, "masked_failures") if text(each, "what")]
    impact = _texts(diagnosis, "impact")
    return parts.lines(
        "Also seen", [*impact[:1], *_texts(diagnosis, "contributing"), *others, *masked, *impact[1:]], most=4
    )


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
