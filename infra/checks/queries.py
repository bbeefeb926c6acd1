"""Log queries: each can be read, is used, and asks for what the code tells."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

from tree_sitter import Node

from core.telemetry import names as telemetry
from infra import workbook as book
from infra.checks.tree import Finding, Template, Templates, literal, text, walk
from orchestrator.actions.record import ActionState
from orchestrator.runs.record import RunStatus
from tools_worker.runtime.handler import OK

ROOT = Path(__file__).resolve().parents[2]
CODE = ("core", "orchestrator", "tools_worker")
LOGGED = frozenset({"debug", "info", "warning", "error", "exception"})
TRACES, EXCEPTIONS = "AppTraces", "AppExceptions"  # where a line of the log goes; one with an exception is one
SPANS = tuple(
    make("")
    for make in (
        telemetry.sending,
        telemetry.processing,
        telemetry.executing,
        telemetry.invoking,
        telemetry.creating,
    )
)
# What Azure says itself, in its own words, and the sample of an id that somebody replaces.
FOREIGN = frozenset(
    {
        *("_MS.links", "faas.name", "([A-Za-z_]+)$"),
        *("Executed 'Functions.", "Executed 'Functions[.]([a-z_]+)'"),
        "^Exception while executing function: Functions[.]([a-z_]+)",
        *("run-…", "/alerts/"),
    }
)
EVENTS = frozenset({"opened", "resolved", "escalated"})  # of an incident, as core/telemetry/names.py tells them
TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*) | (?P<verbatim>@"[^"\n]*"|@'[^'\n]*')
    | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | (?P<number>\d+(?:\.\d+)?(?:[a-z]+)?\b) | (?P<word>[A-Za-z_]\w*) | (?P<space>\s+)
    | (?P<sign>==|!=|<=|>=|=~|!~|\.\.|[-+*/%<>=|,;:.()\[\]{}])""",
    re.VERBOSE,
)
PAIRS = {")": "(", "]": "[", "}": "{"}
PIECE = re.compile(r"\b([a-z_]+)=([a-z_]*)")


def tokens(query: str) -> list[tuple[str, str]]:
    """(kind, text) of each part of a query, without white space and comments. Raises ValueError with a place."""
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(query):
        part = TOKEN.match(query, place)
        if part is None:
            raise ValueError(f"cannot be read at {query[place : place + 20]!r}")
        place = part.end()
        if part.lastgroup not in ("space", "comment"):
            found.append((str(part.lastgroup), part[0]))
    _paired([sign for kind, sign in found if kind == "sign"])
    return found


def _paired(signs: list[str]) -> None:
    opened: list[str] = []
    for sign in signs:
        if sign in PAIRS.values():
            opened.append(sign)
        elif sign in PAIRS and (not opened or opened.pop() != PAIRS[sign]):
            raise ValueError(f"{sign!r} closes nothing")
    if opened:
        raise ValueError(f"{opened[-1]!r} is not closed")


def query_files(templates: Templates) -> Iterator[Finding]:
    """Each begins with its question and what to do then, can be read, and is shown or watched somewhere."""
    shown = {part.query for section in book.SECTIONS for part in section.parts} | set(book.BY_HAND)
    watched = {path.stem for _, path, _ in loaded(templates)}
    for path in _paths(templates):
        try:
            query = book.read(path)
            tokens(query.text)
        except ValueError as exc:
            yield Finding(f"queries/{path.name}", 1, str(exc))
            continue
        if query.name not in (watched if query.is_alert else shown):
            yield Finding(f"queries/{path.name}", 1, "is used nowhere")


def _paths(templates: Templates) -> list[Path]:
    return sorted((templates.folder / "queries").glob("*.kql"))


def loaded(templates: Templates) -> Iterator[tuple[Template, Path, Node]]:
    """What templates read as text."""
    for template in templates.files.values():
        for node in walk(template.root):
            if node.type == "call_expression" and text(node.named_children[0]) == "loadTextContent":
                argument = node.named_children[1].named_children[0]
                yield template, template.path.parent / literal(argument), node


def texts(templates: Templates) -> Iterator[Finding]:
    for template, path, node in loaded(templates):
        if not path.is_file():
            yield template.finding(node, f"there is no {path.name!r}")


def query_names(templates: Templates) -> Iterator[Finding]:
    """Every text that a query looks for is told by the code: a metric, an attribute, a state, a line of the log."""
    for path in _paths(templates):
        content = path.read_text(encoding="utf-8")
        tables = {table for table in (TRACES, EXCEPTIONS) if table in content}
        for found in TOKEN.finditer(content):
            if found.lastgroup not in ("string", "verbatim") or _is_told(words := _plain(found[0])):
                continue
            line = content.count("\n", 0, found.start()) + 1
            where = _logged(words)
            if not where:
                yield Finding(f"queries/{path.name}", line, f"the code tells no {words!r}")
            elif tables and not where & tables:
                yield Finding(f"queries/{path.name}", line, f"{words!r} comes into {', '.join(sorted(where))}")


def _plain(string: str) -> str:
    return string.removeprefix("@")[1:-1]


def _is_told(words: str) -> bool:
    prose = words == "" or words != words.strip()
    return prose or words in _known() or words.startswith(SPANS)


def _logged(words: str) -> set[str]:
    """The tables of lines in which all the `key=value` pairs stand; of a key alone a pattern takes out the value."""
    pieces = [f"{key}={value}" for key, value in PIECE.findall(words)]
    return {table for table, line in log_lines() if pieces and all(_stands(piece, line) for piece in pieces)}


def _stands(piece: str, line: str) -> bool:
    return re.search(rf"\b{re.escape(piece)}" + (r"(?![a-z_])" if not piece.endswith("=") else ""), line) is not None


@cache
def log_lines() -> frozenset[tuple[str, str]]:
    """The formats of everything that the code logs, each with the table it comes into."""
    return frozenset(
        (_table(node), node.args[0].value)
        for package in CODE
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOGGED
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    )


def _table(call: ast.Call) -> str:
    given = any(word.arg == "exc_info" for word in call.keywords)
    told = isinstance(call.func, ast.Attribute) and call.func.attr == "exception"
    return EXCEPTIONS if given or told else TRACES


@cache
def _known() -> frozenset[str]:
    named = {value for value in vars(telemetry).values() if isinstance(value, str)} - {telemetry.__doc__}
    outcomes = {word for _, line in log_lines() for word in re.findall(r"outcome=([a-z_]+)", line)}
    functions = json.loads((ROOT / "infra" / "functions.json").read_text(encoding="utf-8"))
    states = {*get_args(RunStatus), *get_args(ActionState), *EVENTS, OK}
    return frozenset(named | outcomes | states | {name for each in functions.values() for name in each} | FOREIGN)
