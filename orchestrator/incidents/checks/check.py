"""What a check is: it looks at a factory now and then, and says what is in trouble and when that is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.incidents.record import Incident, IncidentKind
from orchestrator.policy.model import Policy
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import PipelineRun


@dataclass(frozen=True, slots=True)
class Trouble:
    """`subject` is what it is about, a pipeline or a trigger: at any time it has one incident of a kind. `occasion`
    tells one trouble of a subject from the next: people hear of each once, also where somebody closed it early.
    `title` and `summary` are for people; `runs` are the evidence."""

    kind: IncidentKind
    subject: str
    occasion: str
    title: str
    summary: str
    pipelines: tuple[str, ...] = ()
    runs: tuple[PipelineRun, ...] = ()


@dataclass(frozen=True, slots=True)
class Glance:
    """What a check may go by: `checked` is when it was made last, `open` are its incidents that have not ended."""

    now: datetime
    policy: Policy
    checked: datetime | None = None
    open: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """`look` tells all that is in trouble now. Of an open incident that it does not tell, `over` says in a sentence
    why it has ended; nothing where that is not known. Both raise core.errors."""

    name: str
    kinds: frozenset[IncidentKind]
    every: timedelta
    look: Callable[[DataFactory, Glance], Awaitable[Sequence[Trouble]]]
    over: Callable[[DataFactory, Incident, Glance], Awaitable[str]]
