"""A signature is what stays when the same thing fails again: ids, numbers, times and quoted values are dropped."""

from __future__ import annotations

import re

MAX_LENGTH = 160

_STEPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"https?://\S{1,2000}"), "<url>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,2}/\d{1,2}/\d{4}(?: \d{1,2}:\d\d:\d\d(?:\.\d+)?)?(?: [AP]M)?"), "<time>"),
    (re.compile(r"'[^'\n]{1,300}'|\"[^\"\n]{1,300}\""), "<value>"),
    (re.compile(r"\b[0-9a-f]{16,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\d+"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def normalise(text: str) -> str:
    text = text[:4000]
    for pattern, replacement in _STEPS:
        text = pattern.sub(replacement, text)
    return text.strip().lower()[:MAX_LENGTH]


def signature(code: str, message: str) -> str:
    """One line that groups failures of the same kind: `code: normalised message`."""
    return f"{code}: {normalise(message)}" if code else normalise(message)
