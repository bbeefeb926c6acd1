"""What was changed before a pipeline broke: between its last good run and the failed one after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tools_worker.datafactory.authorship import Deed, Log, concerning, fetch_log
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.definitions import starters, steps
from tools_worker.datafactory.diagnosis.changes import Name, used_by
from tools_worker.datafactory.diagnosis.estate import Estate, fetch_estate
from tools_worker.datafactory.models import FAILED, SUCCEEDED, PipelineRun
from tools_worker.datafactory.period import RETENTION_DAYS
from tools_worker.datafactory.wording import age, at, count

MAKES = frozenset({"write", "delete", "start", "stop"})  # what can break a pipeline
READ_BEFORE = timedelta(days=7)  # of the log, where no good run says from when on it matters
MAX_PIPELINES = 50  # called by each other


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of, and what could not be read to know it."""

    names: frozenset[Name]
    gaps: tuple[str, ...] = ()

    @property
    def caveat(self) -> str:
        missing = "; ".join(self.gaps)
        return f"Not all that it is made of is known, without {missing}." if missing else ""


@dataclass(frozen=True, slots=True)
class Break:
    """The last failed run of a pipeline, the good run before it, and what was changed from `since` on until it ended,
    newest first. Not `sure`: there may have been more changes, or a later good run."""

    failed: PipelineRun
    good: PipelineRun | None
    since: datetime
    between: tuple[Deed, ...]
    sure: bool = True

    @property
    def moment(self) -> datetime | None:
        return self.failed.end or self.failed.start

    @property
    def told(self) -> str:
        failed = f"its last failed run ({self.failed.run_id}, {at(self.moment)})"
        if not self.between:
            return self._nothing(failed)
        newest = self.between[0]
        before = f"{age(newest.change.at, self.moment)} before " if newest.change.at and self.moment else "before "
        number = count(len(self.between), "change", self.sure)
        since = f"since {self._begin}" if self.good else f"since {self._begin}, where the search began"
        return f"The newest change before it broke: {newest.told}, {before}{failed} ({number} {since})."

    def _nothing(self, failed: str) -> str:
        between = f"between {self._begin} and {failed}"
        unknown = "" if self.good else "; no good run before it is known"
        if self.sure:
            return f"Nothing it is made of was changed {between}{unknown}."
        return f"No change of what it is made of was found {between}{unknown}; not everything could be read."

    @property
    def _begin(self) -> str:
        if self.good is None:
            return at(self.since)
        return f"its last good run before that ({self.good.run_id}, {at(self.good.start)})"


async def made_of(factory: DataFactory, pipeline: str) -> Parts:
    """The pipeline and those it calls, their datasets, linked services and data flows, and the triggers that start
    it."""
    estate = await fetch_estate(factory)
    triggers = [trigger.name for trigger in starters(pipeline, estate.triggers)]
    gone = () if pipeline in estate.definitions or estate.gaps else ("its definition: the factory has it no more",)
    names = used_by(_called(pipeline, estate), triggers, estate)
    return Parts(frozenset(names), (*estate.gaps, *gone))


def _called(pipeline: str, estate: Estate) -> list[str]:
    """Itself first, then what it calls, and what that calls."""
    found, definitions = [pipeline], estate.definitions
    for name in found:
        children = dict.fromkeys(step.child for step in steps(definitions.get(name, {})))
        found += [child for child in children if child and child not in found][: MAX_PIPELINES - len(found)]
    return found


async def last_break(
    factory: DataFactory, pipeline: str, parts: Parts, log: Log, until: datetime | None, now: datetime
) -> Break | None:
    """None where no run of it failed in the stretch that `log` is of. Data Factory keeps runs for less time than the
    log; what `log` does not reach of the time between the runs is read."""
    kept = now - timedelta(days=RETENTION_DAYS)
    failures = await factory.pipeline_runs(max(log.since, kept), until, pipeline=pipeline, status=FAILED, limit=1)
    run = next((each for each in failures if each.start is not None), None)
    if run is None or run.start is None:
        return None
    good, known = await _good_before(factory, pipeline, run.start, kept)
    begin = good.start if good is not None and good.start is not None else min(log.since, run.start - READ_BEFORE)
    end = run.end or run.start
    story = log if log.covers(begin, end) else await fetch_log(factory, begin, end)
    return Break(run, good, begin, _between(story, parts, begin, end), story.complete and known and not parts.gaps)


async def _good_before(
    factory: DataFactory, pipeline: str, moment: datetime, kept: datetime
) -> tuple[PipelineRun | None, bool]:
    """The newest one, and whether that is sure."""
    runs = await factory.pipeline_runs(kept, moment, pipeline=pipeline, status=SUCCEEDED, limit=1)
    good = next((each for each in runs if each.start is not None and each.start < moment), None)
    return good, good is not None or runs.complete


def _between(log: Log, parts: Parts, begin: datetime, end: datetime) -> tuple[Deed, ...]:
    return tuple(
        deed
        for deed in concerning((deed for deed in log.deeds if not deed.of_run), parts.names, "")
        if deed.change.operation in MAKES and not deed.failed and deed.change.at and begin <= deed.change.at <= end
    )
