"""What is asked: the last user text in clauses, made complete from the conversation before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from localcloud.foundry.thinking.entities import entities_of, names_of
from localcloud.foundry.thinking.matching import asked_words, plain
from localcloud.foundry.thinking.turns import Said
from localcloud.foundry.thinking.words import FAINT, SILENT, likeness, stem, words

CONTEXT = "Context:"
SUGGESTED = "Suggested next:"
MAX_CONTEXT = 3000  # characters of an earlier answer handed on

OPENERS = (
    "what|what's|why|how|when|who|where|which|is|are|was|were|did|does|do|has|have|can|could|will|would|should|"
    "show|list|tell|give|find|get|check|explain|compare|convert|send|book|translate|remind|cancel|start|stop|create|"
    "look|search|let|please"
)
SENTENCES = re.compile(r"(?<=[?!;])\s+|(?<=[a-z\d)'\"])\.\s+(?=[A-Z])|\n+")
JOINTS = re.compile(
    rf"\s*,?\s+(?:and then|and also|and|then|but|plus)\s+(?=(?:{OPENERS})\b)|\s*,\s+(?=(?:{OPENERS})\b)", re.I
)
PRONOUN = re.compile(r"\b(it|that one|this one|that|they|them|those|these|he|she)\b", re.I)
NOT_PRONOUN = re.compile(r"\b(is it|it is|it's|that's|so that|is that|is there|that (?!fail|one|run|job)\w+ed)\b", re.I)
POSSESSIVE = re.compile(r"\b(its|their|his|her)\b", re.I)
WHAT_ABOUT = re.compile(
    r"^\W*(?:and\s+)?(?:what|how)\s+about\s+(.*)$|^\W*(?:and|same for|also)\s+((?:in |on |for )?\S+\??)$", re.I
)
LEADING = re.compile(r"^\W*(?:and|but|so|ok|okay|then|also)[\s,]+", re.I)
REASON = ("why", "cause", "reason", "explain", "diagnose")
WHAT_HAPPENED = re.compile(r"\bwhat (?:has |have )?(?:happened|went wrong|gone wrong)\b", re.I)
LISTING = ("list", "history", "status", "count", "last", "latest", "recent")
SHORT = 3  # content words; a clause with fewer leans on what came before


@dataclass(frozen=True)
class Clause:
    """One thing asked. A dependent one is about the answer to what came before it."""

    text: str
    dependent: bool = False


@dataclass(frozen=True)
class Question:
    text: str
    clauses: tuple[Clause, ...]
    context: str = ""  # what was known before: an earlier answer, or what the asker passed on
    earlier: str = ""  # the user's question before this one

    @property
    def asks_reason(self) -> bool:
        return asks_reason(self.text)


def read(messages: Sequence[Said]) -> Question:
    """The question the conversation ends with."""
    asked = [said.text for said in messages if said.role == "user"]
    answers = [said.text for said in messages if said.role == "assistant"]
    text, _, given = (asked[-1] if asked else "").partition(CONTEXT)
    text = text.strip()
    if not answers or len(asked) < 2:
        return Question(text, clauses_of(text), given.strip())
    before, answer = asked[-2].partition(CONTEXT)[0].strip(), answers[-1]
    completed = complete(text, before, answer)
    leans = completed != text or dependent(text)
    return Question(completed, clauses_of(completed), given.strip() or (trimmed(answer) if leans else ""), before)


def trimmed(text: str) -> str:
    return text if len(text) <= MAX_CONTEXT else text[:MAX_CONTEXT].rsplit(" ", 1)[0] + " …"


def complete(text: str, before: str, answer: str) -> str:
    """A follow-up as a question that stands by itself: what it leaves out is taken from what was said before."""
    bare = LEADING.sub("", text)
    if match := WHAT_ABOUT.match(text):
        return replaced(before, (match.group(1) or match.group(2)).rstrip("?!. "))
    named = names_of(bare)
    focus = next(iter(names_of(before)), "") or next(iter(names_of(answer)), "")
    if named or not focus:
        return bare
    return with_focus(bare, focus)


def with_focus(text: str, focus: str) -> str:
    """'why did it fail?' about LoadX → 'why did LoadX fail?'"""
    if PRONOUN.search(text) and not NOT_PRONOUN.search(text):
        return PRONOUN.sub(focus, text, count=1)
    if POSSESSIVE.search(text):
        return POSSESSIVE.sub(f"{focus}'s", text, count=1)
    return text


def replaced(before: str, subject: str) -> str:
    """The earlier question about another subject."""
    new, old = names_of(f"x {subject}"), [entity.text for entity in entities_of(before)]
    plain = re.sub(r"^(in|on|for|at|the)\s+", "", subject, flags=re.I)
    alike = [name for name in names_of(before) if not new or name in old]
    if len(alike) == 1 or (alike and new):
        return before.replace(alike[0], plain)
    return f"{before.rstrip('?!. ')} {subject if subject != plain else 'for ' + subject}?"


def clauses_of(text: str) -> tuple[Clause, ...]:
    parts = [part for sentence in SENTENCES.split(text) for part in joined(JOINTS.split(sentence))]
    clauses: list[Clause] = []
    for part in parts:
        clauses.append(Clause(part, dependent=bool(clauses) and dependent(part)))
    return tuple(clauses) or (Clause(text),)


def joined(parts: Sequence[str]) -> list[str]:
    """The parts of a sentence; one that adds next to nothing of its own stays with the named thing before it."""
    kept: list[str] = []
    for part in (part.strip(" ,") for part in parts):
        if kept and names_of(kept[-1]) and adds_little(part):
            kept[-1] = f"{kept[-1]}, {part}"
        elif words(part):
            kept.append(part)
    return kept


def adds_little(text: str) -> bool:
    content = [word for word in asked_words(text) if word not in FAINT]
    return not entities_of(text) and not asks_reason(text) and len(content) < SHORT


def dependent(text: str) -> bool:
    """Whether a text says too little by itself: no name in it, and a pronoun or hardly a word of content."""
    named = [entity for entity in entities_of(text) if entity.kind != "number"]
    if named:
        return False
    content = [word for word in asked_words(text) if word not in FAINT]
    return len(content) < SHORT and (bool(PRONOUN.search(text)) or asks_reason(text) or not content)


def tells_of_one_failure(text: str) -> bool:
    """'LoadX is red again': one named thing failed, and no list of anything is asked for."""
    named = [entity for entity in entities_of(text) if entity.kind not in ("number", "proper")]
    said = [word for word in words(plain(without(text, [entity.text for entity in named]))) if word not in SILENT]
    failing = [word for word in said if likeness(stem(word), "fail") >= 0.7]
    many = [word for word in said if word not in failing and (word in LISTING or is_plural(word))]
    return len(named) == 1 and bool(failing) and not many


def is_plural(word: str) -> bool:
    return len(word) > 3 and word.endswith("s") and not word.endswith("ss") and word not in FAINT


def without(text: str, names: Sequence[str]) -> str:
    for name in names:
        text = text.replace(name, " ")
    return text


def asks_reason(text: str) -> bool:
    """Whether reasons are asked for, and not only what is wrong."""
    said = [stem(word) for word in words(plain(text))]
    reasons = [word for word in said if any(likeness(word, stem(cause)) >= 0.7 for cause in REASON)]
    return bool(WHAT_HAPPENED.search(text)) or any(likeness(word, "fail") == 0 for word in reasons)
