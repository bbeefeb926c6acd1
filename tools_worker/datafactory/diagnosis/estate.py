"""What a factory holds besides the run: its pipelines, triggers and datasets, read once, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.errors import AppError
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import Dataset, Pipeline, Trigger

MAX_SECONDS = 8.0  # a factory may hold 5,000 pipelines; the cause does not wait for them

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Estate:
    """`gaps` names the lists that could not be read; they are empty then."""

    pipelines: Sequence[Pipeline] = ()
    triggers: Sequence[Trigger] = ()
    datasets: Sequence[Dataset] = ()
    gaps: tuple[str, ...] = field(default=())

    @property
    def definitions(self) -> Mapping[str, Mapping[str, Any]]:
        return {pipeline.name: pipeline.definition for pipeline in self.pipelines}


async def fetch_estate(factory: DataFactory) -> Estate:
    pipelines, triggers, datasets = await asyncio.gather(
        bounded(factory.pipelines()), bounded(factory.triggers()), bounded(factory.datasets())
    )
    named = (("pipelines", pipelines), ("triggers", triggers), ("datasets", datasets))
    gaps = tuple(f"the factory's {what}: {answer}" for what, answer in named if isinstance(answer, AppError | str))
    return Estate(_or_none(pipelines), _or_none(triggers), _or_none(datasets), gaps)


async def bounded(question: Awaitable[T], seconds: float = MAX_SECONDS) -> T | AppError | str:
    """The answer, or why there is none: what only surrounds a cause must neither fail it nor keep it waiting."""
    try:
        async with asyncio.timeout(seconds):
            return await question
    except AppError as exc:
        return exc
    except TimeoutError:
        return f"not answered within {seconds:.0f} seconds"


def _or_none(answer: Sequence[T] | AppError | str) -> Sequence[T]:
    return () if isinstance(answer, AppError | str) else answer
