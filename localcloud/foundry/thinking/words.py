"""Words of plain English: stems, words that say little, and which stems mean about the same."""

from __future__ import annotations

import re
from functools import lru_cache

from localcloud.foundry.thinking.thesaurus import GROUPS, IRREGULAR, bag

WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SUFFIXES = ("ations", "ation", "ments", "ment", "ings", "ing", "ures", "ure", "ies", "ied", "ed", "es", "ly", "er", "s")
LONGEST_EXCEPTION = 3  # shorter words are left as they are

SILENT = bag(
    """a an the of to in on at for from by with as is are was were be been being am do does did doing done has have
    had it its they them their this that these those there here he she we us you your i me my mine our and or
    but if so than then not no any some all each every both either just only also too very really quite ever
    please can could would should may might will shall must let lets let's i'd i'm i've it's that's what's who's
    how's where's there's what which who whom whose when where how up out over about into onto per via
    within during while because s t re ve ll d m more most much many own same such other another one ones thing
    things something anything everything nothing someone anyone anybody everybody get got gets"""
)
FAINT = bag(
    """show tell give list find see look need want know like like-to check make use using help have last past
    recent recently since ago now right currently current today yesterday tonight night morning afternoon
    evening week weeks day days hour hours minute minutes month months year years time times ask answer question
    long first next new name number"""
)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    word = word.lower().removesuffix("'s")
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= LONGEST_EXCEPTION:
        return word
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= LONGEST_EXCEPTION:
            return trimmed(word, suffix)
    return word.removesuffix("e") if len(word) > LONGEST_EXCEPTION + 1 else word


def trimmed(word: str, suffix: str) -> str:
    root = word.removesuffix(suffix)
    if suffix in ("ies", "ied"):
        return root + "y"
    if suffix == "s" and root.endswith("s"):  # "less", "status"
        return word
    if len(root) > LONGEST_EXCEPTION and root[-1] == root[-2] and root[-1] not in "sle":
        root = root[:-1]  # "running" → "run"
    return root.removesuffix("e") if len(root) > LONGEST_EXCEPTION + 1 else root


@lru_cache(maxsize=10_000)
def words(text: str) -> tuple[str, ...]:
    """The words of a text, names in CamelCase or snake_case taken apart, in lower case."""
    return tuple(word.lower() for word in WORD.findall(CAMEL.sub(" ", text)))


@lru_cache(maxsize=10_000)
def stems(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in words(text) if word not in SILENT)


@lru_cache(maxsize=50_000)
def likeness(one: str, other: str) -> float:
    """How near two stems are in meaning: 1 the same, 0 nothing in common."""
    if one == other:
        return 1.0
    if MEANINGS.get(one, frozenset()) & MEANINGS.get(other, frozenset()):
        return 0.7
    shorter = min(len(one), len(other))
    if shorter >= 5 and one[:5] == other[:5] and abs(len(one) - len(other)) <= 4:
        return 0.6
    return 0.0


def meanings() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, group in enumerate(GROUPS):
        for word in group.split():
            found.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


MEANINGS = meanings()
