"""Spoiling JSON: any node of a document taken away, made null, of another type, or of a value nobody expects."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]
GONE = object()  # as a replacement: the node is taken away

ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",  # half of a pair: JSON can say it, UTF-8 cannot
    "x\udfff\ud83d",
    "Ünïcödé 訂單 \U0001f680",
    "CafÃ© â€œquotedâ€\x9d",  # UTF-8 read as Latin-1
    "F\x00a\x00i\x00l\x00e\x00d\x00",  # UTF-16 in UTF-8
    "\ufeffFailed",
    "\u202eegnahc\u202c \u200f",
    "line\r\nbreak\u2028\u2029\x0b",
    "NaN",
    "-1",
    "true",
    "null",
    "{}",
    '{"a": [1, {"b": "{\\"c\\": 2}"}]}',
    "[" * 500,
    "../../etc",
    "@pipeline().parameters.x",
    "@{concat('a', pipeline().parameters.x)}",
    "failed",
    "Pondering",
    "SUCCEEDED",
    "0001-01-01T00:00:00",
    "9999-12-31T23:59:59.9999999Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2026-02-30T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2026-03-10T02:00:00.123456789012Z",
    "password=hunter2hunter2;",
    "Operation on target A failed: " * 30,
    "x" * 3000,
)
ODD_NUMBERS = (
    0,
    -1,
    1,
    10**9,
    2**31,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    10**30,
    10**400,
    10**4000,
    0.0,
    -0.5,
    1e-320,
    1e15,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
)
_DEEP: Any = None
for _ in range(60):
    _DEEP = {"name": [_DEEP], "value": "x"}
ODD_SHAPES: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    [[[{}]]],
    [1, "a", None, {"name": "x"}],
    {"": None},
    {"a": {"b": {"c": []}}},
    {"value": "@x", "type": "Expression"},
    {"referenceName": ["x"]},
    _DEEP,
    {"name": {"name": 1}, "type": [], "status": 4},
)
ODD: tuple[Any, ...] = (GONE, *ODD_SHAPES, *ODD_NUMBERS, *ODD_TEXTS)


def places(document: Any, here: Path = ()) -> Iterator[Path]:
    """Every node below the root, parents first."""
    parts: list[tuple[str | int, Any]] = []
    if isinstance(document, dict | list):
        parts = list(document.items() if isinstance(document, dict) else enumerate(document))
    for key, inner in parts:
        yield (*here, key)
        yield from places(inner, (*here, key))


def at(document: Any, place: Path) -> Any:
    for key in place:
        document = document[key]
    return document


def put(document: Any, place: Path, value: Any) -> None:
    """In place. A node that an earlier change took away is passed over."""
    try:
        holder = at(document, place[:-1])
        if value is GONE:
            del holder[place[-1]]
        else:
            at(document, place)
            holder[place[-1]] = copy.deepcopy(value)
    except (KeyError, IndexError, TypeError):
        return


def each_spoilt(document: Any, odd: tuple[Any, ...] = ODD) -> Iterator[tuple[Path, Any, Any]]:
    """Each node with each odd value, one change at a time: (place, value, document)."""
    for place in list(places(document)):
        for value in odd:
            changed = copy.deepcopy(document)
            put(changed, place, value)
            yield place, value, changed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoilt(draw: st.DrawFn, original: Any, most: int = 6) -> Any:
    """The original with up to `most` nodes changed: to something odd, to anything, or to what stands elsewhere."""
    document = json.loads(json.dumps(original))
    parts = _by_part(original)
    for _ in range(draw(st.integers(1, most))):
        place = draw(st.sampled_from(draw(st.sampled_from(parts))))
        put(document, place, draw(_replacement(original, parts)))
    return document


@st.composite
def _replacement(draw: st.DrawFn, original: Any, parts: list[list[Path]]) -> Any:
    match draw(st.sampled_from("goooojss")):
        case "g":
            return GONE
        case "o":
            return draw(st.sampled_from(ODD))
        case "j":
            return draw(JSON)
        case _:  # an id twice, a name where a time should be, a list in a list
            return at(original, draw(st.sampled_from(draw(st.sampled_from(parts)))))


def _by_part(document: Any) -> list[list[Path]]:
    """The places of each branch of the root, so that a small one is spoilt as often as a large one."""
    parts: dict[str | int, list[Path]] = {}
    for place in places(document):
        parts.setdefault(place[0], []).append(place)
    return list(parts.values())
