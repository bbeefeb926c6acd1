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
    """What the message shows. The lists hold whole sentences, the most important first; None is not known.

    Runs are those that ended in the period; not `exact`: there were more. `runs_before` are of the week before,
    with which a week is compared. `silent` factories gave no answer, so that no figure holds them."""

    period: Literal["daily", "weekly"]
    since: datetime
    until: datetime
    factories: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    runs: int | None = None
    failed: int | None = None
    cancelled: int = 0
    exact: bool = True
    runs_before: int | None = None
    failed_before: int | None = None
    incidents_opened: int = 0
    incidents_open: int = 0
    failures: tuple[str, ...] = ()
    slower: tuple[str, ...] = ()
    at_risk: tuple[str, ...] = ()
    cost: str = ""
    gaps: tuple[str, ...] = ()  # what could not be looked at


def digest_card(digest: Digest) -> Message:
    period = {"daily": "day", "weekly": "week"}[digest.period]
    title = f"The {period} in Data Factory: {_outcome(digest)}"
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
    return parts.compose(key, "digest", title, told)


def _style(digest: Digest) -> parts.Style:
    if digest.failed:
        return "attention" if digest.incidents_open else "warning"
    return "warning" if digest.at_risk or digest.failures or digest.failed is None or digest.silent else "good"


def _outcome(digest: Digest) -> str:
    if digest.runs is None or digest.failed is None:
        return "how many runs failed is not known"
    runs = count(digest.runs, "run", digest.exact)
    if digest.failed:
        return f"{digest.failed} of {runs} failed"
    return f"none of {runs} failed" if digest.runs else "nothing ran"


def _sentence(digest: Digest) -> str:
    words = _outcome(digest)
    if digest.runs and digest.failed == 0 and not digest.cancelled and digest.exact:
        words = "the only run went well" if digest.runs == 1 else f"all {digest.runs} runs went well"
    if digest.runs and digest.cancelled:
        words += f", {digest.cancelled} {'was' if digest.cancelled == 1 else 'were'} cancelled"
    return f"{words[0].upper()}{words[1:]}."


def _facts(digest: Digest) -> list[tuple[str, object]]:
    incidents = f"{digest.incidents_opened} opened, {digest.incidents_open} open now"
    return [
        ("From", at(digest.since)),
        ("To", at(digest.until)),
        ("Factories" if len(digest.factories) > 1 else "Factory", parts.names(digest.factories, 3)),
        ("No answer from", parts.names(digest.silent, 3)),
        ("The week before", _before(digest)),
        ("Incidents", incidents if digest.incidents_opened or digest.incidents_open else "none"),
        ("Cost", digest.cost),
    ]


def _before(digest: Digest) -> str:
    if digest.runs_before is None or digest.failed_before is None:
        return ""
    return f"{digest.failed_before} of {count(digest.runs_before, 'run')} failed"
