"""What an entry of the audit trail says: who did what, to what, why, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tools_worker.datafactory.fields import sound
from tools_worker.datafactory.masking import mask, mask_value

Kind = Literal["question", "tool_call", "decision", "approval", "write", "configuration", "incident"]
ActorKind = Literal["person", "key", "teams", "link", "token", "playbook", "agent", "app"]
CONSEQUENTIAL: frozenset[Kind] = frozenset({"decision", "approval", "write"})  # not done where they cannot be recorded
ANCHORED: frozenset[Kind] = CONSEQUENTIAL | {"configuration"}  # as soon as they are recorded

# With every character escaped to twelve an entry stays below the 64 KiB of a property of a table.
MAX_TEXT, MAX_NAME = 800, 200
MAX_ARGUMENTS, SHOWN_ARGUMENTS = 8 * 1024, 2000


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` stays the same and is nobody else's; `name` is for people. Only a `person` is one."""

    kind: ActorKind
    name: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """`subject` is the id of the run, action or incident it belongs to; `channel` the way it came in; `why` the rule or
    the diagnosis it rests on. Secrets are masked when it is recorded, long texts are cut."""

    at: datetime
    kind: Kind
    actor: Actor
    what: str
    subject: str = ""
    factory: str = ""
    channel: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    outcome: str = ""


def plain(entry: Entry) -> dict[str, Any]:
    """The entry as it is kept."""
    actor = entry.actor
    return {
        "at": moment(entry.at),
        "kind": entry.kind,
        # Who it was is never masked, though it looks like an address.
        "actor": {"kind": actor.kind, "name": _cut(actor.name, MAX_NAME), "id": _cut(actor.id, MAX_NAME)},
        "channel": _cut(entry.channel, MAX_NAME),
        "subject": _cut(entry.subject, MAX_NAME),
        "factory": _cut(entry.factory, MAX_NAME),
        "what": _cut(mask(entry.what), MAX_TEXT),
        "arguments": _arguments(entry.arguments),
        "why": _cut(mask(entry.why), MAX_TEXT),
        "outcome": _cut(mask(entry.outcome), MAX_TEXT),
    }


def moment(at: datetime) -> str:
    """Always as long, so that the order of texts is that of times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def marks(entry: Mapping[str, Any]) -> dict[str, str]:
    """By what an entry, as it is kept, is found: names in lower case."""
    actor = entry["actor"]
    return {
        "at": str(entry["at"]),
        "kind": str(entry["kind"]),
        "actor": str(actor["name"]).casefold(),
        "actor_id": str(actor["id"]).casefold(),
        "subject": str(entry["subject"]),
        "factory": str(entry["factory"]).casefold(),
    }


def _cut(text: str, most: int) -> str:
    text = sound(text)
    if len(text) <= most:
        return text
    left_out = f"… ({len(text)} characters)"
    return text[: most - len(left_out)] + left_out


def _arguments(arguments: Mapping[str, Any]) -> Any:
    """Masked. Where they are long their beginning, and a digest by which the whole can be recognised."""
    masked = mask_value(arguments)
    try:
        told = json.dumps(masked, sort_keys=True, allow_nan=False, default=str)
    except (ValueError, RecursionError):  # a number of thousands of digits
        return {"cut": "They cannot be written down."}
    if len(told) <= MAX_ARGUMENTS:
        return json.loads(told)
    digest = hashlib.sha256(told.encode()).hexdigest()
    return {"cut": f"{len(told)} characters", "sha256": digest, "beginning": told[:SHOWN_ARGUMENTS]}
