"""Which of the offered tools a question is about: shared and related words, rare ones counting more."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from localcloud.foundry.records import Json
from localcloud.foundry.thinking.thesaurus import IDIOMS
from localcloud.foundry.thinking.turns import Offer
from localcloud.foundry.thinking.words import FAINT, SILENT, likeness, stem, stems, words

NAME, FIRST_SENTENCE, LATER_SENTENCES, CHOICES, PROPERTY, PROPERTY_TEXT = 3.0, 2.0, 1.2, 1.2, 0.9, 0.5
PHRASE, PHRASE_MOST = 1.0, 2.0
FAINTLY, LOUDLY = 0.25, 2.0
HOW_TO = "howto"  # what idioms make of 'how do I': whoever asks so wants instructions
ENOUGH = 0.75  # below this a question is about none of the tools
SENTENCE_END = re.compile(r"(?<=[.;!?])\s+|\n+")
BARE_NAME = re.compile(r"\bname (?:alone|by itself) is an? (\w+)", re.IGNORECASE)
# What a description says the tool is not for must not speak for it.
DISCLAIMER = re.compile(
    r"\b(not for|do not|don't|never|instead|rather than|unless|use \w+_\w+ (for|to))\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Card:
    """A tool as bag of weighted stems."""

    offer: Offer
    weights: dict[str, float]


@dataclass(frozen=True)
class Deck:
    """The offered tools, and how rare each of their stems is among them."""

    cards: tuple[Card, ...]
    meant: str = ""  # what a bare name means, by the instructions
    _rarities: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    def rarity(self, word: str) -> float:
        if word not in self._rarities:  # asked for thousands of times a turn
            holders = sum(word in card.weights for card in self.cards)
            self._rarities[word] = math.log((len(self.cards) + 1) / (holders + 0.5)) + 0.35
        return self._rarities[word]

    def score(self, card: Card, asked: dict[str, float]) -> float:
        return sum(weight * self.best(card, word) for word, weight in asked.items())

    def phrases(self, card: Card, text: str) -> float:
        """What a tool wins by saying three words in a row as they were asked, when few others do."""
        said = threes(text) & threes(" . ".join(affirmed(card.offer.description)))
        holders = [sum(one in threes(other.offer.description) for other in self.cards) for one in said]
        return min(PHRASE_MOST, sum(PHRASE / max(1, count) for count in holders))

    def best(self, card: Card, word: str) -> float:
        """The strongest tie between a word asked and the tool. A rare synonym of a common word is not rare."""
        common = self.rarity(word) if any(word in other.weights for other in self.cards) else math.inf
        ties = (min(self.rarity(own), common) * weight * likeness(word, own) for own, weight in card.weights.items())
        return max(ties, default=0.0)


@lru_cache(maxsize=2_000)
def threes(text: str) -> frozenset[tuple[str, ...]]:
    """All runs of three words, in their stems, that hold a word of content."""
    said = words(text)
    runs = (said[start : start + 3] for start in range(len(said) - 2))
    return frozenset(tuple(stem(word) for word in run) for run in runs if set(run) - SILENT - FAINT)


def deck_of(offers: Iterable[Offer], instructions: str = "") -> Deck:
    said = BARE_NAME.search(instructions)
    return Deck(tuple(Card(offer, weights_of(offer)) for offer in offers), said.group(1).lower() if said else "")


def weights_of(offer: Offer) -> dict[str, float]:
    weights: dict[str, float] = {}

    def add(text: str, weight: float) -> None:
        for word in stems(text):
            weights[word] = max(weights.get(word, 0.0), weight)

    add(offer.name, NAME)
    for number, sentence in enumerate(affirmed(offer.description)):
        add(sentence, FIRST_SENTENCE if number == 0 else LATER_SENTENCES)
    for name, schema in properties_of(offer.parameters).items():
        add(name, PROPERTY)
        add(str(schema.get("description", "")), PROPERTY_TEXT)
        add(" ".join(str(choice) for choice in schema.get("enum", ())), CHOICES)
    return weights


@lru_cache(maxsize=2_000)
def affirmed(description: str) -> tuple[str, ...]:
    return tuple(part for part in SENTENCE_END.split(description) if part and not DISCLAIMER.search(part))


def properties_of(parameters: Json) -> dict[str, Json]:
    """The properties of an object schema, with references and optional types resolved."""
    definitions = parameters.get("$defs") or parameters.get("definitions") or {}
    properties: dict[str, Json] = parameters.get("properties") or {}
    return {name: resolved(schema, definitions) for name, schema in properties.items()}


def resolved(schema: Json, definitions: Json) -> Json:
    if "$ref" in schema:
        target = definitions.get(schema["$ref"].rpartition("/")[2], {})
        return {**resolved(target, definitions), **{k: v for k, v in schema.items() if k != "$ref"}}
    for key in ("anyOf", "oneOf", "allOf"):
        options = [option for option in schema.get(key) or [] if option.get("type") != "null"]
        if options:
            return {**resolved(options[0], definitions), **{k: v for k, v in schema.items() if k != key}}
    return schema


def plain(text: str) -> str:
    """The text with its idioms put into plain words."""
    for idiom, meaning in IDIOMS:
        text = re.sub(idiom, lambda match, to=meaning: match.expand(to), text, flags=re.IGNORECASE)  # type: ignore[misc]
    return text


def asked_words(text: str, ignored: Sequence[str] = (), scale: float = 1.0) -> dict[str, float]:
    """The stems of a question with their weights. Names in it tell what is asked about, not which tool answers."""
    text = plain(text)
    for name in ignored:
        text = text.replace(name, " ")
    asked: dict[str, float] = {}
    for word in words(text):
        if word in SILENT or word.isdigit():
            continue
        weight = FAINTLY if word in FAINT else LOUDLY if word == HOW_TO else 1.0
        asked[stem(word)] = max(asked.get(stem(word), 0.0), weight * scale)
    return asked
