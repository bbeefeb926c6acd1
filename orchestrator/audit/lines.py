"""The lines of a chain, byte by byte: this is what is stored, exported and verified.

    {"entry":{…,"chain":"…",…,"previous":"…","seq":7,…},"hash":"…"}

Both objects are JSON in one form only: keys in order, no white space, nothing but ASCII. `hash` is the SHA-256 of the
bytes of `entry`, in which `previous` is the hash of the line before (64 zeros where there is none); so one changed byte
changes every hash after it. A chain is what one process recorded on one day (UTC); its id begins with the time of its
first line.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

GENESIS = "0" * 64
CHAIN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{12}")
HASH = re.compile(r"[0-9a-f]{64}")
_HEAD, _MIDDLE, _TAIL = b'{"entry":', b',"hash":"', b'"}'
_SIGNED = len(_MIDDLE) + 64 + len(_TAIL)
TEXTS = ("at", "chain", "channel", "factory", "kind", "outcome", "previous", "subject", "what", "why")
FIELDS = frozenset((*TEXTS, "actor", "arguments", "seq"))  # a later version may have more


class Unreadable(Exception):
    """These bytes are no line of a chain. Says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """`sound` says whether the hash is that of the bytes."""

    chain: str
    seq: int
    previous: str
    hash: str
    entry: Mapping[str, Any]
    data: bytes
    sound: bool = True


def new_chain(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(6)}"


@lru_cache(maxsize=1024)
def day_of(chain: str) -> date:
    """Raises ValueError."""
    return datetime.strptime(chain[:8], "%Y%m%d").replace(tzinfo=UTC).date()


def is_chain(text: str) -> bool:
    try:
        return CHAIN.fullmatch(text) is not None and day_of(text) is not None
    except ValueError:  # a thirteenth month
        return False


def canonical(value: Any) -> bytes:
    """Raises ValueError where JSON has no form for it."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def write(chain: str, seq: int, previous: str, entry: Mapping[str, Any]) -> Line:
    """`entry` as record.plain gives it."""
    told = {**entry, "chain": chain, "seq": seq, "previous": previous}
    body = canonical(told)
    own = digest(body)
    return Line(chain, seq, previous, own, told, _HEAD + body + _MIDDLE + own.encode() + _TAIL)


def read(data: bytes) -> Line:
    """Raises Unreadable. A wrong hash is readable, and not sound."""
    own, body = data[-_SIGNED:], data[len(_HEAD) : -_SIGNED]
    claimed = own[len(_MIDDLE) : -len(_TAIL)].decode("ascii", "replace")
    framed = data.startswith(_HEAD) and own.startswith(_MIDDLE) and own.endswith(_TAIL)
    if not framed or not HASH.fullmatch(claimed):
        raise Unreadable("it is no line of a chain")
    try:
        told = json.loads(body)
        strict = canonical(told) == body
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None
    if not strict:
        raise Unreadable("it is not in the one form that JSON has here")
    if not _is_entry(told):
        raise Unreadable("it lacks what every entry has")
    return Line(told["chain"], told["seq"], told["previous"], claimed, told, data, digest(body) == claimed)


def _is_entry(told: Any) -> bool:
    if not isinstance(told, dict) or not told.keys() >= FIELDS:
        return False
    actor = told["actor"]
    return (
        all(isinstance(told[name], str) for name in TEXTS)
        and isinstance(actor, dict)
        and actor.keys() == {"id", "kind", "name"}
        and all(isinstance(value, str) for value in actor.values())
        and type(told["seq"]) is int
        and told["seq"] > 0
        and is_chain(told["chain"])
        and HASH.fullmatch(told["previous"]) is not None
    )
