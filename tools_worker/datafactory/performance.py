"""Where the time of a run went: the phases of its copies, the chain of activities it waited for, the bottleneck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.models import ActivityRun

PHASES = ("queue", "pre-copy script", "first byte", "listing", "reading", "writing", "transfer")
# What a phase that dominates means for the one who wants it faster.
MEANING: Mapping[str, str] = {
    "queue": "it waited for the integration runtime: more nodes or jobs, a time to live, or other start times help",
    "pre-copy script": "the script before the copy is slow: look at the sink's query and its locks",
    "first byte": "the source takes long to answer: look at its query and indexes",
    "listing": "the source lists many files: narrow the folder or the file pattern",
    "reading": "reading the source is slow: partition the read, or give the source more power",
    "writing": "writing the sink is slow: larger batches, a staged copy, or more power for the sink",
    "transfer": "the transfer itself dominates: more parallel copies or data integration units may help",
}
# The side that a phase waits for: when it also throttled, that is why the phase is slow.
SIDES: Mapping[str, str] = {
    "first byte": "source",
    "listing": "source",
    "reading": "source",
    "pre-copy script": "sink",
    "writing": "sink",
}
THROTTLED = "the store refused requests because there were too many: raise its limit or copy with less parallelism"


@dataclass(frozen=True, slots=True)
class Copy:
    """The phases of one copy in seconds, as far as its output tells them. `phases` is empty when it tells none."""

    activity: ActivityRun
    phases: Mapping[str, int]
    throttled: Mapping[str, int]  # side → number of refused requests
    throughput_kbps: float | None = None
    units: int | None = None
    parallel: int | None = None
    tips: int = 0  # recommendations of the service: counted, their words are in the portal
    runtime: str = ""  # the integration runtime's name

    @property
    def bottleneck(self) -> str:
        """The longest phase; `transfer` only where reading and writing are not told apart."""
        told = {name: spent for name, spent in self.phases.items() if name != "transfer" and spent > 0}
        inner = sum(self.phases.get(name, 0) for name in ("listing", "reading", "writing"))
        rest = self.phases.get("transfer", 0) - self.phases.get("first byte", 0)  # which is a part of it
        if not inner and rest > 0:
            told["transfer"] = rest
        return max(told, key=lambda name: told[name], default="")

    @property
    def slowed_by(self) -> str:
        """The side whose throttling slows the bottleneck; of a bare transfer the side that throttled more."""
        if self.bottleneck == "transfer" and self.throttled:
            return max(self.throttled, key=lambda side: self.throttled[side])
        side = SIDES.get(self.bottleneck, "")
        return side if side in self.throttled else ""

    @property
    def share(self) -> float | None:
        """Of the copy's whole time, what its bottleneck took."""
        whole = (self.activity.duration_ms or 0) / 1000
        return min(1.0, self.phases[self.bottleneck] / whole) if self.bottleneck and whole > 0 else None


def copy_of(activity: ActivityRun) -> Copy | None:
    """None for what is no copy, or has nothing to tell."""
    output = activity.output
    if activity.type != "Copy" and "copyDuration" not in output:
        return None
    details = [fields.as_mapping(step) for step in fields.items(output, "executionDetails")]
    phases: dict[str, int] = {}
    throttled: dict[str, int] = {}
    for step in details:  # a staged copy has two steps
        for name, seconds in _phases(step).items():
            phases[name] = phases.get(name, 0) + seconds
        for side in ("source", "sink"):
            refused = fields.whole(fields.mapping(step, side), "throttlingErrors")
            if refused and refused > 0:
                throttled[side] = throttled.get(side, 0) + refused
    waited = fields.whole(fields.mapping(output, "durationInQueue"), "integrationRuntimeQueue")
    if waited is not None and waited > phases.get("queue", 0):
        phases["queue"] = waited
    return Copy(
        activity,
        phases,
        throttled,
        _number(output.get("throughput")),
        fields.whole(output, "usedDataIntegrationUnits"),
        fields.whole(output, "usedParallelCopies"),
        len(fields.items(output, "perfRecommendation")),
        runtime_name(activity),
    )


