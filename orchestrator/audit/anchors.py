"""Anchors: how far a chain had come, written where nobody can change it.

heads/<yyyy-mm-dd>/<chain>/<number>.json holds {"chain", "hash", "seq"} of one line, in the one form that JSON has here.
What stood in the chain up to the newest anchor can be neither changed nor cut off nor removed unseen.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date

from orchestrator.audit.lines import HASH, Line, canonical, day_of, is_chain
from orchestrator.stores.audit import row_key

HEADS = "heads/"
_NAME = re.compile(r"heads/(\d{4}-\d{2}-\d{2})/([0-9a-f-]{28})/(\d{10})\.json")


@dataclass(frozen=True, slots=True)
class Anchor:
    chain: str
    seq: int
    hash: str

    @classmethod
    def of(cls, line: Line) -> Anchor:
        return cls(line.chain, line.seq, line.hash)

    @property
    def name(self) -> str:
        return f"{folder(day_of(self.chain))}{self.chain}/{row_key(self.seq)}.json"

    @property
    def data(self) -> bytes:
        return canonical({"chain": self.chain, "hash": self.hash, "seq": self.seq})

    @classmethod
    def read(cls, name: str, data: bytes) -> Anchor | None:
        """None where it is not as one was written."""
        where = place(name)
        try:
            told = json.loads(data)
        except (ValueError, RecursionError):
            return None
        own = told.get("hash") if isinstance(told, dict) else None
        if where is None or not isinstance(own, str) or not HASH.fullmatch(own):
            return None
        anchor = cls(*where, own)
        return anchor if anchor.data == data else None


def folder(day: date) -> str:
    return f"{HEADS}{day.isoformat()}/"


def place(name: str) -> tuple[str, int] | None:
    """The chain and the number of an anchor of this name; None where no anchor is named so."""
    found = _NAME.fullmatch(name)
    if found is None or not is_chain(found[2]) or day_of(found[2]).isoformat() != found[1]:
        return None
    return found[2], int(found[3])
