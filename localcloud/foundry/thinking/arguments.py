"""Arguments for a chosen tool: what its JSON schema wants, found in what was asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.foundry.records import Json
from localcloud.foundry.thinking.entities import Entity, entities_of
from localcloud.foundry.thinking.matching import properties_of
from localcloud.foundry.thinking.thesaurus import bag
from localcloud.foundry.thinking.times import counted, day_of, span_of
from localcloud.foundry.thinking.turns import Offer
from localcloud.foundry.thinking.words import likeness, stem, stems, words

FREE_TEXT = bag("""query question search text prompt message topic phrase content body keywords q request""")
PLACES = bag("""city location place country town destination origin region address where venue airport""")
PEOPLE = bag("person people who whom customer client supplier employee attendee guest colleague owner user author")
IDS = bag("id ids uuid guid key number reference code")
DATES = bag("""date day when start end from to since until before after deadline departure arrival check""")
STARTS = bag("start from since after begin")
ENDS = bag("end to until before finish")
COUNTS = bag("limit top count max maximum size")
UNITS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0, "night": 86400.0, "week": 604800.0, "month": 2592000.0}
INSIDE = bag("in on at from within inside near")
WHEREABOUTS = INSIDE | {"to", "for", "around", "over"}
NEGATION = re.compile(r"\b(without|no|not|don't|exclude|excluding|except)\b", re.I)
NEGATED = re.compile(r"\b(?:not|hasn't|haven't|isn't|aren't)\s+(?:yet\s+|been\s+)*(\w+)", re.I)
TOP = re.compile(r"\b(?:top|first|last|latest|newest|up to|at most)\s+(\d+)\b(?!\s*(?:min|hour|day|week|month))", re.I)
ENOUGH, ENOUGH_UNASKED = 1.2, 1.6  # how well a thing must fit a required property, and an optional one
CLEAR, CLOSE, SURE = 2.5, 0.3, 3.5
CODED = ("guid", "code", "url", "email")
PASSING = 0.75


@dataclass(frozen=True)
class Source:
    """Where arguments are looked for: in the clause first, then in what is known around it."""

    text: str
    around: str = ""
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    @property
    def whole(self) -> str:
        return f"{self.text}\n{self.around}".strip()


@dataclass(frozen=True)
class Filled:
    arguments: Json
    missing: tuple[str, ...] = ()  # required, not found
    taken: float = 0  # how much of what was said found a place: names count 1, choices and spans a quarter
    sure: bool = False  # something said can hardly be meant for another kind of tool


def fill(offer: Offer, source: Source, peers: Sequence[Offer] = ()) -> Filled:
    """Arguments for the offer. Optional properties the text says nothing of are left out."""
    properties = properties_of(offer.parameters)
    required = [name for name in offer.parameters.get("required") or [] if name in properties]
    plain = {name: plain_value(name, schema, source) for name, schema in properties.items()}
    arguments = {name: value for name, value in plain.items() if value is not None}
    taken = sum(0.25 for name in arguments if not set(words(name)) & FREE_TEXT)
    rest = {name: schema for name, schema in properties.items() if name not in arguments}
    named = place(offer, rest, peers or [offer], entities_of(source.text))
    if not named.arguments and source.around:
        named = place(
            offer, rest, peers or [offer], [entity for entity in entities_of(source.around) if entity.kind != "number"]
        )
    arguments |= named.arguments
    for name in required:
        if name not in arguments and (value := last_resort(name, properties[name], source)) is not None:
            arguments[name] = value
    return Filled(
        arguments, tuple(name for name in required if name not in arguments), taken + named.weight, named.sure
    )


def plain_value(name: str, schema: Json, source: Source) -> Any:
    """A value that does not come from a named thing: choices, numbers, times, yes or no, the text itself."""
    text, kind, parts = source.text, schema.get("type"), set(words(name))
    if "enum" in schema:
        return choice(schema["enum"], text)
    if kind == "array" and "enum" in schema.get("items", {}):
        return choices(schema["items"]["enum"], text) or None
    if kind == "boolean":
        return switch(name, text)
    if kind in ("integer", "number"):
        return number(name, schema, text, source)
    if kind == "string" and is_date(parts, schema):
        return moment(parts, schema, source)
    if kind == "string" and parts & FREE_TEXT and not parts & IDS:
        return free_text(parts, text)
    return None


def choices(options: Sequence[Any], text: str) -> list[Any]:
    text = NEGATED.sub(r"un\1", text)
    asked = {stem(word) for word in words(text)}
    return [option for option in options if any(same_word(option, word) for word in asked)]


def same_word(option: Any, word: str) -> bool:
    own = [stem(part) for part in words(str(option))]
    return word in own if len(own) == 1 else word == stem(str(option))


def choice(options: Sequence[Any], text: str) -> Any:
    if exact := choices(options, text):
        return exact[0]
    asked = {stem(word) for word in words(text)}
    scored = [(max(near(option, asked), 0.0), -number) for number, option in enumerate(options)]
    best, place_ = max(scored, default=(0.0, 0))
    return options[-place_] if best >= PASSING else None


def near(option: Any, asked: set[str]) -> float:
    """Whole words only: a choice is not taken for a word that merely goes with it."""
    own = stem(str(option))
    return max((likeness(own, word) for word in asked), default=0.0)


def switch(name: str, text: str) -> bool | None:
    own = [word for word in stems(name) if word not in ("include", "includ", "only", "with")]
    asked = stems(text)
    if not own or not all(any(word == other for other in asked) for word in own):
        return None
    return not NEGATION.search(text)


def number(name: str, schema: Json, text: str, source: Source) -> float | int | None:
    parts = {stem(word) for word in words(name)}
    said = words(f"{name} {schema.get('description', '')}")
    unit = next((unit for unit in UNITS if unit in {stem(word) for word in words(name)}), None)
    unit = unit or next((stem(word) for word in said if stem(word) in UNITS), None)
    value: float | None = None
    if unit:
        value = counted(text, unit) if unit == "night" else None
        span = span_of(text)
        value = span.total_seconds() / UNITS[unit] if value is None and span else value
    elif parts & {stem(word) for word in COUNTS}:
        match = TOP.search(text)
        value = float(match.group(1)) if match else None
    if value is None and not unit:
        value = adjacent_number(name, schema, text)
    return clamp(value, schema) if value is not None else None


def adjacent_number(name: str, schema: Json, text: str) -> float | None:
    """A number next to a word of the property's name, or the only number of the text where one is wanted."""
    own = stems(f"{name} {schema.get('description', '')}")
    numbers = [entity for entity in entities_of(text) if entity.kind == "number"]
    for entity in numbers:
        if any(likeness(stem(word), other) >= 0.7 for word in (entity.after, entity.before) if word for other in own):
            return float(entity.text.replace(",", ""))
    if len(numbers) == 1 and not span_of(text):
        return float(numbers[0].text.replace(",", ""))
    return None


