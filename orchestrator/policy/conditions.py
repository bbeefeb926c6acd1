"""What each condition of a rule asks of a case: an empty answer where it fits, else why it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.globs import any_fits
from orchestrator.policy.parts import tagged
from orchestrator.policy.rules import RANKS, UNKNOWN, Case, Match


@dataclass(frozen=True, slots=True)
class Seen:
    """A case, with what follows from it: its environment, and which calendars are on."""

    case: Case
    environment: str
    on: frozenset[str]


def unfit(match: Match, seen: Seen) -> tuple[str, str] | None:
    """The first condition that does not fit, and why."""
    for name, asked in CONDITIONS.items():
        wanted = getattr(match, name)
        if wanted is not None and (told := asked(wanted, seen)):
            return name, told
    return None


def _globs(name: str, globs: Iterable[str], nothing: str) -> str:
    return "" if any_fits(name, globs) else f"{_shown(name, nothing)} is not {_one_of(globs)}"


def _value(value: str, wanted: Iterable[str]) -> str:
    return "" if (value or UNKNOWN) in wanted else f"{value or UNKNOWN} is not {_one_of(wanted)}"


def _tags(wanted: Mapping[str, str], seen: Seen) -> str:
    asked = ", ".join(f"{name}: {value}" for name, value in wanted.items())
    return "" if tagged(seen.case.factory_tags, wanted) else f"the factory is not tagged {asked}"


def _annotations(wanted: Iterable[str], seen: Seen) -> str:
    fits = any(any_fits(each, wanted) for each in seen.case.annotations)
    return "" if fits else f"the pipeline is not annotated {_one_of(wanted)}"


def _callers(wanted: Iterable[str], seen: Seen) -> str:
    callers = seen.case.callers
    return "" if callers & set(wanted) else f"{', '.join(sorted(callers)) or 'nobody'} is not {_one_of(wanted)}"


def _during(wanted: Iterable[str], seen: Seen) -> str:
    return "" if seen.on & set(wanted) else f"it is not {_one_of(wanted)}"


def _not_during(wanted: Iterable[str], seen: Seen) -> str:
    on = [name for name in wanted if name in seen.on]
    return f"it is {', '.join(on)}" if on else ""


def _confidence(least: str, seen: Seen) -> str:
    known = seen.case.confidence
    return "" if RANKS.get(known, -1) >= RANKS[least] else f"{known or UNKNOWN} is less than {least}"


def _shown(name: str, nothing: str) -> str:
    return name or nothing


def _one_of(names: Iterable[str]) -> str:
    return " or ".join(names)


CONDITIONS: Mapping[str, Callable[[Any, Seen], str]] = {  # in the order in which they are asked
    "actions": lambda globs, seen: _globs(seen.case.action, globs, "no action"),
    "factories": lambda globs, seen: _globs(seen.case.factory, globs, "no factory"),
    "environments": lambda names, seen: (
        "" if seen.environment in names else f"{seen.environment or 'no environment'} is not {_one_of(names)}"
    ),
    "tags": _tags,
    "pipelines": lambda globs, seen: _globs(seen.case.pipeline, globs, "no pipeline"),
    "annotations": _annotations,
    "callers": _callers,
    "during": _during,
    "not_during": _not_during,
    "confidence": _confidence,
    "transience": lambda values, seen: _value(seen.case.transience, values),
    "categories": lambda values, seen: _value(seen.case.category, values),
    "repeatable": lambda values, seen: _value(seen.case.repeatable, values),
}
