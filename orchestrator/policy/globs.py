"""Globs over names, in any case: what they fit, and how two of them lie to each other.

`*` is anything, also nothing; `?` one character; `[ab]` one of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def fits(name: str, glob: str) -> bool:
    return fnmatchcase(name.casefold(), glob.casefold())


def any_fits(name: str, globs: Iterable[str]) -> bool:
    return any(fits(name, glob) for glob in globs)


def covers(wide: str, narrow: str) -> bool:
    """Whatever `narrow` fits, `wide` fits. False also where it is so and only a closer look would tell."""
    wide, narrow = wide.casefold(), narrow.casefold()
    if "[" in wide + narrow:
        return wide in ("*", narrow)
    places = _skipped(wide, {0})
    for mark in narrow:
        places = _skipped(wide, {_after(wide, n) for n in places if n < len(wide) and _takes(wide[n], mark)})
    return len(wide) in places


def all_covered(wide: Iterable[str], narrow: Iterable[str]) -> bool:
    """Each narrow one by one of the wide ones."""
    wide = tuple(wide)
    return all(any(covers(each, glob) for each in wide) for glob in narrow)


def meet(one: str, other: str) -> bool:
    """Some name fits both. True also where only a closer look would tell."""
    one, other = one.casefold(), other.casefold()
    if "[" in one + other:
        return True
    places = _skipped(one, {0})
    for mark in other:
        if mark == "*":
            places = set(range(min(places), len(one) + 1)) if places else places
        else:
            places = _skipped(one, {_after(one, n) for n in places if n < len(one) and _shares(one[n], mark)})
    return len(one) in places


def any_meet(some: Iterable[str], others: Iterable[str]) -> bool:
    others = tuple(others)
    return any(meet(one, other) for one in some for other in others)


def _skipped(glob: str, places: set[int]) -> set[int]:
    """With those that lie behind stars that stand for nothing."""
    found, left = set(places), list(places)
    while left:
        place = left.pop()
        if place < len(glob) and glob[place] == "*" and place + 1 not in found:
            found.add(place + 1)
            left.append(place + 1)
    return found


def _after(glob: str, place: int) -> int:
    return place if glob[place] == "*" else place + 1


def _takes(mark: str, other: str) -> bool:
    return mark == "*" or (other != "*" and mark in ("?", other))


def _shares(mark: str, other: str) -> bool:
    return mark in ("*", "?", other) or other == "?"
