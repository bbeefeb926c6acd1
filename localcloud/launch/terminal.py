"""Calm text for a terminal: colour and cutting to width only on a terminal, plain otherwise. NO_COLOR is honoured.

What the app says may quote the outside world, so control characters never reach the terminal.
"""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
WIDEST = 110  # long lines are hard to read, however wide the window
STYLES = {"dim": "2", "bold": "1", "red": "31", "green": "32"}


@dataclass(frozen=True)
class Terminal:
    stream: TextIO
    colour: bool = False
    width: int | None = None  # None: not a terminal, nothing is cut or wrapped

    @classmethod
    def on(cls, stream: TextIO, env: Mapping[str, str] = os.environ) -> Terminal:
        if not stream.isatty():
            return cls(stream)
        colour = not env.get("NO_COLOR") and env.get("TERM") != "dumb"
        return cls(stream, colour, shutil.get_terminal_size().columns)

    def line(self, text: str = "", style: str = "") -> None:
        """One line, cut to the width."""
        self._write(clipped(printable(text).replace("\n", " "), self.width), style)

    def paragraphs(self, text: str, style: str = "") -> None:
        """All of a text; its own line breaks are kept."""
        for line in printable(text).splitlines():
            for part in wrapped(line, self.width):
                self._write(part, style)

    def verbatim(self, text: str) -> None:
        """Something to copy and paste: neither cut nor wrapped."""
        self._write(printable(text))

    def _write(self, text: str, style: str = "") -> None:
        if style and self.colour and text:
            text = f"\x1b[{STYLES[style]}m{text}\x1b[0m"
        print(text, file=self.stream, flush=True)


def printable(text: str) -> str:
    return CONTROL.sub("", text)


def clipped(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else text[: max(1, width - 1)] + "…"


def wrapped(line: str, width: int | None) -> list[str]:
    """A list item keeps its indent on the lines that follow."""
    if width is None:
        return [line]
    indent = " " * (len(line) - len(line.lstrip(" -*•")))
    return textwrap.wrap(
        line, min(width, WIDEST), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [""]
