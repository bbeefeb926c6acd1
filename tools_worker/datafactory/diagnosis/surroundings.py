"""What surrounds a run, in sentences with the ids they rest on: the most telling first."""

from __future__ import annotations

from collections.abc import Sequence

from tools_worker.datafactory.activity_log import who
from tools_worker.datafactory.diagnosis import changes, schedule
from tools_worker.datafactory.diagnosis.causes import Cause
from tools_worker.datafactory.diagnosis.earlier import differences, slower, unusual_time
from tools_worker.datafactory.diagnosis.facts import Facts
from tools_worker.datafactory.diagnosis.record import EvidenceId
from tools_worker.datafactory.diagnosis.waiting import runtime_queues
from tools_worker.datafactory.models import CANCELLED, Change, PipelineRun
from tools_worker.datafactory.wording import at

MAX_IDS = 3


def around(facts: Facts, cause: Cause | None = None) -> tuple[str, ...]:
    alike = same_elsewhere(facts, cause)
    return (
        *_cancelled_children(facts),
        *facts.runtime.told,
        *differences(facts.history),
        *(slower(facts.tree, facts.earlier) if unusual_time(facts.history) else ()),
        *changes.told(changed(facts, cause), facts.run),
        *facts.elsewhere.told(alike),
        *runtime_queues(facts.tree),
    )


def started_by(facts: Facts) -> tuple[str, ...]:
    """The trigger, or the person; and whether the pipeline is still there to be started."""
    by_hand = facts.changes.start_of(facts.run)
    person = (f"{who(by_hand)} started it by hand at {at(by_hand.at)}.",) if by_hand is not None else ()
    return (*_gone(facts), *person, *schedule.told(facts.run, facts.parents, facts.estate, facts.now))


def _gone(facts: Facts) -> tuple[str, ...]:
    if not facts.gone:
        return ()
    name = facts.run.pipeline
    deed = facts.changes.deleted_since(name, facts.run.start)
    by = f": {who(deed)} deleted it at {at(deed.at)}" if deed is not None else ""
    return (f"Pipeline {name} is no longer in the factory{by}.",)


def _cancelled_children(facts: Facts) -> tuple[str, ...]:
    below = [node.run for node in facts.tree.walk() if node is not facts.tree and node.run.status in CANCELLED]
    return tuple(
        f"Child {run.pipeline} was cancelled{_by(facts.changes.cancel_of([run.run_id]))} (run {run.run_id})."
        for run in below[:MAX_IDS]
    )


def _by(cancel: Change | None) -> str:
    return f" by {who(cancel)} at {at(cancel.at)}" if cancel is not None else ""


def ids(facts: Facts, cause: Cause | None = None) -> tuple[EvidenceId, ...]:
    """Of the changes and of the runs elsewhere that `around` speaks of."""
    log = [EvidenceId("activity_log", change.id) for change in changed(facts, cause)[:MAX_IDS]]
    runs = [EvidenceId("pipeline_run", run.run_id) for run in same_elsewhere(facts, cause)[:MAX_IDS]]
    return tuple(each for each in (*log, *runs) if each.id)


def changed(facts: Facts, cause: Cause | None) -> list[Change]:
    """Changes of what the run is made of, since it last went well."""
    pipelines = [step.name for step in cause.path if step.kind == "pipeline"] if cause else _pipelines(facts)
    trigger = schedule.outermost(facts.run, facts.parents).invoked_by.name
    until = facts.run.end or facts.run.start or facts.now
    return facts.changes.of(changes.used_by(pipelines, [trigger], facts.estate), until)


def same_elsewhere(facts: Facts, cause: Cause | None) -> Sequence[PipelineRun]:
    if cause is None:
        return ()
    return facts.elsewhere.alike(cause.failure, {*_pipelines(facts), *(parent.pipeline for parent in facts.parents)})


def _pipelines(facts: Facts) -> list[str]:
    return list(dict.fromkeys(node.run.pipeline for node in facts.tree.walk()))
