"""Reads policy.yaml: every mistake with its line and field; a file that breaks while the app runs changes nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.settings.policy import POLICY_FILE
from orchestrator.policy.model import Policy
from orchestrator.policy.parts import Place

log = logging.getLogger("policy")
USUAL = Path(__file__).resolve().parents[2] / "policy.yaml"
PLAINER = {  # what the kinds of errors are called that speak of Python
    "tuple_type": "Input should be a list",
    "too_short": "At least one entry is needed",
    "model_type": "Input should be fields with their values",
    "dict_type": "Input should be names with their values",
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
        told = [each for error in _first_of(exc.errors()) for each in _told(error)]
        raise BadPolicy([_mistake(place, message, lines) for place, message in told]) from exc


def _first_of(errors: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Without those that only follow: of a list whose entries are wrong it is said too that it has none."""
    for error in errors:
        inner = [each for each in errors if each["loc"][: len(error["loc"])] == error["loc"]]
        if error["type"] != "too_short" or len(inner) == 1:
            yield error


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
    """The policy as it stands in its file now; while that cannot be read, as it stood last, at first an empty one.

    Importance and escalation go on by that. Factories are not changed by it: see `writable`.
    """

    path: Path
    mistakes: tuple[str, ...] = ()
    _policy: Policy = field(default_factory=Policy)
    _seen: tuple[int, ...] | None = None  # how the file looked from outside when it was read

    @classmethod
    def of(cls, env: Mapping[str, str]) -> PolicyFile:
        """The one of this process: whoever asks, it remembers the last sound policy for all."""
        return _of_process(Path(POLICY_FILE.of(env) or USUAL))

    def current(self) -> Policy:
        try:
            stat = os.stat(self.path)
            looks = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            if looks != self._seen:
                self._seen = looks
                self._read()
        except OSError as exc:
            self._seen = None  # it may come back as it was
            self._broken(f"{self.path.name} cannot be read: {exc.strerror}.")
        return self._policy

    def writable(self) -> str:
        """Why no factory may be changed now; empty where the rules are known. Ask this before `current`.

        What stands in a file that cannot be read may have been written to forbid just this.
        """
        self.current()
        return f"Nothing is changed until {self.path.name} is sound. {' '.join(self.mistakes)}" if self.mistakes else ""

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


@cache
def _of_process(path: Path) -> PolicyFile:
    return PolicyFile(path)


def problems(path: Path) -> list[str]:
    """All that is wrong with a file: its mistakes, else what can never take effect."""
    policy = _checked(path)
    return policy if isinstance(policy, list) else list(policy.findings())


def warnings(path: Path) -> list[str]:
    """What takes effect in a sound file, but maybe not as it was meant."""
    policy = _checked(path)
    return [] if isinstance(policy, list) else list(policy.warnings())


def _checked(path: Path) -> Policy | list[str]:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except BadPolicy as exc:
        return exc.mistakes
    except (OSError, UnicodeDecodeError) as exc:
        return [f"{path} cannot be read: {exc}."]
