"""A deterministic planner in place of a model: it chooses among the given tools by words and answers with theirs.

It knows no trade. Tools are told apart by their names, descriptions and parameter schemas; arguments are read from the
question; answers are the tools' own summaries. It says what it is under every answer to a caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from localcloud.foundry.records import Usage
from localcloud.foundry.thinking import replies
from localcloud.foundry.thinking.arguments import Filled, Source, fill
from localcloud.foundry.thinking.entities import codes_of, entities_of, names_of
from localcloud.foundry.thinking.matching import ENOUGH, Card, Deck, asked_words, deck_of
from localcloud.foundry.thinking.placing import Peers
from localcloud.foundry.thinking.question import (
    CONTEXT,
    REASON,
    Clause,
    Question,
    asks_reason,
    read,
    tells_of_one_failure,
    trimmed,
)
from localcloud.foundry.thinking.turns import Call, Offer, Outcome, Prompt, Turn
from localcloud.foundry.thinking.words import stems, words

MAX_TOGETHER = 3  # calls made for several things of one kind
MAX_ROUNDS = 5
BORROWED = 0.4  # weight of the words a dependent clause takes from the one before it
MISSING, TAKEN = 0.45, 0.5  # what a tool loses when it cannot be called, and wins for each named thing it can use
TOUCHED = 0.4  # tools whose words are not even touched win nothing by arguments that happen to fit
IMPLIED = 0.6  # weight of a "why" that nobody said
UNHEARD = 0.5  # what a tool loses that has no place for something named
ORDERED = 5.0  # what a tool wins that does the deed which is ordered: no other is asked for it
UNASKED = 0.7  # what a tool that gives reasons loses when no reason is asked for
ORDER = re.compile(
    r"^\W*(?:(?:please|now|go ahead and|can you|could you|would you)\s+)*"
    r"(re-?run|restart|cancel|start|stop|kill|abort|delete|pause|resume|disable|enable|deploy)\b",
    re.IGNORECASE,
)
TAKES_ID = re.compile(r"\b(?:an?|the|its) (?:\w+ )?id\b", re.IGNORECASE)  # an agent that says it wants one
REASONS = dict.fromkeys(stems(" ".join(REASON)), 1.0)


def now_in_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Choice:
    """A tool for a clause, with its arguments."""

    clause: Clause
    offer: Offer
    filled: Filled
    score: float

    @property
    def call(self) -> Call:
        return Call(self.offer.name, self.filled.arguments)


class Planner:
    def __init__(self, clock: Callable[[], datetime] = now_in_utc) -> None:
        self._clock = clock

    async def think(self, prompt: Prompt) -> Turn:
        calls = self.calls_for(prompt)
        text = "" if calls else self.answer(prompt)
        return Turn(text, calls, usage_of(prompt, text, calls))

    def calls_for(self, prompt: Prompt) -> tuple[Call, ...]:
        """What to call now; nothing when all that was asked has been."""
        question, deck = read(prompt.messages), deck_of(forced(prompt), prompt.instructions)
        if not deck.cards or len(prompt.rounds) >= MAX_ROUNDS:
            return ()
        if beyond(question, deck):
            return ()
        if not prompt.rounds:
            return self.first_calls(question, deck)
        done = [outcome.call for outcome in prompt.outcomes]
        return tuple(call for call in self.further_calls(prompt, question, deck) if call not in done)

    # The first round: everything that can be asked at once

    def first_calls(self, question: Question, deck: Deck) -> tuple[Call, ...]:
        if hinted := self.hinted(question, replies.suggested_in(question.context), deck, []):
            return hinted
        choices = self.choices(question, deck)
        ready = [c for c in choices if not c.filled.missing and not (c.clause.dependent and waits(c, choices))]
        if several := self.for_each_known(question, ready, deck):
            return several
        return distinct([c.call for c in merged(pointed(ready), question)])

    def choices(self, question: Question, deck: Deck) -> list[Choice]:
        """The best tool for every clause for which there is one."""
        found: list[Choice] = []
        borrowed = question.earlier
        for clause in question.clauses:
            if choice := self.choose(clause, borrowed, question, deck):
                found.append(choice)
            borrowed = clause.text
        return found

    def choose(self, clause: Clause, borrowed: str, question: Question, deck: Deck) -> Choice | None:
        asked = asked_words(clause.text, codes_of(clause.text))
        if clause.dependent or len(asked) < 2:
            lent = asked_words(borrowed, codes_of(borrowed), BORROWED)
            asked = {**lent, **asked}
        if tells_of_one_failure(clause.text):
            asked.setdefault("why", IMPLIED)
        source = Source(clause.text, around_of(clause, question), self._clock())
        peers = peers_of(deck)
        rated = [self.rated(card, asked, clause, source, deck, peers) for card in deck.cards]
        best = max(listened(rated), key=lambda choice: choice.score, default=None)
        return best if best and best.score >= ENOUGH else None

    def rated(
        self, card: Card, asked: dict[str, float], clause: Clause, source: Source, deck: Deck, peers: Peers
    ) -> Choice:
        said = deck.score(card, asked)
        filled = fill(card.offer, self.source_for(card.offer, source), peers)
        fit = MISSING if filled.missing else 1.0
        if not (asks_reason(clause.text) or tells_of_one_failure(clause.text)) and gives_most_reasons(card, deck):
            fit *= UNASKED
        bonus = TAKEN * filled.taken if said >= TOUCHED else 0.0
        sure = ENOUGH * fit if filled.sure else 0.0
        said += deck.phrases(card, clause.text)
        if is_agent(card.offer) and TAKES_ID.search(card.offer.description) and has_id(clause.text):
            sure += ENOUGH
        if (verb := ordered(clause.text)) and does(card.offer, verb):
            sure += ORDERED
        return Choice(clause, card.offer, filled, said * fit + bonus + sure)

    def source_for(self, offer: Offer, source: Source) -> Source:
        """An agent is asked in words that stand by themselves: it sees nothing of this conversation."""
        if not is_agent(offer):
            return replace(source, around=replies.without_hints(source.around))
        if not source.around:
            return source
        return Source(f"{source.text}\n{CONTEXT} {source.around}", "", source.now)

    def for_each_known(self, question: Question, ready: Sequence[Choice], deck: Deck) -> tuple[Call, ...]:
        """One clause about all that is known so far: a call for each of the things, not for the first alone."""
        if len(ready) != 1 or not question.context or is_agent(ready[0].offer) or names_of(question.text):
            return ()
        calls, peers = [ready[0].call], peers_of(deck)
        for name in names_of(replies.without_hints(question.context)):
            filled = fill(ready[0].offer, Source(ready[0].clause.text, name_alone(name), self._clock()), peers)
            if filled.taken and not filled.missing:
                calls.append(Call(ready[0].offer.name, filled.arguments))
        return distinct(calls)[:MAX_TOGETHER]

    # Later rounds: what depends on the answers so far

    def further_calls(self, prompt: Prompt, question: Question, deck: Deck) -> tuple[Call, ...]:
        last = prompt.rounds[-1]
        called = [outcome.call.name for outcome in prompt.outcomes]
        if len(prompt.rounds) == 1:
            hints = [hint for outcome in last for hint in replies.hints_of(outcome)]
            if hinted := self.hinted(question, hints, deck, called):
                return hinted
        known = trimmed("\n".join(agent_words(outcome) for outcome in prompt.outcomes))
        aware = Question(question.text, question.clauses, known, question.earlier)
        waiting = [c for c in self.choices(aware, deck) if c.clause.dependent and c.offer.name not in called]
        waiting = [c for c in waiting if not c.filled.missing and (c.filled.taken or is_agent(c.offer))]
        return distinct([c.call for c in waiting])

    def hinted(self, question: Question, hints: Sequence[Call], deck: Deck, called: Sequence[str]) -> tuple[Call, ...]:
        """The suggested calls that give reasons, when reasons are asked for and the tools used so far give fewer."""
        if not question.asks_reason:
            return ()
        cards = {card.offer.name: card for card in deck.cards}
        so_far = max((deck.score(cards[name], REASONS) for name in called if name in cards), default=0.0)
        wanted = [hint for hint in hints if hint.name in cards and hint.name not in called]
        wanted = [hint for hint in wanted if deck.score(cards[hint.name], REASONS) > so_far]
        best = max((deck.score(cards[hint.name], REASONS) for hint in wanted), default=0.0)
        return distinct([h for h in wanted if deck.score(cards[h.name], REASONS) == best])[:MAX_TOGETHER]

    # The answer

    def answer(self, prompt: Prompt) -> str:
        text = replies.composed(prompt.outcomes) if prompt.outcomes else self.excuse(prompt)
        if prompt.top_level:
            return f"{text}\n\n{replies.SIGNATURE}"
        done = [outcome.call for outcome in prompt.outcomes]
        left = [hint for outcome in prompt.outcomes for hint in replies.hints_of(outcome) if hint not in done]
        return "\n\n".join(part for part in (text, replies.hint_line(left[:MAX_TOGETHER])) if part)

    def excuse(self, prompt: Prompt) -> str:
        """Nothing was called: say what is missing, or what can be asked."""
        if not prompt.offers:
            return "I have no tools to answer this with."
        question, deck = read(prompt.messages), deck_of(forced(prompt), prompt.instructions)
        if verb := beyond(question, deck):
            return f"I can only look things up: no tool of mine can {verb} anything. A person has to do that."
        for choice in self.choices(question, deck):
            if choice.filled.missing:
                wanted = " and ".join(name.replace("_", " ") for name in choice.filled.missing)
                return f"To use {choice.offer.name} I need to know the {wanted}. Please name it."
        able = "\n".join(f"- {offer.name}: {first_sentence(offer.description)}" for offer in prompt.offers)
        return f"None of my tools fits this question. What I can do:\n{able}"


def forced(prompt: Prompt) -> Sequence[Offer]:
    """The tools to choose among: the one the run demands, if it demands one."""
    choice = prompt.option("tool_choice")
    name = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
    return [offer for offer in prompt.offers if name in (None, offer.name)]


def beyond(question: Question, deck: Deck) -> str:
    """The deed that is ordered and that no tool can do; empty for a question, or when one can."""
    verb = ordered(question.text)
    return "" if any(does(card.offer, verb) for card in deck.cards) else verb


def ordered(text: str) -> str:
    """The deed that is ordered; empty for a question."""
    order = ORDER.match(text)
    return order.group(1).lower().replace("-", "") if order else ""


def does(offer: Offer, verb: str) -> bool:
    """Whether a tool says that it does such a deed."""
    able = re.compile(rf"(?:^|[.;:]\s+|\bto ){verb}s?\b", re.IGNORECASE)
    return bool(able.search(offer.description)) or verb in words(offer.name)


def pointed(choices: Sequence[Choice]) -> list[Choice]:
    """Without the calls that name nothing, where another part of the question calls the same tool for a named thing."""
    naming = {choice.offer.name for choice in choices if choice.filled.heard}
    return [c for c in choices if c.filled.heard or is_agent(c.offer) or c.offer.name not in naming]


def has_id(text: str) -> bool:
    return any(entity.kind == "guid" for entity in entities_of(text))


def is_agent(offer: Offer) -> bool:
    """Whether the tool takes a request in plain words and nothing else."""
    return list(offer.parameters.get("properties") or {}) == ["query"]


def peers_of(deck: Deck) -> Peers:
    return Peers.of([card.offer for card in deck.cards], deck.meant)


def listened(choices: Sequence[Choice]) -> list[Choice]:
    """The choices, with those put back that have no place for a thing another tool could use."""
    heard = frozenset(text for choice in choices if choice.filled.sure for text in choice.filled.heard)
    deaf = [bool(heard - choice.filled.heard) and not is_agent(choice.offer) for choice in choices]
    return [
        replace(choice, score=choice.score * UNHEARD) if is_deaf else choice
        for choice, is_deaf in zip(choices, deaf, strict=True)
    ]


def waits(choice: Choice, choices: Sequence[Choice]) -> bool:
    """A dependent clause waits for the answer before it, unless the same tool is asked both."""
    return any(c.offer.name != choice.offer.name for c in choices if not c.clause.dependent)


def around_of(clause: Clause, question: Question) -> str:
    return question.context if clause.dependent or not names_of(question.text) else ""


def merged(choices: Sequence[Choice], question: Question) -> list[Choice]:
    """Clauses for one agent become one request; a function is called once per set of arguments."""
    kept: list[Choice] = []
    for choice in choices:
        twin = next((k for k in kept if is_agent(k.offer) and k.offer.name == choice.offer.name), None)
        if twin is None:
            kept.append(choice)
        else:
            text = f"{twin.filled.arguments['query']}, and {choice.clause.text}"
            kept[kept.index(twin)] = Choice(twin.clause, twin.offer, Filled({"query": text}), twin.score)
    return kept


def agent_words(outcome: Outcome) -> str:
    """An outcome as it is handed on to another agent: its words, and the calls it suggests."""
    return f"{replies.told(outcome)}\n{replies.hint_line(replies.hints_of(outcome)[:MAX_TOGETHER])}".strip()


def name_alone(name: str) -> str:
    """A name in a place where it is read as one."""
    return f"about '{name}'" if " " in name else f"about {name}"


def gives_most_reasons(card: Card, deck: Deck) -> bool:
    scores = {other.offer.name: deck.score(other, REASONS) for other in deck.cards}
    return len(scores) > 1 and scores[card.offer.name] == max(scores.values()) > 0


def distinct(calls: Sequence[Call]) -> tuple[Call, ...]:
    return tuple(call for number, call in enumerate(calls) if call not in calls[:number])


def first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".") + "."


def usage_of(prompt: Prompt, text: str, calls: Sequence[Call]) -> Usage:
    """Words in place of tokens."""
    read_ = [prompt.instructions, *(said.text for said in prompt.messages)]
    read_ += [f"{offer.name} {offer.description} {json.dumps(offer.parameters)}" for offer in prompt.offers]
    read_ += [
        f"{outcome.call.name} {json.dumps(outcome.call.arguments)} {outcome.output}" for outcome in prompt.outcomes
    ]
    written = text + " ".join(f"{call.name} {json.dumps(call.arguments)}" for call in calls)
    return Usage(sum(len(part.split()) for part in read_), len(written.split()))
