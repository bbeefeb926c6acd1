"""Reading a query of Data Factory to its end: page by page, and a long one from both ends at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Generic, TypeVar

from tools_worker.datafactory import fields

MAX_PAGES = 300  # 30,000 runs: beyond it an answer says that it is not complete

T = TypeVar("T")
Ask = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class Cursor(Generic[T]):
    """One way through the pages of a query. Window and filters go with every page: a token alone is answered with
    nothing."""

    def __init__(self, ask: Ask, body: Mapping[str, Any], read: Callable[[object], T]) -> None:
        self._ask, self._body, self._read = ask, body, read
        self._token = ""
        self._pages = 0
        self.ended = False  # all pages were read
        self.stuck = False  # the service goes in circles, or there is no end to it

    @property
    def over(self) -> bool:
        return self.ended or self.stuck

    async def next(self) -> list[T]:
        page = await self._ask({**self._body, "continuationToken": self._token} if self._token else self._body)
        following = fields.text(page, "continuationToken")
        self._pages += 1
        self.ended = not following
        self.stuck = not self.ended and (following == self._token or self._pages >= MAX_PAGES)
        self._token = following
        return [self._read(raw) for raw in fields.items(page, "value")]


async def from_both_ends(
    ahead: Cursor[T], back: Cursor[T], when: Callable[[T], datetime], first: list[T]
) -> tuple[list[T], bool]:
    """All records and whether that is all; `ahead` has given `first` and reads oldest first, `back` newest first.

    The two have met when `ahead` is strictly past `back`: then each moment was passed by one of them as a whole.
    Records of one moment may come in any order, so that meeting in it proves nothing. Where a page is not in the order
    asked for, one way is gone to its end. `when` must give a moment for a record without one too.
    """
    old, new = list(first), list[T]()
    in_order = _rises(old, when)
    while in_order and not ahead.over and not back.over and not _met(old, new, when):
        later, earlier = await asyncio.gather(ahead.next(), back.next())
        in_order = _rises([*old[-1:], *later], when) and _rises([*earlier[::-1], *new[-1:]], when)
        old += later
        new += earlier
        in_order = in_order and _rises([*old[-1:], *new[:1]], when)  # else `back` did not begin at the end
    if ahead.ended or (in_order and (back.ended or _met(old, new, when))):
        return [*old, *reversed(new)], True
    while not ahead.over:
        old += await ahead.next()
    return [*old, *reversed(new)], ahead.ended


def _met(old: list[T], new: list[T], when: Callable[[T], datetime]) -> bool:
    return bool(old) and bool(new) and when(old[-1]) > when(new[-1])


def _rises(page: list[T], when: Callable[[T], datetime]) -> bool:
    return all(one <= other for one, other in pairwise(map(when, page)))
