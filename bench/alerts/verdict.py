"""Logs against the truth: what was lost, folded wrongly, told twice. Plain rules, no I/O."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.alerts.estate import Cause
from bench.alerts.signals import FailedRun, Signal

INCIDENT = re.compile(r"inc-\d{6}-[0-9a-f]{12}")
RUN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OVER = "Resolved:"
ACCEPTED = (200, 202)
NOWHERE = ("", "-")


@dataclass(frozen=True, slots=True)
class Offer:
    """An alert as the client sent it, and the answer. Moments are seconds of one clock."""

    signal: Signal
    status: int
    began: float
    ended: float

    @property
    def accepted(self) -> bool:
        return self.status in ACCEPTED


@dataclass(frozen=True, slots=True)
class Card:
    """`runs`: the run ids that it shows, by which it is known whose it is."""

    at: float
    runs: frozenset[str]
    over: bool = False

    @classmethod
    def of(cls, content: Mapping[str, Any], at: float) -> Card:
        told = json.dumps(content)
        return cls(at, frozenset(RUN.findall(told)), OVER in told)


@dataclass(frozen=True, slots=True)
class Story:
    """An incident."""

    id: str
    runs: frozenset[str]
    diagnosed: bool
    alerts: int

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Story:
        runs = frozenset(run["run_id"] for run in (*told["runs"], *told["parents"]))
        return cls(told["id"], runs, bool(told["diagnosis"]), told["alerts_count"])


@dataclass(frozen=True, slots=True)
class Row:
    """An alert as it was kept."""

    instance: str
    fired: bool
    incident: str


@dataclass
class Verdict:
    """Every list holds sentences; `lost` to `doubled` must be empty."""

    alerts: int = 0
    causes: int = 0
    incidents: int = 0
    cards: int = 0
    cards_per_cause_max: int = 0
    lost: list[str] = field(default_factory=list)
    misfolded: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    intake_ms: list[float] = field(default_factory=list)
    to_card: dict[str, float] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.misfolded or self.misplaced or self.doubled)

    def figures(self) -> dict[str, Any]:
        counted = {name: len(getattr(self, name)) for name in ("lost", "misfolded", "misplaced", "doubled")}
        return {
            "alerts": self.alerts,
            "causes": self.causes,
            "incidents": self.incidents,
            "cards": self.cards,
            "cards_per_cause_max": self.cards_per_cause_max,
            **counted,
            "intake_p50_ms": round(percentile(self.intake_ms, 50)),
            "intake_p99_ms": round(percentile(self.intake_ms, 99)),
            "accepted_to_card_p50_s": round(median(self.to_card.values()), 2) if self.to_card else None,
            "accepted_to_card_min_s": round(min(self.to_card.values()), 2) if self.to_card else None,
            "accepted_to_card_max_s": round(max(self.to_card.values()), 2) if self.to_card else None,
        }


def judge(
    causes: Sequence[Cause],
    runs: Sequence[FailedRun],
    offers: Sequence[Offer],
    rows: Sequence[Row],
    stories: Sequence[Story],
    cards: Sequence[Card],
) -> Verdict:
    """`runs` are all that failed; each knows its cause."""
    found = Verdict(
        alerts=len({offer.signal.key for offer in offers}),
        causes=len(causes),
        incidents=len(stories),
        cards=len(cards),
        intake_ms=[(offer.ended - offer.began) * 1000 for offer in offers],
    )
    home = {run.run_id: run.cause for run in runs}
    incidents = _fold(found, causes, home, stories)
    _follow_alerts(found, offers, rows, incidents)
    _follow_cards(found, causes, home, offers, cards)
    return found


def _fold(
    found: Verdict, causes: Sequence[Cause], home: Mapping[str, str], stories: Sequence[Story]
) -> Mapping[str, set[str]]:
    """The causes of each incident."""
    incidents: dict[str, set[str]] = {}
    of_cause: defaultdict[str, set[str]] = defaultdict(set)
    for story in stories:
        incidents[story.id] = {home.get(run, "no cause") for run in story.runs}
        if len(incidents[story.id]) != 1:
            found.misfolded.append(f"{story.id} holds runs of {sorted(incidents[story.id]) or 'nothing'}")
        for cause in incidents[story.id]:
            of_cause[cause].add(story.id)
    for cause_id in (cause.id for cause in causes):
        if not of_cause[cause_id]:
            found.lost.append(f"cause {cause_id} has no incident")
        if len(of_cause[cause_id]) > 1:
            found.misfolded.append(f"cause {cause_id} has {len(of_cause[cause_id])} incidents")
    told = {run for story in stories for run in story.runs}
    found.lost += [f"run {run} of {cause} is in no incident" for run, cause in home.items() if run not in told]
    return incidents


def _follow_alerts(
    found: Verdict, offers: Sequence[Offer], rows: Sequence[Row], incidents: Mapping[str, set[str]]
) -> None:
    kept = {(row.instance, row.fired): row.incident for row in rows}
    signals = {offer.signal.key: offer.signal for offer in offers}
    accepted = {offer.signal.key for offer in offers if offer.accepted}
    found.lost += [f"alert {key} was refused" for key in signals.keys() - accepted]
    for key in accepted:
        incident, cause = kept.get(key, ""), signals[key].cause
        if incident in NOWHERE:
            found.lost.append(f"alert {key} of {cause}: {'in no incident' if key in kept else 'was not kept'}")
        elif cause not in incidents.get(incident, set()):
            found.misplaced.append(f"alert {key} of {cause} is in {incident}")
    answers = Counter(offer.signal.key for offer in offers if offer.status == 202)
    found.doubled += [f"alert {key} was new {times} times" for key, times in answers.items() if times > 1]
    if len(rows) != len(kept):
        found.doubled.append(f"{len(rows) - len(kept)} alerts were kept twice")


def _follow_cards(
    found: Verdict, causes: Sequence[Cause], home: Mapping[str, str], offers: Sequence[Offer], cards: Sequence[Card]
) -> None:
    began: dict[str, float] = {}
    for offer in sorted(offers, key=lambda offer: offer.ended):
        if offer.accepted:
            began.setdefault(offer.signal.cause, offer.ended)
    of_cause: defaultdict[str, list[float]] = defaultdict(list)
    for card in cards:
        told = {home[run] for run in card.runs if run in home}
        if len(told) != 1:
            found.misfolded.append(f"a card tells of {sorted(told) or 'no run that failed'}")
        for cause_id in told:
            of_cause[cause_id].append(card.at)
    for cause in causes:
        moments = of_cause[cause.id]
        found.cards_per_cause_max = max(found.cards_per_cause_max, len(moments))
        if not moments:
            found.lost.append(f"cause {cause.id} has no card")
        elif cause.id in began:
            found.to_card[cause.id] = min(moments) - began[cause.id]
        if len(moments) > 1:
            found.doubled.append(f"cause {cause.id} has {len(moments)} cards")


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(len(ordered) * percent / 100))] if ordered else 0.0
