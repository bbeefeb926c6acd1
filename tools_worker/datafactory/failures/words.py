"""Several regular expressions of which one must occur, found fast in text where mostly none does.

Trying hundreds of expressions on every error is slow; looking for a piece of plain text is not. So of every expression
the longest piece that any match must contain is looked for first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MIN_PIECE = 3  # shorter ones occur everywhere
_OPTIONAL = "?*{"
_BREAKS = ".^$|?*+{}[]()\\"
_LITERAL_ESCAPES = ".()[]{}?*+^$|/\\-'\" "


@dataclass(frozen=True, slots=True)
class Words:
    """Any case. The pieces stand beside their expressions; an empty one means that the expression is always tried."""

    pieces: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, parts: Sequence[str]) -> Words:
        """Each is compiled by itself, so that a broken one is told."""
        return cls(tuple(map(piece_of, parts)), tuple(re.compile(part, re.IGNORECASE) for part in parts))

    def occur(self, text: str, lowered: str) -> bool:
        pairs = zip(self.pieces, self.patterns, strict=True)
        return any(piece in lowered and pattern.search(text) is not None for piece, pattern in pairs)


def piece_of(pattern: str) -> str:
    """The longest text, in lower case, that every match contains; empty when that cannot be told simply."""
    runs: list[str] = [""]
    position = depth = 0
    while position < len(pattern):
        char = pattern[position]
        width = 2 if char == "\\" else 1
        if char == "|" and depth == 0:
            return ""
        if char == "[":
            width = _class_end(pattern, position) - position
        elif char == "{":  # how often, not what
            width = (pattern.find("}", position) + 1 or len(pattern)) - position
        literal = _literal(pattern, position) if depth == 0 else ""
        depth += (char == "(") - (char == ")")
        if not literal or pattern[position + width : position + width + 1] in tuple(_OPTIONAL):
            runs.append("")
        else:
            runs[-1] += literal
        position += width
    longest = max(runs, key=len).lower()
    return longest if len(longest) >= MIN_PIECE else ""


def _literal(pattern: str, position: int) -> str:
    char = pattern[position]
    if char == "\\":
        escaped = pattern[position + 1 : position + 2]
        return escaped if escaped in _LITERAL_ESCAPES else ""
    return "" if char in _BREAKS else char


def _class_end(pattern: str, start: int) -> int:
    """Where the character class that begins at `start` is over."""
    position = start + 1
    while position < len(pattern) and (pattern[position] != "]" or position == start + 1):
        position += 2 if pattern[position] == "\\" else 1
    return position + 1
