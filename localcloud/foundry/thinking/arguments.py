"""Arguments for a chosen tool: what its JSON schema wants, found in what was asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.foundry.records import Json
from localcloud.foundry.thinking.bare import bare_names
from localcloud.foundry.thinking.entities import entities_of
from localcloud.foundry.thinking.matching import properties_of
from localcloud.foundry.thinking.placing import FREE_TEXT, IDS, Peers, Placed, place
from localcloud.foundry.thinking.stretches import agreed_clock, long_ago, stretch_of, zone_of
from localcloud.foundry.thinking.thesaurus import bag
from localcloud.foundry.thinking.times import counted, day_of, span_of
from localcloud.foundry.thinking.turns import Offer
from localcloud.foundry.thinking.words import likeness, stem, stems, words

DATES = bag("""date day when start end from to since until before after deadline departure arrival check""")
STARTS = bag("start from since after begin")
ENDS = bag("end to until before finish")
COUNTS = bag("limit top count max maximum size")
UNITS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0, "night": 86400.0, "week": 604800.0, "month": 2592000.0}
NEGATION = re.compile(r"\b(without|no|not|don't|exclude|excluding|except)\b", re.I)
NEGATED = re.compile(r"\b(?:not|hasn't|haven't|isn't|aren't)\s+(?:yet\s+|been\s+)*(\w+)", re.I)
TOP = re.compile(r"\b(?:top|first|last|latest|newest|up to|at most)\s+(\d+)\b(?!\s*(?:min|hour|day|week|month))", re.I)
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
    heard: frozenset[str] = frozenset()  # the named things that found a place


def fill(offer: Offer, source: Source, peers: Peers | None = None) -> Filled:
    """Arguments for the offer. Optional properties the text says nothing of are left out."""
    properties = properties_of(offer.parameters)
    required = [name for name in offer.parameters.get("required") or [] if name in properties]
    plain = {name: plain_value(name, schema, source) for name, schema in properties.items()}
    plain |= stretch_in(properties, source)
    arguments = {name: value for name, value in plain.items() if value is not None}
    taken = sum(0.25 for name in arguments if not set(words(name)) & FREE_TEXT)
    rest = {name: schema for name, schema in properties.items() if name not in arguments}
    named = named_in(offer, rest, peers or Peers.of([offer]), source)
    arguments |= named.arguments
    for name in required:
        if name not in arguments and properties[name].get("default") is not None:
            arguments[name] = properties[name]["default"]
    missing = tuple(name for name in required if name not in arguments)
    return Filled(arguments, missing, taken + named.weight, named.sure, named.heard)


def stretch_in(properties: dict[str, Json], source: Source) -> Json:
    """Since and until, where the tool takes both and dates are named; else spans of time go by their number alone."""
    if not {"since", "until"} <= set(properties):
        return {}
    lengths = [name for name, schema in properties.items() if unit_of(name, schema) and is_numeric(schema)]
    since, until = stretch_of(source.text, source.now) or ("", "")
    if not (since or until) and (day := long_ago(source.text, source.now)) and too_long(properties, lengths, source):
        since = until = day.isoformat()
    if since or until:
        return {"since": since or None, "until": until or None, **dict.fromkeys(lengths)}
    return {"since": None, "until": None} if lengths else {}


def too_long(properties: dict[str, Json], lengths: Sequence[str], source: Source) -> bool:
    """Whether the span that is asked for is more than any length the tool takes."""
    span = span_of(source.text)
    return bool(span) and all(
        span.total_seconds() / UNITS[str(unit_of(name, properties[name]))] > properties[name].get("maximum", 0)
        for name in lengths
        if span
    )


def named_in(offer: Offer, wanted: dict[str, Json], peers: Peers, source: Source) -> Placed:
    """What is named in the text; else around it; else what stands where a name would, which proves nothing."""
    around = [entity for entity in entities_of(source.around) if entity.kind != "number"]
    for entities in (entities_of(source.text), around):
        placed = place(offer, wanted, peers, entities)
        if placed.arguments:
            return placed
    return Placed(place(offer, wanted, peers, bare_names(source.text, peers.offers)).arguments)


def plain_value(name: str, schema: Json, source: Source) -> Any:
    """A value that does not come from a named thing: choices, numbers, times, yes or no, the text itself."""
    text, kind, parts = source.text, schema.get("type"), set(words(name))
    if "enum" in schema:
        return choice(schema["enum"], text)
    if kind == "array" and "enum" in schema.get("items", {}):
        return choices(schema["items"]["enum"], text) or None
    if is_zone(name):
        return zone_of(text)
    if kind == "string" and "HH:MM" in str(schema.get("description", "")):
        return agreed_clock(text)
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
    unit = unit_of(name, schema)
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


def is_numeric(schema: Json) -> bool:
    return schema.get("type") in ("integer", "number")


def is_zone(name: str) -> bool:
    return "".join(words(name)) in ("timezone", "tz")


def unit_of(name: str, schema: Json) -> str | None:
    """The unit of time a number is in: by its name, else by its description."""
    own = {stem(word) for word in words(name)}
    said = [stem(word) for word in words(str(schema.get("description", "")))]
    return next((unit for unit in UNITS if unit in own), None) or next((word for word in said if word in UNITS), None)


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
