"""Names written like any other word: told by their place in the sentence and by being no word that is known here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from localcloud.foundry.thinking.entities import Entity
from localcloud.foundry.thinking.matching import weights_of
from localcloud.foundry.thinking.thesaurus import bag
from localcloud.foundry.thinking.turns import Offer
from localcloud.foundry.thinking.words import FAINT, MEANINGS, SILENT, stem

AFTERWARDS = (
    r"(?=[?.!,;]|\s*$|\s+(?:last|in|over|this|today|tonight|yesterday|since|during|for|from|again|please|fail\w*|break\w*|"
    r"broke|crash\w*|run\w*|ran|finish\w*|still|keeps?|is|was|did|has|take|took|and|late\w*)\b)"
)
PLACES_OF_NAMES = tuple(
    re.compile(pattern + AFTERWARDS, re.IGNORECASE)
    for pattern in (
        r"\b(?:did|does|do|is|was|has|had|will|why's)\s+(?:the\s+|our\s+|my\s+)?([a-z]\w{3,})",
        r"\b(?:diagnose|explain|investigate|check|about|of|with|to|for|on|why)\s+(?:the\s+|our\s+|my\s+)?([a-z]\w{3,})",
        r"^\W*(?:the\s+|our\s+|my\s+)?([a-z]\w{3,})",
    )
)
NEVER = bag(
    "overnight weekend noon midnight summary team boss guys folks morning hello thanks happen happened happening fire"
)


def bare_names(text: str, peers: Sequence[Offer]) -> list[Entity]:
    """The first such name in the text, as an entity."""
    known = {word for peer in peers for word in weights_of(peer)}
    for match in candidates(text):
        word = match.group(1)
        if not is_known(word.lower(), known):
            return [Entity(word, "name", match.start(1), match.end(1), "", "")]
    return []


def candidates(text: str) -> Iterator[re.Match[str]]:
    for pattern in PLACES_OF_NAMES:
        yield from pattern.finditer(text)


def is_known(word: str, known: set[str]) -> bool:
    return word in SILENT | FAINT | NEVER or stem(word) in known or stem(word) in MEANINGS
