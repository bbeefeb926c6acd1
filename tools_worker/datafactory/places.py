"""Where data is, as far as definitions tell: a dataset's folder or table with its parameters filled in.

Of ADF's expressions only references to parameters, literals and the joining of them are computed. Whatever else stands
in one is known when the pipeline runs, and not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.models import Dataset

UNKNOWN = "{decided at run time}"
MAX_EXPRESSION = 4000  # characters
MAX_DEPTH = 8  # of functions in functions
_PARAMETER = re.compile(r"(?:dataset\(\)\.(?:parameters\.)?|pipeline\(\)\.parameters\.)(\w{1,100})")
_CALL = re.compile(r"(concat|string|tolower|toupper)\s{0,5}\((.*)\)", re.IGNORECASE | re.DOTALL)
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_QUOTES = re.compile(r"[\[\]\"`]")
_TABLE = ("schema", "table", "tableName")
_PARTS = (
    *_TABLE,
    "fileSystem",
    "container",
    "bucketName",
    "folderPath",
    "fileName",
    "relativeUrl",
    "collectionName",
    "collection",
    "entityName",
    "objectApiName",
)


def place(
    dataset: Dataset | None,
    given: Mapping[str, Any],
    pipeline: Mapping[str, Any],
    narrowed: Mapping[str, Any] = fields.NOTHING,
) -> str:
    """Parameters come from the activity, then the dataset's defaults, then the pipeline's. `narrowed` is what the
    activity says in place of the dataset: a folder or file pattern."""
    if dataset is None:
        return ""
    values = defaults(dataset.parameters)
    values |= {str(name): evaluated(value, pipeline) for name, value in given.items()}
    where = {**dataset.place, **fields.mapping(dataset.place, "location")}
    parts = {key: evaluated(where[key], values) for key in _PARTS if where.get(key) not in (None, "")}
    parts |= {key: evaluated(value, pipeline) for key, value in narrowed.items()}
    if parts.get("table"):
        parts.pop("tableName", None)  # the older way of saying the same
    parts |= {key: plain_name(parts[key]) for key in _TABLE if key in parts}
    told = [parts[key] for key in _PARTS if parts.get(key) not in (None, "", "*")]
    return ("." if parts.keys() & {"table", "tableName"} else "/").join(told)


def plain_name(name: str) -> str:
    """`sales.Orders` of `[sales].[Orders]`, and of the other ways in which stores quote names."""
    return _QUOTES.sub("", name).strip()


def defaults(parameters: Mapping[str, Any]) -> dict[str, str]:
    found = {str(name): fields.text(raw, "defaultValue") for name, raw in parameters.items()}
    return {name: value for name, value in found.items() if value and "@" not in value}


def evaluated(raw: object, values: Mapping[str, str]) -> str:
    """A value of a definition as text, with UNKNOWN for each part that is not known before a run."""
    text = fields.text(raw if isinstance(raw, Mapping) else {"value": raw}, "value")
    if "@" not in text:
        return text
    if len(text) > MAX_EXPRESSION:
        return UNKNOWN
    if text.startswith("@@"):
        return text[1:]
    if text.startswith("@") and not text.startswith("@{"):
        return _computed(text[1:], values, 0)
    return "".join(_filled(text, values))


def _filled(text: str, values: Mapping[str, str]) -> Iterator[str]:
    """Text with `@{…}` in it."""
    while True:
        start = text.find("@{")
        if start < 0:
            yield text
            return
        end = _closing(text, start + 1)
        yield text[:start]
        yield _computed(text[start + 2 : end], values, 0)
        text = text[end + 1 :]


def _computed(expression: str, values: Mapping[str, str], depth: int) -> str:
    expression = expression.strip()
    if literal := _LITERAL.fullmatch(expression):
        return literal[1].replace("''", "'")
    if parameter := _PARAMETER.fullmatch(expression):
        return values.get(parameter[1], UNKNOWN)
    called = _CALL.fullmatch(expression)
    if called is None or depth >= MAX_DEPTH or _closing(expression, expression.find("(")) != len(expression) - 1:
        return UNKNOWN
    joined = "".join(_computed(argument, values, depth + 1) for argument in _arguments(called[2]))
    match called[1].lower():
        case "concat" | "string":
            return joined
        case "tolower":
            return UNKNOWN if UNKNOWN in joined else joined.lower()
        case _:
            return UNKNOWN if UNKNOWN in joined else joined.upper()


def _arguments(text: str) -> Iterator[str]:
    start = 0
    for position, char, depth in _outside_literals(text):
        if char == "," and depth == 0:
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _closing(text: str, opening: int) -> int:
    """Where what opens at `opening` is closed; the end of the text when it never is."""
    closed = (at for at, char, depth in _outside_literals(text[opening:]) if depth == 0 and char in ")}]")
    return opening + next(closed, len(text) - opening)


def _outside_literals(text: str) -> Iterator[tuple[int, str, int]]:
    """Position, character and how deep in brackets it is; a closing bracket counts as outside."""
    depth, quoted = 0, False
    for position, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif not quoted:
            depth -= char in ")}]"
            yield position, char, depth
            depth += char in "({["
