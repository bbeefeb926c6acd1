"""Runs that have not ended: what a run is doing, down to the child that does it, or what a queued run waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools_worker.datafactory import fields
from tools_worker.datafactory.diagnosis.actions import where_to_look
from tools_worker.datafactory.diagnosis.earlier import overdue, usual_ms
from tools_worker.datafactory.diagnosis.facts import Facts, ids_of
from tools_worker.datafactory.diagnosis.record import Action, Diagnosis, EvidenceId, Step
from tools_worker.datafactory.diagnosis.surroundings import around, started_by
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.diagnosis.waiting import Queue, runtime_of
from tools_worker.datafactory.failures import classify
from tools_worker.datafactory.leaves import CONTAINERS
from tools_worker.datafactory.models import ActivityRun
from tools_worker.datafactory.wording import age, at, count, lasted, listed, spoken

MAX_TOLD = 3
GOING = frozenset({"InProgress", "Queued"})


@dataclass(frozen=True, slots=True)
class _Going:
    """An activity at work, and the way down to it."""

    path: tuple[Step, ...]
    node: Node
    activity: ActivityRun

    @property
    def told(self) -> str:
        way = " → ".join(str(step) for step in self.path[1:])
        state = "queued" if self.activity.status == "Queued" else self.activity.type
        return f"{way} ({state}, since {at(self.activity.start)})"


def running(facts: Facts) -> Diagnosis:
    going = _going(facts.tree)
    broken = [(node, group.last) for node in facts.tree.walk() for group in node.groups if
              group.last.failed and group.last.type not in CONTAINERS]  # fmt: skip
    since = age(facts.run.start, facts.now) if facts.run.start else "an unknown time"
    doing = listed([each.told for each in going], MAX_TOLD)
    return Diagnosis(
        run=facts.about,
        outcome="running",
        headline=(
            f"{facts.label} is still running, for {since} ({facts.timing})"
            + (f"; it is working on {doing}." if doing else "; no activity is in progress right now.")
        ),
        root_cause_path=going[0].path if going else (),
        confidence="high",
        confidence_reason="ADF reports it as in progress; a cause can be told once it ends",
        evidence=facts.evidence(
            *ids_of(*(each.path for each in going[:MAX_TOLD])),
            *(EvidenceId("activity_run", run.id) for _, run in broken[:MAX_TOLD]),
        ),
        evidence_gaps=facts.all_gaps,
        contributing=(
            *_overdue(facts),
            *_waits(facts, going),
            *(f"{run.name} of {node.run.pipeline} has failed already ({_kind(run)})." for node, run in broken[:3]),
            *around(facts),
            *started_by(facts),
        ),
        recommended_actions=_if_overdue(facts, going),
    )


def _going(root: Node) -> list[_Going]:
    """The innermost activities at work, the longest first."""
    found: list[_Going] = []
    waiting: list[tuple[Node, tuple[Step, ...]]] = [(root, ())]
    while waiting:
        node, above = waiting.pop(0)
        path = (*above, Step("pipeline", node.run.pipeline, node.run.run_id))
        going = [group.last for group in node.groups if group.last.status in GOING]
        for run in [run for run in going if run.type not in CONTAINERS] or going:
            step = (*path, Step("activity", run.name, run.id))
            child = node.children.get(run.id)
            if child is not None and any(inner.status in GOING for inner in child.activities):
                waiting.append((child, step))
            elif child is not None:
                found.append(_Going((*step, Step("pipeline", child.run.pipeline, child.run.run_id)), child, run))
            else:
                found.append(_Going(step, node, run))
    return sorted(found, key=lambda each: str(each.activity.start or "~"))


def _waits(facts: Facts, going: Sequence[_Going]) -> tuple[str, ...]:
    """Children that have not begun, and activities that wait for a place on their integration runtime."""
    queued = [each.node.run for each in going if each.node is not facts.tree and each.node.run.status == "Queued"]
    children = [
        f"Child {run.pipeline} is queued and has not begun (run {run.run_id})."
        + (f" The pipeline allows {limit} at a time." if (limit := _concurrency(facts, run.pipeline)) else "")
        for run in queued[:MAX_TOLD]
    ]
    return (*children, *_places(going))


def _places(going: Sequence[_Going]) -> list[str]:
    queued = [each.activity for each in going if each.activity.status == "Queued"]
    return [
        f"{run.name} waits for a place on integration runtime {runtime_of(run) or 'of Azure'}."
        for run in queued[:MAX_TOLD]
    ]


def _concurrency(facts: Facts, pipeline: str) -> str:
    limit = fields.whole(facts.estate.definitions.get(pipeline), "concurrency")
    return count(limit, "run") if limit is not None else ""


def _overdue(facts: Facts) -> tuple[str, ...]:
    usual = usual_ms(facts.history)
    if usual is None:
        return ()
    longer = " It has taken far longer than that already." if overdue(facts.history, facts.now) else ""
    return (f"It usually takes {lasted(round(usual))}.{longer}",)


def _if_overdue(facts: Facts, going: Sequence[_Going]) -> tuple[Action, ...]:
    if not overdue(facts.history, facts.now):
        return ()
    place = where_to_look(going[0].activity if going else None)
    run_id = going[0].node.run.run_id if going else facts.run.run_id
    return (
        Action(
            f"See whether it still moves ({place}); cancel and rerun it if it does not",
            "A pipeline has no time-out of its own: what hangs goes on, and is billed, until somebody cancels it",
            "medium",
            f"adf_activity_runs run_id={run_id} factory={facts.factory}",
        ),
    )


def queued(facts: Facts) -> Diagnosis:
    since = age(facts.run.start, facts.now) if facts.run.start else "an unknown time"
    queue = Queue.of(facts.run, facts.history.runs, facts.estate.definitions.get(facts.run.pipeline))
    others = (*queue.going, *queue.queued)[:5]
    return Diagnosis(
        run=facts.about,
        outcome="queued",
        headline=f"{facts.label} is queued for {since} and has not begun ({facts.timing}).",
        confidence="high",
        confidence_reason="ADF reports it as queued",
        evidence=facts.evidence(*(EvidenceId("pipeline_run", run.run_id) for run in others)),
        evidence_gaps=facts.all_gaps,
        contributing=(*queue.told, *around(facts), *started_by(facts)),
        recommended_actions=tuple(
            Action(
                "See why the run ahead of it goes on; the queue moves when that ends or is cancelled",
                "Runs of one pipeline wait for each other when its concurrency is limited",
                "none",
                f"adf_diagnose_run run_id={run.run_id} factory={facts.factory}",
            )
            for run in queue.going[:1]
        ),
    )


def _kind(run: ActivityRun) -> str:
    return spoken(classify(run.error.message, run.error.code, run.type).category)
