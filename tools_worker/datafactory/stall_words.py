"""What a run that goes on too long waits for, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.stalls import Going
from tools_worker.datafactory.wording import age, at, count, lasted


def within(each: Going, bad: Sequence[Going]) -> bool:
    """Told already, as what another one waits for."""
    others = (other for other in bad if other is not each)
    return any(
        each.run.run_id in {step.run.run_id for step in other.chain[1:]}
        or (other.waits_for is not None and other.waits_for.run_id == each.run.run_id)
        for other in others
    )


def told(each: Going, now: datetime) -> str:
    run = each.run
    old = age(run.start, now) if run.start else "an unknown time"
    usual = f"; usually {lasted(round(each.usual.p50 * 1000))}" if each.usual else ""
    state = "has been queued" if run.status == "Queued" else f"has been {run.status}"
    head = f"{run.pipeline} in {each.factory} {state} for {old} since {at(run.start)}{usual} (run {run.run_id})"
    return f"{head}{_why(each, now)}."


def _why(each: Going, now: datetime) -> str:
    if each.run.status == "Queued":
        return _queued(each)
    if each.waits_for is not None:
        child = f"{each.waits_for.pipeline} (run {each.waits_for.run_id})"
        return f", waiting for its child {child}, which is queued{_queued(each.held_by) if each.held_by else ''}"
    if each.deepest is None:
        return ", with no activity in progress" if each.reason == "nothing_in_progress" else ""
    return _inside(each, now)


def _inside(each: Going, now: datetime) -> str:
    """The deepest activity in progress, and the child runs on the way to it."""
    assert each.deepest is not None  # asked before
    activity, run = each.deepest.activity, each.deepest.run
    since = f" for {age(activity.start, now)}" if activity.start else ""
    named = f"activity {activity.name} ({activity.type or 'type unknown'})"
    child = f" of its child {_child(run, len(each.chain) - 1)}" if len(each.chain) > 1 else ""
    if activity.status == "Queued":
        return (
            f", its {named}{child} is queued{since}, so its integration runtime has no room or no node "
            "(this is not the pipeline's concurrency)"
        )
    return f", in {named}{child}{since}"


def _child(run: PipelineRun, depth: int) -> str:
    return f"{run.pipeline} (run {run.run_id}{f', {depth} levels down' if depth > 1 else ''})"


def _queued(each: Going) -> str:
    """Why a queued run does not begin, as far as the definition tells."""
    if each.behind_concurrency:
        first = each.ahead[0]
        return (
            f", behind its concurrency of {each.concurrency}: run {first.run_id} has the place since "
            f"{at(first.start)}, with {count(len(each.ahead), 'run')} in progress and {each.queued} queued"
        )
    if each.concurrency:
        return (
            f", although only {len(each.ahead)} of the {each.concurrency} runs that its concurrency allows are in "
            "progress: the limit is elsewhere"
        )
    return ", and its definition sets no concurrency that would hold it back" if each.unlimited else ""
