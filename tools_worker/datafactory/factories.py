"""The factories this app looks after: named in settings, or found in a subscription and remembered for some minutes."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from core.errors import InvalidArguments, NotConfigured, NotFound, UpstreamError, not_found
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import PipelineRun

Discover = Callable[[], Awaitable[Sequence[DataFactory]]]
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
REMEMBER_SECONDS = 300.0  # a new factory shows within five minutes; listing a subscription costs one ARM read


@dataclass(frozen=True)
class LocatedRun:
    """A run and the factory it really lives in; `asked` is the factory the caller named, if it is another."""

    factory: DataFactory
    run: PipelineRun
    asked: str = ""


class Factories:
    def __init__(
        self,
        source: Sequence[DataFactory] | Discover,
        *,
        default: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        closing: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`closing` closes what the source opens: also where nothing was found with it."""
        self._source = source
        self._closing = closing
        self._default = default
        self._clock = clock
        self._found: tuple[DataFactory, ...] = ()
        self._found_at: float | None = None

    async def all(self) -> tuple[DataFactory, ...]:
        """By name. NotConfigured when there is none at all."""
        factories = await self._known()
        if not factories:
            raise NotConfigured(
                "No data factory is configured or visible.",
                hint="Name them in ADF_FACTORIES, or give the app its reader role there (docs/configuration.md).",
            )
        return factories

    async def names(self) -> list[str]:
        return [factory.name for factory in await self.all()]

    async def get(self, name: str | None = None) -> DataFactory:
        """By name in any case; None means the only one, or the default one."""
        factories = await self.all()
        wanted = name or self._default
        if wanted is None and len(factories) == 1:
            return factories[0]
        if wanted is None:
            names = ", ".join(repr(factory.name) for factory in factories)
            raise InvalidArguments("There are several factories: say which one.", hint=f"Known: {names}.")
        for factory in factories:
            if factory.name.casefold() == wanted.strip().casefold():
                return factory
        raise not_found("data factory", wanted, [factory.name for factory in factories])

    async def chosen(self, name: str | None) -> tuple[DataFactory, ...]:
        """The named factory alone, or all of them."""
        return (await self.get(name),) if name else await self.all()

    async def find_run(self, run_id: str, factory: str | None = None) -> LocatedRun:
        """Look in the named factory first, then in all the others: people mix up which factory an id came from."""
        run_id = run_id.strip()
        run_id = run_id.lower() if _GUID.fullmatch(run_id) else run_id  # ADF writes them so; chats and sheets do not
        first = await self.get(factory) if factory else None
        if first is not None:
            run = await _run_or_none(first, run_id)
            if run is not None:
                return LocatedRun(first, run)
        others = [candidate for candidate in await self.all() if candidate is not first]
        located = await self._look_in(others, run_id)
        if located is None:
            raise await self._nowhere(run_id)
        return LocatedRun(*located, asked=first.name if first else "")

    async def close(self) -> None:
        for factory in self._found:
            await factory.close()
        self._found, self._found_at = (), None
        if self._closing is not None:
            await self._closing()

    async def _look_in(self, factories: Sequence[DataFactory], run_id: str) -> tuple[DataFactory, PipelineRun] | None:
        answers = await asyncio.gather(*(_run_or_none(f, run_id) for f in factories), return_exceptions=True)
        for factory, answer in zip(factories, answers, strict=True):
            if isinstance(answer, PipelineRun):
                return factory, answer
        for answer in answers:  # not found is only true when every factory could be asked
            if isinstance(answer, BaseException):
                raise answer
        return None

    async def _nowhere(self, run_id: str) -> NotFound:
        names = " or ".join(repr(name) for name in await self.names())
        return NotFound(
            f"No pipeline run with id {run_id!r} in {names}.",
            hint="Runs are kept for 45 days; the id of an activity run or a trigger run is not a pipeline run's id.",
        )

    async def _known(self) -> tuple[DataFactory, ...]:
        now = self._clock()
        if self._found_at is None or (callable(self._source) and now - self._found_at > REMEMBER_SECONDS):
            try:
                found = await self._source() if callable(self._source) else self._source
            except UpstreamError:
                if self._found_at is None:
                    raise
                found = self._found  # an old list is better than none while ARM is away
            self._found = tuple(sorted(found, key=lambda factory: factory.name.casefold()))
            self._found_at = now
        return self._found


async def _run_or_none(factory: DataFactory, run_id: str) -> PipelineRun | None:
    try:
        return await factory.pipeline_run(run_id)
    except NotFound:
        return None
