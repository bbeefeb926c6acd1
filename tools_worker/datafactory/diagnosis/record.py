"""The Diagnosis: what is known of one run, with the ids it rests on and what is not known. Plain, frozen, small."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tools_worker.datafactory.wording import spoken

MAX_STEPS = 14  # of a path in a sentence
MAX_BYTES = 6 * 1024  # of `as_data` as JSON; longer lists are cut and counted

Outcome = Literal["failed", "succeeded", "running", "queued", "cancelled", "unknown"]
Risk = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step down the path: a pipeline run or an activity run."""

    kind: Literal["pipeline", "activity"]
    name: str
    id: str
    iteration: str = ""  # "1 of 60 iterations failed"

    def __str__(self) -> str:
        name = self.name or f"an unnamed {self.kind}"
        return f"{name} ({self.iteration})" if self.iteration else name


def path_text(steps: Sequence[Step]) -> str:
    """`Nightly → RunLoad → LoadSales → CopySales`; of a very long way both ends."""
    words = [str(step) for step in steps]
    if len(words) > MAX_STEPS:
        words = [*words[:4], f"… {len(words) - 10} more …", *words[-6:]]
    return " → ".join(words)


@dataclass(frozen=True, slots=True)
class EvidenceId:
    """A thing that exists. `kind`: pipeline_run, activity_run, or activity_log for an event of the Activity Log."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Action:
    """`tool`: the call that does it, or shows what it is about; None where a person has to."""

    what: str
    why: str
    risk: Risk
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The same error signature in the runs of this pipeline. Not `exact`: there are more runs than were read."""

    count: int
    of_runs: int
    first_seen: str | None
    window_days: int
    exact: bool


@dataclass(frozen=True, slots=True)
class OtherFailure:
    """A second failure in the same run that the root cause does not explain."""

    path: str
    category: str
    error: str
    activity_run_id: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class MaskedFailure:
    """What went wrong although ADF says Succeeded. `kind`: handled_failure, zero_rows, skipped_rows, fewer_rows."""

    kind: str
    activity: str
    pipeline: str
    what: str
    activity_run_id: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    factory: str
    pipeline: str
    run_id: str
    status: str
    start: str | None = None
    end: str | None = None
    started_by: str = ""
    parent_run_id: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Texts from ADF in it are masked and cut. `root_cause_category` is None where nothing went wrong."""

    run: RunFacts
    outcome: Outcome
    headline: str  # the finding as a sentence
    root_cause_path: tuple[Step, ...] = ()
    root_cause_category: str | None = None
    activity_type: str = ""
    error_code: str = ""
    error_message: str = ""
    cause: str = ""
    transience: str | None = None
    retry_may_help: bool | None = None
    owner: str | None = None  # who mends it
    confidence: Literal["high", "medium", "low"] = "low"
    confidence_reason: str = ""
    evidence: tuple[EvidenceId, ...] = ()
    evidence_gaps: tuple[str, ...] = ()
    contributing: tuple[str, ...] = ()
    recurrence: Recurrence | None = None
    impact: tuple[str, ...] = ()
    recommended_actions: tuple[Action, ...] = ()
    masked_failures: tuple[MaskedFailure, ...] = ()
    other_failures: tuple[OtherFailure, ...] = ()
    docs: str = ""
    notes: tuple[str, ...] = field(default=())  # about the question: another factory, a later run that succeeded

    @property
    def path_text(self) -> str:
        return path_text(self.root_cause_path)

    def summary(self) -> str:
        """Complete enough to be the answer by itself."""
        parts = [self.headline, *self.notes]
        if self.other_failures:
            others = "; ".join(f"{other.path}: {spoken(other.category)}" for other in self.other_failures[:2])
            parts.append(f"Besides, {len(self.other_failures)} more failed in this run: {others}.")
        if self.masked_failures and self.outcome == "succeeded":
            parts.append("Hidden trouble: " + "; ".join(masked.what for masked in self.masked_failures[:3]) + ".")
        elif self.masked_failures:
            parts.append(f"Besides, {self.masked_failures[0].what}.")
        parts += self.contributing[:4]
        parts += self.impact[:1]
        parts += [f"{action.what.rstrip('.')}." for action in self.recommended_actions[:2]]
        parts += [f"Not known: {gap.rstrip('.')}." for gap in self.evidence_gaps[:2]]
        return " ".join(part for part in parts if part)

    def as_data(self) -> dict[str, Any]:
        """Empty fields are left out. Kept under MAX_BYTES by shortening lists; `left_out` counts what was cut."""
        data = _without_empty({name: value for name, value in asdict(self).items() if name != "headline"})
        if self.root_cause_path:
            data["root_cause_path_text"] = self.path_text
        return _small(data)


def _without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    kept = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            value = _without_empty(value)
        elif isinstance(value, list | tuple):
            value = [_without_empty(entry) if isinstance(entry, Mapping) else entry for entry in value]
        if value not in ("", None, [], {}):
            kept[name] = value
    return kept


def _small(data: dict[str, Any]) -> dict[str, Any]:
    left_out: dict[str, int] = {}
    while _size(data) > MAX_BYTES:
        longest = max((n for n, v in data.items() if isinstance(v, list)), key=lambda n: _size(data[n]), default=None)
        if longest is None or len(data[longest]) < 2:
            break
        half = len(data[longest]) // 2
        left_out[longest] = left_out.get(longest, 0) + len(data[longest]) - half
        # of a path both ends tell, of the rest the first
        data[longest] = _ends(data[longest], half) if longest == "root_cause_path" else data[longest][:half]
        data["left_out"] = left_out
    return data


def _ends(path: list[Any], number: int) -> list[Any]:
    head = max(1, number // 2)
    return path[:head] + path[len(path) - (number - head) :] if number > 1 else path[-1:]


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
