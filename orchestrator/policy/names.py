"""The names in a policy: each given once, and none used that is not given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from orchestrator.policy.parts import Place

if TYPE_CHECKING:
    from orchestrator.policy.model import Policy

Wrong = tuple[Place, str]
USED = (("environments", "environments"), ("during", "calendars"), ("not_during", "calendars"))  # condition, given in


def wrong_names(policy: Policy) -> Iterator[Wrong]:
    for part in ("environments", "calendars", "rules", "playbooks"):
        yield from _twice(part, [each.name for each in getattr(policy, part)])
    for number, rule in enumerate(policy.rules):
        for condition, part in USED:
            known = [each.name for each in getattr(policy, part)]
            place = ("rules", number, "match", condition)
            for at, name in enumerate(getattr(rule.match, condition) or ()):
                if name not in known:
                    yield (*place, at), f"{name!r} is none of the {part}; {_instead(name, known)}"


def _twice(part: str, names: Sequence[str]) -> Iterator[Wrong]:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield (part, number, "name"), f"{name!r} is the name of {part}[{names.index(name)}] already"


def _instead(name: str, known: Sequence[str]) -> str:
    if near := get_close_matches(name, known, 1):
        return f"{near[0]!r} is one"
    return f"there are {', '.join(known)}" if known else "there are none"