def _phases(step: Mapping[str, Any]) -> dict[str, int]:
    told = fields.mapping(step, "detailedDurations")
    profile = fields.mapping(step, "profile")
    transfer = fields.mapping(fields.mapping(profile, "transfer"), "details")
    found = {
        "queue": _first(fields.whole(told, "queuingDuration"), _within(profile, "queue", "duration")),
        "pre-copy script": _first(fields.whole(told, "preCopyScriptDuration"), None),
        "first byte": _first(
            fields.whole(told, "timeToFirstByte"), _within(transfer, "readingFromSource", "timeToFirstByte")
        ),
        "listing": _within(transfer, "listingSource", "workingDuration"),
        "reading": _within(transfer, "readingFromSource", "workingDuration"),
        "writing": _within(transfer, "writingToSink", "workingDuration"),
        "transfer": _first(fields.whole(told, "transferDuration"), _within(profile, "transfer", "duration")),
    }
    return {name: seconds for name, seconds in found.items() if seconds is not None and seconds >= 0}


def _within(raw: Mapping[str, Any], name: str, key: str) -> int | None:
    return fields.whole(fields.mapping(raw, name), key)


def _first(one: int | None, other: int | None) -> int | None:
    return other if one is None else one


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value == value and abs(value) < 1e15 else None


def queue_seconds(activity: ActivityRun) -> int | None:
    """How long any activity waited for its integration runtime, where the output tells."""
    return fields.whole(fields.mapping(activity.output, "durationInQueue"), "integrationRuntimeQueue")


def runtime_name(activity: ActivityRun) -> str:
    """The integration runtime it ran or waits on; ADF adds the region of its own ones in brackets."""
    told = fields.text(activity.output, "effectiveIntegrationRuntime").partition(" (")[0].strip()
    return told or next(iter(activity.runtimes), "")


def waits(activities: Iterable[ActivityRun]) -> list[tuple[ActivityRun, int]]:
    """The activities that waited for an integration runtime, with their seconds in its queue, longest first."""
    told = ((activity, _queued(activity)) for activity in activities)
    return sorted(((activity, spent) for activity, spent in told if spent > 0), key=lambda each: -each[1])


def _queued(activity: ActivityRun) -> int:
    copy = copy_of(activity)
    return (copy.phases.get("queue", 0) if copy else queue_seconds(activity)) or 0


def slowest_path(activities: Iterable[ActivityRun], needs: Mapping[str, Sequence[str]]) -> list[ActivityRun]:
    """The chain of activities, in order, that the run's end waited for: from the last to end, back over what each
    depended on, always to the one that ended last. `needs` is activity → the activities it depends on."""
    last: dict[str, ActivityRun] = {}
    for activity in activities:
        known = last.get(activity.name)
        if activity.end is not None and (known is None or known.end is None or activity.end > known.end):
            last[activity.name] = activity
    if not last:
        return []
    outer = {name: run for name, run in last.items() if name in needs} or last
    path = [max(outer.values(), key=_end)]
    while True:
        before = [last[name] for name in needs.get(path[-1].name, ()) if name in last]
        before = [activity for activity in before if activity not in path]
        if not before:
            return path[::-1]
        path.append(max(before, key=_end))


def _end(activity: ActivityRun) -> datetime:
    assert activity.end is not None  # only ended ones are kept
    return activity.end


def dependencies(definition: Mapping[str, Any]) -> dict[str, list[str]]:
    """Activity → activities it waits for, at the top level of a pipeline."""
    return {
        fields.text(activity, "name"): [
            fields.text(wait, "activity")
            for wait in fields.items(activity, "dependsOn")
            if fields.text(wait, "activity")
        ]
        for activity in fields.items(definition, "activities")
    }
