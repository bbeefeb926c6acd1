"""The messages about an action: the question to those who may allow it, their decision, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.notify.cards import parts
from orchestrator.notify.cards.parts import Style
from orchestrator.notify.port import Message
from tools_worker.datafactory.wording import at, count

Risk = Literal["none", "low", "medium", "high"]
Outcome = Literal["approved", "denied", "expired", "withdrawn"]
Ending = Literal["done", "failed", "not_done", "unknown"]
RISKS: dict[Risk, Style] = {"none": "accent", "low": "accent", "medium": "warning", "high": "attention"}
OUTCOMES: dict[Outcome, Style] = {
    "approved": "good",
    "denied": "attention",
    "expired": "warning",
    "withdrawn": "warning",
}
ENDINGS: dict[Ending, tuple[str, Style]] = {
    "done": ("Done", "good"),
    "failed": ("Done, without the effect that was hoped for", "attention"),
    "not_done": ("Not done", "warning"),
    "unknown": ("Not known whether it was done", "attention"),
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the question shows. `effects` are whole sentences about what would happen; `approvals` how many have to
    agree."""

    id: str
    action: str  # "Rerun pipeline LoadSales from its failed activity"
    why: str
    requested_by: str
    risk: Risk
    expires_at: datetime
    factory: str = ""
    pipeline: str = ""
    run_id: str = ""
    rule: str = ""  # of the policy, that asks for it
    effects: tuple[str, ...] = ()
    approvals: int = 1


@dataclass(frozen=True, slots=True)
class Decision:
    outcome: Outcome
    at: datetime
    by: str = ""
    comment: str = ""


def approval_card(proposal: Proposal, *, link: str = "") -> Message:
    """Asks. It is decided on our own page, which knows the person: a card's button would not."""
    told = [
        parts.badge(f"Approval needed · {proposal.risk} risk", RISKS[proposal.risk]),
        parts.headline(proposal.action),
        parts.paragraph(proposal.why),
        parts.facts([*_facts(proposal), ("Needs", count(proposal.approvals, "approval")), ("Until", _until(proposal))]),
        parts.lines("What would happen", proposal.effects),
    ]
    title = f"Approval needed: {proposal.action}"
    return parts.compose(f"{proposal.id}:asked", proposal.id, title, told, link=link, opens="Review and decide")


def decision_card(proposal: Proposal, decision: Decision, *, link: str = "") -> Message:
    words = decision.outcome.capitalize()
    by = f" by {parts.shown(decision.by, parts.MAX_NAME)}" if decision.by else ""
    told = [
        parts.badge(words, OUTCOMES[decision.outcome]),
        parts.headline(proposal.action),
        parts.paragraph(decision.comment) if decision.comment else None,
        parts.facts([("Decided", f"{at(decision.at)}{by}"), *_facts(proposal)]),
    ]
    key = f"{proposal.id}:{decision.outcome}"
    return parts.compose(key, proposal.id, f"{words}: {proposal.action}", told, link=link)


def outcome_card(proposal: Proposal, ending: Ending, told: str, *, link: str = "") -> Message:
    """`told` is what Data Factory showed, in sentences."""
    words, style = ENDINGS[ending]
    body = [
        parts.badge(words, style),
        parts.headline(proposal.action),
        parts.paragraph(told),
        parts.facts(_facts(proposal)),
    ]
    return parts.compose(f"{proposal.id}:{ending}", proposal.id, f"{words}: {proposal.action}", body, link=link)


def _until(proposal: Proposal) -> str:
    return f"{at(proposal.expires_at)}; after that the answer is no"


def _facts(proposal: Proposal) -> list[tuple[str, object]]:
    return [
        ("Factory", proposal.factory.rsplit("/", 1)[-1]),
        ("Pipeline", proposal.pipeline),
        ("Run id", proposal.run_id),
        ("Asked by", proposal.requested_by),
        ("Rule", proposal.rule),
    ]
