"""Which pages answer a question: BM25 over titles and texts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from localcloud.learn.pages import Page

TERM = re.compile(r"[a-z0-9]+")
COMMON = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "how",
        "i",
        "in",
        "is",
        "it",
        "long",
        "mean",
        "my",
        "of",
        "on",
        "or",
        "that",
        "the",
        "to",
        "was",
        "what",
        "when",
        "why",
        "with",
    ]
)
SATURATION, LENGTH_WEIGHT = 1.4, 0.6
TITLE_COUNTS = 3  # a word of the title weighs as much as three of the text


def terms(text: str) -> list[str]:
    return [singular(term) for term in TERM.findall(text.lower()) if term not in COMMON]


def singular(term: str) -> str:
    return term[:-1] if len(term) > 3 and term.endswith("s") and not term.endswith("ss") else term


@dataclass
class Index:
    pages: Sequence[Page]
    counts: list[Counter[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = [Counter(terms(f"{page.title} " * TITLE_COUNTS + page.text)) for page in self.pages]

    def search(self, query: str, limit: int = 3) -> list[Page]:
        """The pages that share words with the query, the best first."""
        wanted = set(terms(query))
        scored = [(self.score(count, wanted), -number) for number, count in enumerate(self.counts)]
        best = sorted((entry for entry in scored if entry[0] > 0), reverse=True)[:limit]
        return [self.pages[-number] for _, number in best]

    def score(self, count: Counter[str], wanted: set[str]) -> float:
        mean = sum(other.total() for other in self.counts) / len(self.counts)
        damping = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * count.total() / mean)
        return sum(self.rarity(t) * count[t] * (SATURATION + 1) / (count[t] + damping) for t in wanted if t in count)

    def rarity(self, term: str) -> float:
        holders = sum(term in count for count in self.counts)
        return math.log(1 + (len(self.counts) - holders + 0.5) / (holders + 0.5))
