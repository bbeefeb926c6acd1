"""The same question to several factories at once. One that cannot answer is told of, and does not spoil the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from core.errors import NotFound, UpstreamError, not_found
from tools_worker.datafactory.client import DataFactory, resolve_pipeline
from tools_worker.datafactory.period import RETENTION_DAYS

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Survey(Generic[T]):
    answers: tuple[tuple[DataFactory, T], ...]
    silent: tuple[tuple[str, UpstreamError], ...] = ()

    @property
    def caveat(self) -> str:
        """A sentence about the factories that gave no answer; empty when all did."""
        return " ".join(f"{name!r} could not be asked: {error}" for name, error in self.silent)


async def survey(factories: Sequence[DataFactory], question: Callable[[DataFactory], Awaitable[T]]) -> Survey[T]:
    """Raises only when no factory answers, or when an answer is an error of the request itself."""
    results = await asyncio.gather(*(question(factory) for factory in factories), return_exceptions=True)
    answers: list[tuple[DataFactory, T]] = []
    silent: list[tuple[str, UpstreamError]] = []
    for factory, result in zip(factories, results, strict=True):
        if isinstance(result, UpstreamError):
            silent.append((factory.name, result))
        elif isinstance(result, BaseException):
            raise result
        else:
            answers.append((factory, result))
    if silent and not answers:
        raise silent[0][1]
    return Survey(tuple(answers), tuple(silent))


async def with_pipeline(factories: Sequence[DataFactory], name: str, now: datetime | None = None) -> Survey[str]:
    """The factories that have this pipeline, each with its own spelling. With `now` one that is gone, but of which runs
    are kept, is known too, by its exact name. NotFound offers the closest names of all."""

    async def spelling(factory: DataFactory) -> str | None:
        try:
            return await resolve_pipeline(factory, name)
        except NotFound:
            return await _once_there(factory, name, now) if now is not None else None

    asked = await survey(factories, spelling)
    holders = tuple((factory, known) for factory, known in asked.answers if known is not None)
    if holders:
        return Survey(holders, asked.silent)
    if asked.silent:  # it may live where nobody answered
        raise asked.silent[0][1]
    known = [pipeline.name for factory in factories for pipeline in await factory.pipelines()]
    raise not_found("pipeline", name, known, factories[0].name if len(factories) == 1 else "")


async def _once_there(factory: DataFactory, name: str, now: datetime) -> str | None:
    runs = await factory.pipeline_runs(now - timedelta(days=RETENTION_DAYS), pipeline=name.strip(), limit=1)
    return name.strip() if len(runs) else None