def clamp(value: float, schema: Json) -> float | int:
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    value = min(max(value, low), high)
    return max(1, round(value)) if schema.get("type") == "integer" and value > 0 else round(value, 3)


def is_date(parts: set[str], schema: Json) -> bool:
    return schema.get("format") in ("date", "date-time") or (
        "format" not in schema and bool(parts & {"date", "day", "when", "since", "until", "deadline"})
    )


def moment(parts: set[str], schema: Json, source: Source) -> str | None:
    """A day the text names; for a beginning or an end of a window, the span the text speaks of."""
    timed = schema.get("format") == "date-time"
    if parts & STARTS and (span := span_of(source.text)):
        return stamp(source.now - span, timed=timed)
    if parts & ENDS and span_of(source.text):
        return stamp(source.now, timed=timed)
    day = day_of(source.text, source.now)
    if day is None:
        return None
    return f"{day.isoformat()}T00:00:00Z" if timed else day.isoformat()


def stamp(when: datetime, *, timed: bool) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if timed else when.date().isoformat()


def free_text(parts: set[str], text: str) -> str:
    """What is quoted, where a text itself is wanted; else all that was said."""
    quoted = [entity.text for entity in entities_of(text) if entity.kind == "quoted"]
    return quoted[0] if quoted and parts & {"text", "message", "phrase", "content", "body"} else text.strip()


@dataclass(frozen=True)
class Placed:
    arguments: Json
    weight: float  # about 1 for each thing that fits
    sure: bool  # one of them can hardly belong anywhere else


