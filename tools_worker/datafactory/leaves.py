"""Of one run's activity runs: which attempts count, and which failures are causes rather than echoes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tools_worker.datafactory.models import ActivityRun

CONTAINERS = frozenset({"ForEach", "IfCondition", "Switch", "Until"})
EXECUTE_PIPELINE = "ExecutePipeline"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Attempts:
    """All attempts of one activity in one turn of its loop, oldest first. Only the last one counts."""

    runs: tuple[ActivityRun, ...]

    @property
    def last(self) -> ActivityRun:
        return self.runs[-1]

    @property
    def earlier_failures(self) -> int:
        return sum(run.failed for run in self.runs[:-1])


def attempts(activities: Iterable[ActivityRun]) -> list[Attempts]:
    """By activity and iteration, in order of first start.

    Iterations without a hash cannot be told from retries by name alone, so an attempt number that does not rise
    starts a new group.
    """
    ordered = sorted(activities, key=lambda run: (run.start or _NEVER, run.retry_attempt or 0))
    groups: dict[tuple[str, str, int], list[ActivityRun]] = {}
    turn: dict[tuple[str, str], int] = {}
    for run in ordered:
        place = (run.name, run.iteration)
        open_group = groups.get((*place, turn.get(place, 0)))
        if open_group is not None and not _follows(open_group[-1], run):
            turn[place] = turn.get(place, 0) + 1
        groups.setdefault((*place, turn.get(place, 0)), []).append(run)
    return [Attempts(tuple(runs)) for runs in groups.values()]


def failed_leaves(activities: Sequence[ActivityRun]) -> list[ActivityRun]:
    """The failed activities that are causes, oldest first: containers only when nothing inside them failed."""
    failed = [group.last for group in attempts(activities) if group.last.failed]
    leaves = [run for run in failed if run.type not in CONTAINERS]
    return leaves or failed


def _follows(earlier: ActivityRun, later: ActivityRun) -> bool:
    """Is `later` a retry of `earlier`? A retry comes only after a failure."""
    if not earlier.failed:
        return False
    if later.retry_attempt is None or earlier.retry_attempt is None:
        return bool(later.iteration) or later.retry_attempt is not None or earlier.end is None or _after(earlier, later)
    return later.retry_attempt > earlier.retry_attempt


def _after(earlier: ActivityRun, later: ActivityRun) -> bool:
    return later.start is None or earlier.end is None or later.start >= earlier.end
