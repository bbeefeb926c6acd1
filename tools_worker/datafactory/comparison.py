"""Two runs of a pipeline side by side: where their ways part, what took longer, what moved more or fewer rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.leaves import Attempts, attempts
from tools_worker.datafactory.models import ActivityRun, PipelineRun

SLOWER, LEAST_MS = 1.5, 10_000  # longer by half and by ten seconds: less is the noise of any cloud
ROWS = 0.2  # a fifth more or fewer


@dataclass(frozen=True, slots=True)
class Part:
    """An activity of one run: its iterations together. `rows` is None where it does not say."""

    name: str
    type: str
    status: str
    duration_ms: int
    rows: int | None
    retries: int
    iterations: int
    id: str


@dataclass(frozen=True, slots=True)
class Difference:
    """An activity that is not alike in both runs; None where a run has none of that name."""

    name: str
    one: Part | None
    other: Part | None

    @property
    def status_differs(self) -> bool:
        return (self.one.status if self.one else "") != (self.other.status if self.other else "")

    @property
    def longer_by_ms(self) -> int:
        """How much longer `one` took; 0 where the difference is noise."""
        if self.one is None or self.other is None:
            return 0
        more = self.one.duration_ms - self.other.duration_ms
        grown = max(self.one.duration_ms, self.other.duration_ms) >= SLOWER * min(
            self.one.duration_ms, self.other.duration_ms
        )
        return more if abs(more) >= LEAST_MS and grown else 0

    @property
    def rows_differ(self) -> bool:
        if self.one is None or self.other is None or self.one.rows is None or self.other.rows is None:
            return False
        return abs(self.one.rows - self.other.rows) > ROWS * max(self.one.rows, self.other.rows)

    @property
    def matters(self) -> bool:
        return self.status_differs or bool(self.longer_by_ms) or self.rows_differ


def compare(one: Iterable[ActivityRun], other: Iterable[ActivityRun]) -> list[Difference]:
    """What differs, in the order in which `one` ran it; what only `other` ran comes last."""
    left, right = parts(one), parts(other)
    names = [*left, *(name for name in right if name not in left)]
    found = [Difference(name, left.get(name), right.get(name)) for name in names]
    return [difference for difference in found if difference.matters]


def parts(activities: Iterable[ActivityRun]) -> dict[str, Part]:
    grouped: defaultdict[str, list[Attempts]] = defaultdict(list)
    for group in attempts(tuple(activities)):
        grouped[group.last.name].append(group)
    return {name: _part(groups) for name, groups in grouped.items()}


def _part(groups: Sequence[Attempts]) -> Part:
    """Several iterations count as one: the worst status, all their time and rows."""
    last = [group.last for group in groups]
    told = next((run for run in last if run.failed), last[-1])
    rows = [moved for run in last if (moved := fields.whole(run.output, "rowsCopied")) is not None]
    return Part(
        name=told.name,
        type=told.type,
        status=told.status,
        duration_ms=sum(run.duration_ms or 0 for group in groups for run in group.runs),
        rows=sum(rows) if rows else None,
        retries=sum(len(group.runs) - 1 for group in groups),
        iterations=len(groups),
        id=told.id,
    )


def changed_parameters(one: PipelineRun, other: PipelineRun) -> dict[str, tuple[Any, Any]]:
    names = sorted({*one.parameters, *other.parameters})
    pairs = {name: (one.parameters.get(name), other.parameters.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def as_row(difference: Difference) -> Mapping[str, Any]:
    def side(part: Part | None) -> Mapping[str, Any] | None:
        if part is None:
            return None
        told = {"status": part.status, "seconds": round(part.duration_ms / 1000, 1), "rows": part.rows}
        more = {"retries": part.retries, "iterations": part.iterations if part.iterations > 1 else 0}
        return {key: value for key, value in (told | more).items() if value not in (None, 0, "")}

    return {"activity": difference.name, "one": side(difference.one), "other": side(difference.other)}
