"""The message of the day or the week: what failed and why, what is slower, what it cost, what is at risk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.notify.cards import parts
from orchestrator.notify.cards.parts import Part
from orchestrator.notify.port import Message
from tools_worker.datafactory.wording import at, count

MAX_LINES = 6  # of each list
MAX_GAPS = 3


@dataclass(frozen=True, slots=True)
class Digest:
    """What the message shows. The lists hold whole sentences, the most important first; None is not known."""

    period: Literal["daily", "weekly"]
    since: datetime
    until: datetime
    factories: tuple[str, ...] = ()
    runs: int | None = None
    failed: int | None = None
    incidents_opened: int = 0
    incidents_open: int = 0
    failures: tuple[str, ...] = ()
    slower: tuple[str, ...] = ()
    at_risk: tuple[str, ...] = ()
    cost: str = ""
    gaps: tuple[str, ...] = ()  # what could not be looked at


def digest_card(digest: Digest, *, link: str = "") -> Message:
    period = {"daily": "day", "weekly": "week"}[digest.period]
    title = f"The {period} in Data Factory: {_failed(digest)}"
    told: list[Part | None] = [
        parts.badge(f"The {period} in Data Factory", _style(digest)),
        parts.headline(_sentence(digest)),
        parts.facts(_facts(digest)),
        parts.lines("What failed, and why", digest.failures, MAX_LINES),
        parts.lines("At risk", digest.at_risk, MAX_LINES),
        parts.lines("Slower than usual", digest.slower, MAX_LINES),
        parts.lines("Not looked at", digest.gaps, MAX_GAPS),
    ]
    key = f"digest:{digest.period}:{digest.until:%Y-%m-%dT%H:%M}"
    return parts.compose(key, "digest", title, told, link=link, opens="Open digest")


def _style(digest: Digest) -> parts.Style:
    if digest.failed:
        return "attention" if digest.incidents_open else "warning"
    return "warning" if digest.at_risk or digest.failed is None else "good"


def _failed(digest: Digest) -> str:
    if digest.runs is None or digest.failed is None:
        return "how many runs failed is not known"
    return f"{digest.failed} of {count(digest.runs, 'run')} failed" if digest.failed else "nothing failed"


def _sentence(digest: Digest) -> str:
    words = _failed(digest)
    if digest.failed == 0 and digest.runs is not None:
        words = f"all {count(digest.runs, 'run')} went well" if digest.runs else "nothing ran"
    return f"{words[0].upper()}{words[1:]}."


def _facts(digest: Digest) -> list[tuple[str, object]]:
    incidents = f"{digest.incidents_opened} opened, {digest.incidents_open} open now"
    return [
        ("From", at(digest.since)),
        ("To", at(digest.until)),
        ("Factories" if len(digest.factories) > 1 else "Factory", parts.names(digest.factories, 3)),
        ("Incidents", incidents if digest.incidents_opened or digest.incidents_open else "none"),
        ("Cost", digest.cost),
    ]
