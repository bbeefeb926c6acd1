"""Things named in a text: quoted words, ids, names written like CodeNames, proper names, addresses, numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from localcloud.foundry.thinking.thesaurus import bag
from localcloud.foundry.thinking.words import FAINT, SILENT

Kind = Literal["quoted", "guid", "code", "name", "kebab", "proper", "url", "email", "time", "number"]

# In the order in which they claim a stretch of text.
PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("url", re.compile(r"https?://[^\s\"'<>)\]]+[^\s\"'<>)\].,;:?!]")),
    ("email", re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\w")),
    ("time", re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?")),
    ("time", re.compile(r"\b(?:Africa|America|Asia|Atlantic|Australia|Europe|Pacific)/[A-Z]\w+(?:/[A-Z]\w+)?\b")),
    ("guid", re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")),
    ("quoted", re.compile(r"[\"“]([^\"“”\n]{1,200})[\"”]|`([^`\n]{1,200})`|(?<!\w)['‘]([^'’\n]{1,200})['’](?!\w)")),
    ("code", re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+\b|\b[A-Z]{1,4}\d{2,}\b")),
    ("name", re.compile(r"\b[A-Za-z]\w{2,}(?:\.[A-Za-z]\w{2,})+\b")),  # a name within a name: a table of a schema
    ("name", re.compile(r"\b[A-Za-z][a-z0-9]*(?:[A-Z][A-Za-z0-9]*)+(?:[_-]\w+)*\b|\b\w+(?:_\w+)+\b")),
    ("kebab", re.compile(r"\b[a-z][a-z0-9]*(?:-[a-z0-9]+)+\b")),
    ("proper", re.compile(r"\b[A-Z][\w&'’]*[a-z](?:[ -](?:[A-Z][\w&'’]*[a-z]|[A-Z]{2,}))*\b|\b[A-Z]{2,6}\b")),
    ("number", re.compile(r"(?<![\w.:-])\d+(?:[.,]\d+)*(?![\w:-])")),
)
ORDINARY_COMPOUNDS = (
    "self-", "on-", "re-", "non-", "follow-", "up-", "well-", "long-", "so-", "root-", "run-", "e-",
    "one-", "two-", "three-", "first-", "last-", "half-", "stand-", "per-", "pre-", "by-", "end-", "error-",
)  # fmt: skip
NOT_NAMES = bag(
    """I I'm OK Okay Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June
    July August September October November December Today Yesterday Tomorrow UTC AM PM PDF CSV ID IDs Error
    Context Suggested ErrorCode RunId"""
)
BEFORE = re.compile(r"([A-Za-z]+)\W*$")
AFTER = re.compile(r"^\W{0,2}([A-Za-z]+)")
STARTS = re.compile(r"(?:^|[.!?:;]\s+|\n\s*[-*]?\s*)$")


@dataclass(frozen=True)
class Entity:
    text: str
    kind: Kind
    start: int
    end: int
    before: str  # the word before it, in lower case
    after: str


@lru_cache(maxsize=2_000)
def entities_of(text: str) -> tuple[Entity, ...]:
    """Everything named in the text, in its order; a stretch of text belongs to one entity only."""
    claimed: list[tuple[int, int]] = []
    found: list[Entity] = []
    for kind, pattern in PATTERNS:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in claimed):
                continue
            if entity := entity_at(text, kind, match):
                claimed.append((match.start(), match.end()))
                found.append(entity)
    return tuple(sorted(found, key=lambda entity: entity.start))


def entity_at(text: str, kind: Kind, match: re.Match[str]) -> Entity | None:
    value = next((group for group in match.groups() if group), match.group())
    if kind == "proper":
        value = without_opener(value)
    head, tail = text[: match.start()], text[match.end() :]
    if kind == "kebab" and value.startswith(ORDINARY_COMPOUNDS):
        return None
    if kind == "proper" and (
        value in NOT_NAMES or (STARTS.search(head) and " " not in match.group() and not value.isupper())
    ):
        return None
    before, after = BEFORE.search(head), AFTER.search(tail)
    return Entity(
        value,
        kind,
        match.start(),
        match.end(),
        before.group(1).lower() if before else "",
        after.group(1).lower() if after else "",
    )


def without_opener(name: str) -> str:
    """'Does Acme' at the beginning of a sentence is about Acme."""
    first, _, rest = name.partition(" ")
    return rest if rest and first.lower() in (SILENT | FAINT) - {"new"} else name


def codes_of(text: str) -> list[str]:
    """The names that are no words of the language, or are quoted: what they are made of says nothing."""
    return [entity.text for entity in entities_of(text) if entity.kind not in ("proper", "number")]


def names_of(text: str) -> list[str]:
    """What the text is about, each once: the names and ids in it, not its numbers and addresses."""
    kinds = ("quoted", "guid", "code", "name", "kebab", "proper")
    return list(dict.fromkeys(entity.text for entity in entities_of(text) if entity.kind in kinds))
