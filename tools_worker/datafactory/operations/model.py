"""An operation on a factory, what it would do, and what became of it: plain, frozen, without any input or output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

OperationKind = Literal[
    "rerun",
    "cancel",
    "run_pipeline",
    "start_trigger",
    "stop_trigger",
    "rerun_window",
    "pause_schedule",
    "resume_schedule",
]
Risk = Literal["low", "medium", "high"]
Repeatable = Literal["yes", "no", "unknown"]
Ended = Literal["done", "not_done", "unknown"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of one factory. `factory` is its resource id; `arguments` are plain JSON values, by kind:

    rerun: run_id, mode (whole, from_failure, from_activity), activity · cancel: run_id, recursive ·
    run_pipeline: pipeline, parameters · start_trigger, stop_trigger: trigger · rerun_window: trigger, trigger_run_id ·
    pause_schedule: pipeline, minutes · resume_schedule: pipeline, triggers (those that the pause stopped)

    rerun and cancel take `pipeline` too: they are refused for a run of another one. The operation of a plan has all of
    its arguments, `triggers` of a pause included.
    """

    kind: OperationKind
    factory: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation would do, by the live state of a moment. `facts` are that state, as far as the operation rests
    on it: an approval holds for these facts only. `refusal` says why it must not be done; empty where it may.

    The diagnosis' part (category, transience, confidence) is there where the operation mends a failed run.
    """

    operation: Operation  # its names as Data Factory spells them
    title: str  # "Rerun LoadSales from its failed activity"
    effects: tuple[str, ...]  # whole sentences
    facts: Mapping[str, str]
    risk: Risk
    refusal: str = ""
    factory_name: str = ""
    pipeline: str = ""
    run_id: str = ""  # of the run it is about
    annotations: tuple[str, ...] = ()  # of the pipelines
    pipelines: tuple[str, ...] = ()  # all that it concerns, `pipeline` among them: a trigger may start several
    repeatable: Repeatable = "unknown"  # may what it starts be done twice without harm to the data
    category: str = ""
    transience: str = ""
    confidence: str = ""
    seen: tuple[str, ...] = ()  # ids of runs that were there when it was planned: none of them is what it started

    @property
    def digest(self) -> str:
        """Of what is done, to what, and of the facts it rests on."""
        told = [self.operation.kind, self.operation.factory.casefold(), self.operation.arguments, dict(self.facts)]
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Data Factory answered to an operation. `id`: of the run that it started, where it started one."""

    at: datetime
    id: str = ""
    others: tuple[str, ...] = ()  # triggers that were stopped or started


@dataclass(frozen=True, slots=True)
class Effect:
    """What Data Factory shows of an operation. `settled`: looking again would show nothing new."""

    ended: Ended
    told: str  # a sentence
    settled: bool
    run_id: str = ""
    status: str = ""  # of the run that it started, or of the trigger
