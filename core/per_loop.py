"""One thing for each event loop, built on first use: asynchronous clients belong to the loop they are first used on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from core.errors import NotConfigured

T = TypeVar("T")


class PerLoop(Generic[T]):
    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._built: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def get(self) -> T:
        """This loop's. Whatever `build` raises is raised, and tried again at the next call."""
        loop = asyncio.get_running_loop()
        if loop not in self._built:
            self._built[loop] = self._build()
        return self._built[loop]

    def built(self) -> T | None:
        """This loop's, where somebody has asked for it before."""
        return self._built.get(asyncio.get_running_loop())

    def configured(self) -> T | None:
        """`get`, or None where settings are missing, which /api/health tells: for timers, which nobody waits for."""
        try:
            return self.get()
        except NotConfigured:
            return None
