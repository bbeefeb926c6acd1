"""Route templates: which function answers a method and a path. The first one registered that matches, wins."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from localcloud.host.functions import Function
from localcloud.host.settings import LoadError

PARAMETER = re.compile(r"\{(\*{0,2})(\w+)((?::[^{}?=]*(?:\{[^{}]*\}[^{}?=]*)*)*)(\?|=[^{}]*)?\}")


def is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


CONSTRAINTS: Mapping[str, Callable[[str, str], bool]] = {
    "int": lambda text, _: bool(re.fullmatch(r"[+-]?\d{1,10}", text)) and -(2**31) <= int(text) < 2**31,
    "long": lambda text, _: bool(re.fullmatch(r"[+-]?\d{1,19}", text)) and -(2**63) <= int(text) < 2**63,
    "bool": lambda text, _: text.lower() in ("true", "false"),
    "decimal": lambda text, _: bool(re.fullmatch(r"[+-]?\d+(\.\d+)?", text)),
    "double": lambda text, _: bool(re.fullmatch(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", text, re.I)),
    "guid": lambda text, _: is_guid(text),
    "alpha": lambda text, _: bool(re.fullmatch(r"[a-z]*", text, re.I)),
    "minlength": lambda text, limit: len(text) >= int(limit),
    "maxlength": lambda text, limit: len(text) <= int(limit),
    "min": lambda text, limit: text.lstrip("-").isdigit() and int(text) >= int(limit),
    "max": lambda text, limit: text.lstrip("-").isdigit() and int(text) <= int(limit),
    "regex": lambda text, pattern: bool(re.search(pattern, text, re.I)),
}


@dataclass(frozen=True)
class Parameter:
    name: str
    constraints: Sequence[tuple[str, str]]
    is_rest: bool
    default: str | None  # "" is an optional parameter: absent, it is simply not there

    def accepts(self, text: str) -> bool:
        return all(CONSTRAINTS[kind](text, limit) for kind, limit in self.constraints)


@dataclass(frozen=True)
class Segment:
    pattern: re.Pattern[str]
    parameters: Sequence[Parameter]

    def match(self, text: str) -> dict[str, str] | None:
        found = self.pattern.fullmatch(text)
        if not found or not all(parameter.accepts(found[parameter.name]) for parameter in self.parameters):
            return None
        return found.groupdict()


@dataclass(frozen=True)
class Route:
    function: Function
    template: str
    methods: frozenset[str]  # empty: every method
    segments: Sequence[Segment]

    def match(self, method: str, path: Sequence[str]) -> dict[str, str] | None:
        return match_segments(self.segments, path) if not self.methods or method in self.methods else None


def match_segments(segments: Sequence[Segment], path: Sequence[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for index, segment in enumerate(segments):
        only = segment.parameters[0] if len(segment.parameters) == 1 else None
        if only and only.is_rest:
            rest = "/".join(path[index:])
            return {**found, only.name: rest} if rest else {**found, **absent(only)}
        if index >= len(path):
            if only is None or only.default is None:
                return None
            found.update(absent(only))
            continue
        values = segment.match(path[index])
        if values is None:
            return None
        found.update(values)
    return found if len(path) <= len(segments) else None


def absent(parameter: Parameter) -> dict[str, str]:
    return {parameter.name: parameter.default} if parameter.default else {}


def read_route(function: Function, prefix: str) -> Route:
    options = function.trigger.options
    template = "/".join(part for part in (prefix, str(options.get("route") or function.name).strip("/")) if part)
    methods = frozenset(str(method).upper() for method in options.get("methods") or ())
    return Route(function, template, methods, [read_segment(text, template) for text in template.split("/") if text])


def read_segment(text: str, template: str) -> Segment:
    parameters, pattern, end = [], "", 0
    for found in PARAMETER.finditer(text):
        parameter = read_parameter(found, template)
        pattern += re.escape(text[end : found.start()]) + f"(?P<{parameter.name}>.+?)"
        parameters.append(parameter)
        end = found.end()
    literal = text[end:]
    if "{" in literal or "}" in literal:
        raise LoadError(f"Route {template!r} has a malformed parameter in {text!r}.")
    return Segment(re.compile(pattern + re.escape(literal), re.IGNORECASE | re.DOTALL), parameters)


def read_parameter(found: re.Match[str], template: str) -> Parameter:
    stars, name, constraints, tail = found.groups()
    parsed = [read_constraint(text, template) for text in constraints.split(":") if text]
    default = "" if tail == "?" or stars else None
    return Parameter(name, parsed, bool(stars), tail[1:] if tail and tail.startswith("=") else default)


def read_constraint(text: str, template: str) -> tuple[str, str]:
    kind, _, limit = text.partition("(")
    if kind not in CONSTRAINTS:
        raise LoadError(f"Route {template!r} has the constraint {kind!r}; known are {', '.join(CONSTRAINTS)}.")
    return kind, limit.removesuffix(")")


def normal_path(raw: str) -> str:
    """A raw path with `.` and `..` resolved, so that no route sees them."""
    parts: list[str] = []
    for part in raw.split("/"):
        plain = unquote(part)
        if plain == "..":
            del parts[-1:]
        elif plain != ".":
            parts.append(part)
    return "/" + "/".join(parts).lstrip("/")


def split_path(raw: str) -> list[str]:
    """The decoded segments of a raw path. A slash at the end makes no difference, as in the real host."""
    return [unquote(part) for part in normal_path(raw).split("/") if part]


def find_route(routes: Sequence[Route], method: str, path: Sequence[str]) -> tuple[Route, dict[str, str]] | None:
    for route in routes:
        found = route.match(method, path)
        if found is not None:
            return route, found
    return None
