"""What was answered and recorded against what really happened. Plain rules, no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bench.actions.estate import Truth

# Decisions: answers against the record, the record against Data Factory

ENTRIES = {"approve": "approved", "decline": "declined", "withdraw": "withdrawn"}
SAID_NO = ("declined", "withdrawn")


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody was told of a decision. `may`: whether it could count at all; `state`: of the action after it."""

    id: str
    who: str
    decision: str
    may: bool
    status: int
    state: str = ""

    @property
    def taken(self) -> bool:
        return self.status == 200

    @property
    def entry(self) -> tuple[str, str]:
        return ENTRIES[self.decision], self.who


@dataclass(frozen=True, slots=True)
class Decided:
    """An approval in the end: the record's own state and lines of people, the answers, and the runs it started."""

    id: str
    state: str
    needed: int
    standing: int  # approvals that were not taken back
    lines: tuple[tuple[str, str], ...]  # what, and who
    answers: tuple[Answer, ...]
    runs: tuple[str, ...]

    @classmethod
    def of(cls, record: Mapping[str, Any], answers: Sequence[Answer], runs: Sequence[str]) -> Decided:
        lines = [(each["what"], str(each["who"]).split("@")[0]) for each in record["timeline"]]
        told = tuple(line for line in lines if line[0] in ENTRIES.values())
        approvals = len(record["approvals"])
        return cls(
            record["id"], record["state"], record["approvals_needed"], approvals, told, tuple(answers), tuple(runs)
        )


def lost(decided: Decided) -> list[str]:
    """Decisions that were taken and stand nowhere, and those that storage never took."""
    taken = Counter(each.entry for each in decided.answers if each.taken)
    missing = taken - Counter(decided.lines)
    found = [f"{decided.id}: {who} was told that it is {what}, the record knows nothing of it" for what, who in missing]
    return found + [
        f"{decided.id}: {each.who} could not {each.decision}: {each.status}"
        for each in decided.answers
        if each.status >= 500 or not each.status
    ]


def undecided(decided: Decided) -> list[str]:
    """Why it was not decided exactly once; none where it was."""
    taken = Counter(each.entry for each in decided.answers if each.taken)
    found = [f"{what} by {who}, whom nobody told" for what, who in Counter(decided.lines) - taken]
    found += [
        f"{each.who} could {each.decision}, and must not" for each in decided.answers if each.taken and not each.may
    ]
    ends = [each for each in decided.answers if each.taken and each.state in SAID_NO]
    if len(ends) > 1:
        found.append(f"it was ended {len(ends)} times")
    if ends and decided.state != ends[0].state:
        found.append(f"{ends[0].who} was told {ends[0].state}, the record says {decided.state}")
    if not ends and decided.state != "done":
        found.append(f"nobody said no, and it is {decided.state}")
    if decided.state == "done" and decided.standing < decided.needed:
        found.append(f"it was done with {decided.standing} of {decided.needed} approvals")
    wanted = 1 if decided.state == "done" else 0
    if len(decided.runs) != wanted:
        found.append(f"it is {decided.state}, and Data Factory has {len(decided.runs)} runs of it")
    return [f"{decided.id}: {each}" for each in found]


# Kills: the record against Data Factory


@dataclass(frozen=True, slots=True)
class Deeds:
    """What Data Factory shows of a change. `told`: how often each request for it reached Data Factory, by its path."""

    told: Mapping[str, int] = field(default_factory=dict)
    new_runs: Mapping[str, str] = field(default_factory=dict)  # id: status
    cancelled: tuple[str, ...] = ()  # runs that were there before and stand otherwise now
    switched: Mapping[str, str] = field(default_factory=dict)  # triggers that stand otherwise now

    @property
    def times(self) -> int:
        """How often it was done, by its effect."""
        return len(self.new_runs) + len(self.cancelled) + len(self.switched)


@dataclass(frozen=True, slots=True)
class Ending:
    """The record of an action at its end, and beside it the truth. `end`: how the action stands that ends a pause."""

    kind: str
    state: str
    outcome: str
    started_run: str
    started_status: str
    deeds: Deeds
    end: str = ""
    died: bool = False  # its process was killed on the way
    at: str = ""  # the request at which it was struck

    @classmethod
    def of(
        cls, record: Mapping[str, Any], end: Mapping[str, Any] | None, deeds: Deeds, *, died: bool, at: str
    ) -> Ending:
        told = {name: str(record[name]) for name in ("kind", "state", "outcome", "started_run", "started_status")}
        return cls(**told, deeds=deeds, end=str(end["state"]) if end else "", died=died, at=at)


def disagreements(ending: Ending) -> list[str]:
    """Sentences; none where it was done at most once and the record says what Data Factory shows."""
    untrue = _pause(ending) if ending.kind == "pause_schedule" else _untrue(ending)
    return [*_doubled(ending), *untrue]


def _doubled(ending: Ending) -> list[str]:
    found = [f"{path} was told {times} times" for path, times in ending.deeds.told.items() if times > 1]
    if ending.deeds.times > 1 and ending.kind != "pause_schedule":
        found.append(f"it was done {ending.deeds.times} times")
    return found


