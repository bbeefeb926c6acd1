"""Reads policy.yaml: every mistake with its line and field; a file that breaks while the app runs changes nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestrator.policy.model import Policy
from orchestrator.policy.parts import Place

log = logging.getLogger("policy")
USUAL = Path(__file__).resolve().parents[2] / "policy.yaml"
PLAINER = {  # what the kinds of errors are called that speak of Python
    "tuple_type": "Input should be a list",
    "model_type": "Input should be fields with their values",
    "mapping_type": "Input should be names with their values",
}


class BadPolicy(Exception):
    """`mistakes`: one sentence each, with line and field."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(" ".join(mistakes))
        self.mistakes = mistakes


def parse(text: str) -> Policy:
    """Raises BadPolicy."""
    try:
        # Every value is text until its field says what it is: YAML takes 22:00 for the number 1320, and no for False.
        plain = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes nothing but text, lists and mappings
        node = yaml.compose(text, yaml.BaseLoader)
    except yaml.YAMLError as exc:
        raise BadPolicy([f"It is no YAML: {' '.join(str(exc).split())}."]) from exc
    lines = dict(_lines(node, ())) if node is not None else {}
    doubled = [f"Line {line}: {_field(place)} stands there twice." for place, line in _doubled(node, ())]
    if doubled:
        raise BadPolicy(doubled)
    try:
        return Policy.model_validate({} if plain is None else plain)
    except ValidationError as exc:
        told = [each for error in exc.errors() for each in _told(error)]
        raise BadPolicy([_mistake(place, message, lines) for place, message in told]) from exc


def _told(error: ErrorDetails) -> Iterator[tuple[Place, str]]:
    """One error of several names has the place of each in its context."""
    message = PLAINER.get(error["type"], error["msg"].removeprefix("Value error, "))
    yield from error.get("ctx", {}).get("places", [(error["loc"], message)])


def _mistake(place: Place, message: str, lines: Mapping[Place, int]) -> str:
    known = next((lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in lines), 1)
    return f"Line {known}: {_field(place)}: {message}."


def _field(place: Place) -> str:
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in place]
    return "".join(words).lstrip(".") or "the file"


def _lines(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    yield place, node.start_mark.line + 1
    for key, child in _children(node):
        yield from _lines(child, (*place, key))


def _doubled(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    """YAML takes the last of two like keys without a word."""
    seen = set()
    for key, child in _children(node) if node is not None else ():
        if key in seen:
            yield (*place, key), child.start_mark.line + 1
        seen.add(key)
        yield from _doubled(child, (*place, key))


def _children(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)


@dataclass
class PolicyFile:
    """The policy as it stands in its file now; while that cannot be read, as it stood last, at first an empty one."""

    path: Path
    mistakes: tuple[str, ...] = ()
    _policy: Policy = field(default_factory=Policy)
    _seen: tuple[int, int] | None = None  # time and size

    @classmethod
    def of(cls, env: Mapping[str, str]) -> PolicyFile:
        return cls(Path(env.get("POLICY_FILE", "").strip() or USUAL))

    def current(self) -> Policy:
        try:
            stat = os.stat(self.path)
            if (stat.st_mtime_ns, stat.st_size) != self._seen:
                self._seen = (stat.st_mtime_ns, stat.st_size)
                self._read()
        except OSError as exc:
            self._broken(f"{self.path.name} cannot be read: {exc.strerror}.")
        return self._policy

    def _read(self) -> None:
        try:
            self._policy = parse(self.path.read_text(encoding="utf-8"))
            self.mistakes = ()
        except BadPolicy as exc:
            self._broken(*exc.mistakes)
        except UnicodeDecodeError:
            self._broken(f"{self.path.name} is not UTF-8.")

    def _broken(self, *mistakes: str) -> None:
        if mistakes != self.mistakes:
            log.error("policy=%s outcome=kept_as_it_was mistakes=%s", self.path.name, " ".join(mistakes))
        self.mistakes = mistakes


def problems(path: Path) -> list[str]:
    """All that is wrong with a file, mistakes before what can never take effect."""
    try:
        policy: Any = parse(path.read_text(encoding="utf-8"))
    except BadPolicy as exc:
        return exc.mistakes
    except (OSError, UnicodeDecodeError) as exc:
        return [f"{path} cannot be read: {exc}."]
    return list(policy.findings())
