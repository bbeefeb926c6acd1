"""The activity that Teams sends when somebody mentions the webhook: the question in it, and where it was asked."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.runs.record import Run
from tools_worker.datafactory.fields import mapping, name, sound, text

SESSION = "teams"  # the beginning of the ids of sessions held in Teams
MAX_MENTION = 300  # characters of a name
GREETINGS = {"", "help", "hi", "hello", "hey", "start"}
# Bounded, and without a choice of where to end: linear in the length of what comes.
_MENTION = re.compile(rf"<at\b[^<>]{{0,200}}>[^<>]{{0,{MAX_MENTION}}}</at\s{{0,5}}>", re.IGNORECASE)
_INLINE = re.compile(
    r"</?(?:a|b|strong|i|em|u|s|span|code|font|sub|sup|mark|small|big|tt)(?:\s[^<>]*)?>", re.IGNORECASE
)
_TAG = re.compile(r"<[!/?A-Za-z][^<>]*>")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Activity:
    """`key` is the same for the same activity sent again; `session` for all of one conversation."""

    key: str
    session: str
    question: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Activity:
        """Fields that are missing or of another type are empty. Nothing raises."""
        conversation = name(mapping(body, "conversation"), "id")
        own = name(body, "id") or json.dumps(body, sort_keys=True, default=str)
        return cls(
            key=f"{SESSION}-{_digest(conversation, own)}",
            session=f"{SESSION}-{_digest(conversation or own)}",
            question=said(text(body, "text")),
        )

    @property
    def wants_help(self) -> bool:
        return self.question.strip(" ?!.").casefold() in GREETINGS


def asked_in_teams(run: Run) -> bool:
    return run.session_id.startswith(f"{SESSION}-")


def said(markup: str) -> str:
    """What a person wrote: without mentions and tags, entities decoded, on one line."""
    bare = _TAG.sub(" ", _MENTION.sub(" ", _INLINE.sub("", markup)))
    return " ".join(_UNSEEN.sub("", sound(html.unescape(bare))).split())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:24]
