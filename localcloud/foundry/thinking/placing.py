"""Where named things belong: which property of a tool a name, an id or an address is meant for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from localcloud.foundry.records import Json
from localcloud.foundry.thinking.entities import Entity
from localcloud.foundry.thinking.matching import properties_of
from localcloud.foundry.thinking.thesaurus import bag
from localcloud.foundry.thinking.times import UNITS as TIME_UNITS
from localcloud.foundry.thinking.turns import Offer
from localcloud.foundry.thinking.words import likeness, stem, stems, words

FREE_TEXT = bag("query question search text prompt message topic phrase content body keywords q request")
PLACES = bag("city location place country town destination origin region address where venue airport")
PEOPLE = bag("person people who whom customer client supplier employee attendee guest colleague owner user author")
IDS = bag("id ids uuid guid key number reference code")
INSIDE = bag("in on at from within inside near")
WHEREABOUTS = INSIDE | {"to", "for", "around", "over"}
# How well a thing must fit a required property, an optional one when it is surely a name, and else.
ENOUGH, ENOUGH_NAMED, ENOUGH_UNASKED = 1.2, 1.4, 1.6
CLEAR, NUDGE = 2.5, 0.01
SURE, SURE_NAME = 3.5, 2.1  # from here on a code, and a name, can hardly be meant otherwise
TIMED = bag("since until timezone zone date time day start end")
BRAND = re.compile(r"(?<=\s)[A-Z][a-z]+(?:\s[A-Z][a-z]+)+")
GUID_WANTED = re.compile(r"\b[GU]UID\b", re.IGNORECASE)
DOTTED = re.compile(r"\b[A-Za-z]\w+\.[A-Za-z]\w+\b")
CODED = ("guid", "code", "url", "email")
VAGUE = ("proper", "number", "quoted")
ID_LIKE = re.compile(r"(?=.*\d)\S+")
SOME_NAME = Entity("SomeName", "name", 0, 0, "", "")


@dataclass(frozen=True)
class Peers:
    """The tools at hand, and what they are about: `main` is the property a name without further ado is meant for."""

    offers: tuple[Offer, ...]
    about: dict[str, float]
    main: str

    @classmethod
    def of(cls, offers: Sequence[Offer], meant: str = "") -> Peers:
        """`meant` is what a bare name means, where somebody has said so."""
        about: dict[str, float] = {}
        order: dict[str, int] = {}
        for offer in offers:
            for place_, (name, schema) in enumerate(properties_of(offer.parameters).items()):
                about[name] = max(about.get(name, 0.0), subject(offer, name))
                if by_kind(set(words(name)), schema, SOME_NAME) > 0 and allowed(name, schema, SOME_NAME):
                    order[name] = min(order.get(name, place_), place_)
        if meant in order:
            about[meant] = max(about.values()) + 0.1
        main = max(order, key=lambda name: (about[name], -order[name]), default="")
        return cls(tuple(offers), about, main)


@dataclass(frozen=True)
class Placed:
    arguments: Json
    weight: float = 0.0  # about 1 for each thing that fits
    sure: bool = False  # one of them can hardly belong anywhere else
    heard: frozenset[str] = frozenset()


def place(offer: Offer, wanted: dict[str, Json], peers: Peers, entities: Sequence[Entity]) -> Placed:
    """Give named things to the properties they suit best, the clearest matches first."""
    meant = [entity for entity in entities if not (entity.kind == "number" and stem(entity.after) in TIME_UNITS)]
    homes = {entity.start: home_of(entity, peers) for entity in meant}
    ranked = sorted(
        (
            (suits(offer, name, schema, peers, entity), -order, name, entity)
            for order, (name, schema) in enumerate(wanted.items())
            for entity in meant
        ),
        key=lambda one: one[:2],
        reverse=True,
    )
    placed: Json = {}
    used: dict[int, float] = {}
    heard: set[str] = set()
    sure = False
    for score, _, name, entity in ranked:
        at_home = name == homes[entity.start] or entity.kind == "proper"
        if score >= bar(offer, name, entity) and at_home and entity.start not in used and name not in placed:
            placed[name] = [entity.text] if wanted[name].get("type") == "array" else entity.text
            used[entity.start] = min(1.0, score / CLEAR)
            sure = sure or certain(entity, score)
            heard.add(entity.text)
    return Placed(placed, sum(used.values()), sure, frozenset(heard))


def certain(entity: Entity, score: float) -> bool:
    return entity.kind not in VAGUE and score >= (SURE if entity.kind in CODED else SURE_NAME)


def home_of(entity: Entity, peers: Peers) -> str:
    """The property this thing suits best among all tools at hand: that tells what kind of thing it is."""
    best, home = 0.0, ""
    for peer in peers.offers:
        for name, schema in properties_of(peer.parameters).items():
            score = suits(peer, name, schema, peers, entity) + NUDGE * (name == peers.main)
            if score > best:
                best, home = score, name
    return home


def bar(offer: Offer, name: str, entity: Entity) -> float:
    if name in (offer.parameters.get("required") or ()):
        return ENOUGH
    return ENOUGH_NAMED if entity.kind in ("name", "quoted") else ENOUGH_UNASKED


def suits(offer: Offer, name: str, schema: Json, peers: Peers, entity: Entity) -> float:
    """How well a named thing fits a property; 0 when it cannot be meant."""
    if not allowed(name, schema, entity):
        return 0.0
    parts = words(name)
    shape = by_kind(set(parts), schema, entity)
    if shape <= 0:
        return 0.0
    inside = entity.before in INSIDE
    score = shape + beside(parts, entity) + peers.about.get(name, 0.0)
    if name == peers.main:
        score -= 1.2 if inside else 0.0
    else:
        score += 0.7 if inside else 0.0
    score += 3.0 if mentioned(entity.text, schema) else 0.0
    score += 1.5 if looks_like_example(entity.text, schema) else 0.0
    return score + (0.3 if name in (offer.parameters.get("required") or ()) else 0.0)


def subject(offer: Offer, name: str) -> float:
    """How much the tool is about this property: 1 when its name says so. The name of a product says nothing."""
    own = set(stems(name))
    if own & set(stems(offer.name)):
        return 1.0
    return 0.6 if own & set(stems(BRAND.sub(" ", offer.description))) else 0.0


def allowed(name: str, schema: Json, entity: Entity) -> bool:
    """Whether the property may hold a named thing at all, and this one by its pattern."""
    pattern, parts = schema.get("pattern"), set(words(name))
    if entity.kind == "time":
        return False
    if schema.get("type", "string") not in ("string", "array") or "enum" in schema:
        return False
    if (
        schema.get("format") in ("date", "date-time")
        or parts <= TIMED
        or "HH:MM" in str(schema.get("description", ""))
        or (parts & FREE_TEXT and not parts & IDS)
    ):
        return False
    if entity.kind == "number" and GUID_WANTED.search(str(schema.get("description", ""))):
        return entity.before in {*words(name)}
    return not pattern or re.search(pattern, entity.text) is not None


def mentioned(text: str, schema: Json) -> bool:
    return text in re.findall(r"[\w-]+", str(schema.get("description", "")))


def looks_like_example(text: str, schema: Json) -> bool:
    """A dotted name belongs where the description shows one."""
    return bool(DOTTED.fullmatch(text) and DOTTED.search(str(schema.get("description", ""))))


def beside(parts: Sequence[str], entity: Entity) -> float:
    ties = [likeness(stem(part), stem(word)) for part in parts for word in (entity.before, entity.after) if word]
    return 3.0 * max((tie for tie in ties if tie >= 0.7), default=0.0)


def by_kind(parts: set[str], schema: Json, entity: Entity) -> float:
    """What the shape of a thing says about the property it may belong to."""
    if schema.get("format") in ("uri", "url") or parts & {"url", "uri", "link"}:
        return 3.0 if entity.kind == "url" else 0.0
    if schema.get("format") == "email" or "email" in parts:
        return 3.0 if entity.kind == "email" else 0.0
    if schema.get("format") == "uuid" or parts & IDS:
        return {"guid": 3.0, "code": 2.5, "quoted": 1.3 if ID_LIKE.fullmatch(entity.text) else 0.0, "number": 0.4}.get(
            entity.kind, 0.0
        )
    if parts & PLACES:
        return {"proper": 1.2, "quoted": 1.0}.get(entity.kind, 0.0) + 1.0 * (entity.before in WHEREABOUTS)
    if entity.kind in ("url", "email", "guid", "number"):
        return 0.0
    if parts & PEOPLE and entity.kind == "proper":
        return 1.8
    return {"name": 1.5, "quoted": 1.5, "code": 1.2, "kebab": 1.0, "proper": 1.2}[entity.kind]
