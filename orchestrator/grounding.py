"""Checks an answer against what the tools returned: which evidence it names, and which ids it made up."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.foundry.port import Call
from orchestrator.runs.progress import reply_of

GUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
MAX_EVIDENCE = 50
FIELDS = ("kind", "id", "factory")


def evidence(answer: str, calls: Iterable[Call]) -> tuple[dict[str, str], ...]:
    """The tools' evidence that the answer names; all of it where the answer names none."""
    found: dict[str, dict[str, str]] = {}
    for item in (item for call in calls if call.kind == "queue" for item in _evidence_of(call)):
        found.setdefault(item["id"], item)
    named = [item for identity, item in found.items() if identity.lower() in answer.lower()]
    return tuple((named or list(found.values()))[:MAX_EVIDENCE])


def _evidence_of(call: Call) -> list[dict[str, str]]:
    """Of our own tools only: what an agent or a documentation server says in this form is a text like any other."""
    items = reply_of(call).get("evidence")
    listed = items if isinstance(items, list) else []
    read = [{key: str(item.get(key) or "") for key in FIELDS} for item in listed if isinstance(item, dict)]
    return [item for item in read if item["id"] and item["kind"]]


def unsupported(answer: str, question: str, calls: Iterable[Call]) -> tuple[str, ...]:
    """Ids in the answer that neither a tool nor the question mentioned."""
    known = question.lower() + "".join((call.output or "").lower() for call in calls if call.kind != "agent")
    return tuple(dict.fromkeys(found for found in GUID.findall(answer) if found.lower() not in known))