def place(offer: Offer, wanted: dict[str, Json], peers: Sequence[Offer], entities: Sequence[Entity]) -> Placed:
    """Give named things to the properties they suit best, the clearest matches first."""
    meant = [entity for entity in entities if not (entity.kind == "number" and stem(entity.after) in UNITS)]
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
    sure = False
    for score, _, name, entity in ranked:
        home, best = homes[entity.start]
        at_home = name == home or score > best - CLOSE or entity.kind == "proper"
        if score >= bar(offer, name) and at_home and entity.start not in used and name not in placed:
            placed[name] = [entity.text] if wanted[name].get("type") == "array" else entity.text
            used[entity.start] = min(1.0, score / CLEAR)
            sure = sure or (score >= SURE and entity.kind in CODED)
    return Placed(placed, sum(used.values()), sure)


def home_of(entity: Entity, peers: Sequence[Offer]) -> tuple[str, float]:
    """The property this thing suits best among all tools at hand: that tells what kind of thing it is."""
    rated = (
        (suits(peer, name, schema, peers, entity), name)
        for peer in peers
        for name, schema in properties_of(peer.parameters).items()
    )
    score, name = max(rated, default=(0.0, ""))
    return name, score


def bar(offer: Offer, name: str) -> float:
    return ENOUGH if name in (offer.parameters.get("required") or ()) else ENOUGH_UNASKED


def suits(offer: Offer, name: str, schema: Json, peers: Sequence[Offer], entity: Entity) -> float:
    """How well a named thing fits a property; 0 when it cannot be meant."""
    if schema.get("type", "string") not in ("string", "array") or not allowed(name, schema, entity):
        return 0.0
    parts = words(name)
    shape = by_kind(set(parts), schema, entity)
    if shape <= 0:
        return 0.0
    about = max(subject(peer, name) for peer in peers)
    inside = entity.before in INSIDE
    score = shape + beside(parts, entity) + about - (1.2 if inside and about >= 1 else 0.0)
    score += 0.7 if about < 1 and (inside or entity.kind == "kebab") else 0.0
    score += 3.0 if mentioned(entity.text, schema) else 0.0
    return score + (0.3 if name in (offer.parameters.get("required") or ()) else 0.0)


def subject(offer: Offer, name: str) -> float:
    """How much the tool is about this property: 1 when its name says so."""
    own = set(stems(name))
    if own & set(stems(offer.name)):
        return 1.0
    return 0.6 if own & set(stems(offer.description)) else 0.0


def allowed(name: str, schema: Json, entity: Entity) -> bool:
    """Whether the property may hold a named thing at all, and this one by its pattern."""
    pattern, parts = schema.get("pattern"), set(words(name))
    if "enum" in schema or schema.get("format") in ("date", "date-time") or (parts & FREE_TEXT and not parts & IDS):
        return False
    return not pattern or re.search(pattern, entity.text) is not None


def mentioned(text: str, schema: Json) -> bool:
    return text in re.findall(r"[\w-]+", str(schema.get("description", "")))


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
        return {"guid": 3.0, "code": 2.5, "quoted": 0.6, "number": 0.4}.get(entity.kind, 0.0)
    if parts & PLACES:
        return {"proper": 1.2, "quoted": 1.0}.get(entity.kind, 0.0) + 1.0 * (entity.before in WHEREABOUTS)
    if entity.kind in ("url", "email", "guid", "number"):
        return 0.0
    if parts & PEOPLE and entity.kind == "proper":
        return 1.8
    return {"name": 1.5, "quoted": 1.5, "code": 1.2, "kebab": 1.0, "proper": 1.2}[entity.kind]


BARE = re.compile(
    r"\b(?:did|does|do|is|was|are|were|has|about|of|for|in|called|named)\s+(?:the\s+|my\s+)?([A-Za-z][\w-]{2,})\b", re.I
)
NOT_BARE = bag(
    """the my our your this that these those there anything everything something nothing it they we you any all
    some what why how fail failed failing failure failures error errors last past today yesterday night week day
    hours time run runs job jobs going happening wrong broken status"""
)


def last_resort(name: str, schema: Json, source: Source) -> Any:
    """For a required property nothing was found for: its default, or a word that stands where a name would."""
    if "default" in schema:
        return schema["default"]
    if schema.get("type", "string") != "string" or set(words(name)) & IDS or "format" in schema or "enum" in schema:
        return None
    for match in BARE.finditer(source.text):
        if match.group(1).lower() not in NOT_BARE and match.group(1).lower() not in words(name):
            return match.group(1)
    return None