def _untrue(ending: Ending) -> list[str]:
    deeds, said = ending.deeds, f"the record says {ending.state or 'nothing'}: {ending.outcome!r}"
    if ending.state == "done":
        if not deeds.times:
            return [f"{said}; Data Factory shows nothing of it"]
        agrees = not deeds.new_runs or deeds.new_runs.get(ending.started_run) == ending.started_status
        return [] if agrees else [f"{said}; Data Factory shows {dict(deeds.new_runs)}"]
    if ending.state == "not_done":
        return [f"{said}; Data Factory shows {deeds}"] if deeds.times else []
    if ending.state == "unknown":
        tells = bool(ending.outcome) and all(run_id in ending.outcome for run_id in deeds.new_runs)
        return [] if tells else [f"{said}; and not what Data Factory shows: {deeds}"]
    return [said]


def _pause(ending: Ending) -> list[str]:
    """Whoever was stopped is started again when its time is over, unless the record of that says otherwise."""
    stopped = [path for path in ending.deeds.told if path.endswith("/stop")]
    said = f"the record says {ending.state or 'nothing'}, and {ending.end or 'nothing'} of its end"
    if ending.state not in ("done", "not_done", "unknown"):
        return [f"{said}: {ending.outcome!r}"]
    if ending.state == "done" and not stopped:
        return [f"{said}; Data Factory was never told"]
    if ending.state == "done" and not ending.end:
        return [f"{said}; the schedule is left as it is: {dict(ending.deeds.switched)}"]
    if ending.deeds.switched and (ending.end == "done" or ending.state == "not_done"):
        return [f"{said}; Data Factory shows {dict(ending.deeds.switched)}"]
    return []


def left_off(ending: Ending) -> bool:
    """A schedule that stays stopped when its pause is over, of which the record tells."""
    return ending.kind == "pause_schedule" and bool(ending.deeds.switched)


# Repairs: what was run again


@dataclass(frozen=True, slots=True)
class Run:
    """Of a pipeline, as Data Factory lists it."""

    id: str
    group: str
    factory: str
    pipeline: str
    status: str
    started: datetime
    ended: datetime | None = None

    @classmethod
    def of(cls, factory: str, told: Mapping[str, Any]) -> Run:
        ended = datetime.fromisoformat(told["runEnd"]) if told.get("runEnd") else None
        started = datetime.fromisoformat(told["runStart"])
        return cls(told["runId"], told["runGroupId"], factory, told["pipelineName"], told["status"], started, ended)


@dataclass(frozen=True, slots=True)
class Case:
    """A failure, what may be done about it (`truth`), and what was done. `states` and `agreed` are of the actions that
    were proposed for it, `told` how they and the repair ended."""

    id: str
    truth: Truth
    approved: bool = False  # a person said yes to it
    live: bool = False  # it failed while the app looked on
    first: Run | None = None
    reruns: tuple[Run, ...] = ()
    states: tuple[str, ...] = ()
    agreed: int = 0
    given_up: bool = False
    told: tuple[str, ...] = ()
    resolved: bool = False

    @property
    def own(self) -> tuple[Run, ...]:
        """Reruns of the run itself, without those that they call."""
        return tuple(run for run in self.reruns if self.first is not None and run.pipeline == self.first.pipeline)

    @property
    def settled(self) -> bool:
        """Nothing more is to be expected."""
        if self.approved and self.agreed:
            return any(run.ended for run in self.own)
        if self.truth in ("repaired", "later"):
            return bool(self.own) and self.resolved
        return "waiting" in self.states or self.given_up

    @property
    def seconds(self) -> float | None:
        """From the failure to the new run, on Data Factory's clock."""
        if self.first is None or self.first.ended is None or not self.own:
            return None
        return (min(run.started for run in self.own) - self.first.ended).total_seconds()


def unsafe_reruns(case: Case) -> list[str]:
    """Run again, though it must not be: unsafe, in vain, or in production without a person's yes."""
    allowed = case.truth in ("repaired", "later") or (case.approved and case.agreed > 0)
    if allowed:
        return []
    return [
        f"{case.id} ({case.truth}): run {run.id} of {run.pipeline} at {run.started:%H:%M:%S}" for run in case.reruns
    ]


def untried(case: Case) -> list[str]:
    """Where nothing shows that the app has had to decide about it: then that it was left alone proves nothing."""
    if case.truth in ("repaired", "later"):
        return []
    if case.first is None:
        return [f"{case.id} did not fail"]
    if case.truth == "permanent":
        return [] if case.given_up else [f"{case.id}: nothing was found about it"]
    return (
        [] if case.states else [f"{case.id}: nothing was proposed for it: {' '.join(case.told) or 'and nothing said'}"]
    )


def unrepaired(case: Case) -> list[str]:
    """What should have been repaired, once and well, and was not."""
    wanted = case.truth in ("repaired", "later") or case.approved
    if not wanted:
        return []
    statuses = [run.status for run in case.own]
    if statuses != ["Succeeded"]:
        return [f"{case.id}: reruns {statuses or 'none'}, actions {list(case.states)}, {' '.join(case.told)}"]
    closes = case.truth != "asked"  # what people were asked about is looked at again a minute later
    return [f"{case.id}: it was run again, and its incident is open"] if closes and not case.resolved else []
