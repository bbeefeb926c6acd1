"""From what was read to what is said: one verdict per state that a run can be in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tools_worker.datafactory import fields
from tools_worker.datafactory.diagnosis.actions import recommend, where_to_look
from tools_worker.datafactory.diagnosis.causes import Cause, handled_failures, zero_row_copies
from tools_worker.datafactory.diagnosis.earlier import overdue, usual_ms
from tools_worker.datafactory.diagnosis.history import History, streak
from tools_worker.datafactory.diagnosis.record import (
    Action,
    Diagnosis,
    EvidenceId,
    MaskedFailure,
    OtherFailure,
    RunFacts,
    Step,
)
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.failures import INSUFFICIENT, Failure, classify
from tools_worker.datafactory.leaves import attempts
from tools_worker.datafactory.models import ActivityRun, PipelineRun
from tools_worker.datafactory.wording import age, at, count, lasted, listed, safe, spoken, stamp

MAX_MESSAGE = 600
MAX_OTHERS = 5


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was read about one run."""

    factory: str
    tree: Node
    history: History
    now: datetime
    gaps: tuple[str, ...] = ()
    contributing: tuple[str, ...] = ()
    impact: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fewer_rows: tuple[MaskedFailure, ...] = ()

    @property
    def run(self) -> PipelineRun:
        return self.tree.run

    @property
    def about(self) -> RunFacts:
        run = self.run
        return RunFacts(
            factory=self.factory,
            pipeline=run.pipeline,
            run_id=run.run_id,
            status=run.status,
            start=stamp(run.start),
            end=stamp(run.end),
            started_by=" ".join(part for part in (run.invoked_by.type, run.invoked_by.name) if part),
            parent_run_id=run.invoked_by.run_id,
        )

    @property
    def label(self) -> str:
        return f"{self.run.pipeline or 'The run'} in {self.factory}"

    @property
    def timing(self) -> str:
        return f"run {self.run.run_id}, started {at(self.run.start)}"


def failed(facts: Facts, causes: Sequence[Cause]) -> Diagnosis:
    """`causes` is not empty, the most telling first."""
    main, others = causes[0], causes[1:]
    failure = main.failure
    confidence, reason = _confidence(facts, main)
    return Diagnosis(
        run=facts.about,
        outcome="failed",
        headline=_failed_headline(facts, main),
        root_cause_path=main.path,
        root_cause_category=failure.category,
        activity_type=main.activity.type if main.activity else "",
        error_code=failure.code,
        error_message=safe(failure.message, MAX_MESSAGE),
        cause=failure.cause,
        transience=_transience(failure, facts.history),
        retry_may_help=failure.retry_may_help,
        owner=failure.owner,
        confidence=confidence,
        confidence_reason=reason,
        evidence=_evidence(main.path, *(cause.path for cause in others[:MAX_OTHERS])),
        evidence_gaps=(*facts.gaps, *_cause_gaps(main)),
        contributing=(*_retries(main), *facts.contributing, *_neighbours(facts.history)),
        recurrence=facts.history.recurrence(failure.signature),
        impact=facts.impact,
        recommended_actions=recommend(main, facts.history),
        masked_failures=(*zero_row_copies(facts.tree), *facts.fewer_rows),
        other_failures=tuple(_other(cause) for cause in others[:MAX_OTHERS]),
        docs=failure.docs,
        notes=facts.notes,
    )


def _transience(failure: Failure, history: History) -> str | None:
    """What usually stays cannot have stayed where a later run succeeded: it passed, or somebody mended it."""
    if failure.transience == "permanent" and history.since_good is not None:
        return "intermittent"
    return failure.transience


def succeeded(facts: Facts) -> Diagnosis:
    hidden = (*handled_failures(facts.tree), *zero_row_copies(facts.tree), *facts.fewer_rows)
    took = f" and took {lasted(facts.run.duration_ms)}" if facts.run.duration_ms is not None else ""
    actions: tuple[Action, ...] = ()
    if any(masked.kind == "handled_failure" for masked in hidden):
        actions = (
            Action("Check the hidden failure: the data of that step may be missing", "ADF calls it Succeeded", "none"),
        )
    return Diagnosis(
        run=facts.about,
        outcome="succeeded",
        headline=f"{facts.label} succeeded{took} ({facts.timing})" + (", but not all went well." if hidden else "."),
        confidence="medium" if facts.gaps else "high",
        confidence_reason="ADF reports the status; the activities were read" + (" in part" if facts.gaps else ""),
        evidence=_with_run(facts, *(EvidenceId("activity_run", masked.activity_run_id) for masked in hidden)),
        evidence_gaps=facts.gaps,
        contributing=facts.contributing,
        recommended_actions=actions,
        masked_failures=hidden,
        notes=facts.notes,
    )


def running(facts: Facts) -> Diagnosis:
    """Still going: what it is doing, and what has failed on the way."""
    going = [group.last for group in attempts(facts.tree.activities) if group.last.status in ("InProgress", "Queued")]
    since = age(facts.run.start, facts.now) if facts.run.start else "an unknown time"
    doing = listed([f"{run.name} ({run.type}, since {at(run.start)})" for run in going], 3)
    broken = [group.last for group in attempts(facts.tree.activities) if group.last.failed]
    already = tuple(f"{run.name} has failed already ({_kind(run)})." for run in broken[:3])
    return Diagnosis(
        run=facts.about,
        outcome="running",
        headline=(
            f"{facts.label} is still running, for {since} ({facts.timing})"
            + (f"; it is working on {doing}." if doing else "; no activity is in progress right now.")
        ),
        confidence="high",
        confidence_reason="ADF reports it as in progress; a cause can be told once it ends",
        evidence=_with_run(facts, *(EvidenceId("activity_run", run.id) for run in (*going, *broken)[:5])),
        evidence_gaps=facts.gaps,
        contributing=(*already, *_usual_duration(facts)),
        recommended_actions=_if_overdue(facts, going),
        notes=facts.notes,
    )


def _if_overdue(facts: Facts, going: Sequence[ActivityRun]) -> tuple[Action, ...]:
    if not overdue(facts.history, facts.now):
        return ()
    place = where_to_look(going[0] if going else None)
    why = "A pipeline has no time-out of its own: what hangs goes on, and is billed, until somebody cancels it"
    return (Action(f"See whether it still moves ({place}); cancel and rerun it if it does not", why, "medium"),)


def queued(facts: Facts) -> Diagnosis:
    since = age(facts.run.start, facts.now) if facts.run.start else "an unknown time"
    ahead = [run for run in facts.history.runs if run.unfinished and run.run_id != facts.run.run_id]
    busy = f"{count(len(ahead), 'other run')} of it {'is' if len(ahead) == 1 else 'are'} unfinished" if ahead else ""
    return Diagnosis(
        run=facts.about,
        outcome="queued",
        headline=f"{facts.label} is queued for {since} and has not begun ({facts.timing}).",
        confidence="high",
        confidence_reason="ADF reports it as queued",
        evidence=_with_run(facts, *(EvidenceId("pipeline_run", run.run_id) for run in ahead[:5])),
        evidence_gaps=facts.gaps,
        contributing=(
            *((f"{busy}: it may wait for the pipeline's concurrency limit.",) if busy else ()),
            *facts.contributing,
        ),
        notes=facts.notes,
    )


def cancelled(facts: Facts, causes: Sequence[Cause]) -> Diagnosis:
    """`causes`: what had failed before it was cancelled, if anything."""
    stopped = [
        group.last for group in attempts(facts.tree.activities) if group.last.status.lower().startswith("cancel")
    ]
    during = f" while {listed([run.name for run in stopped], 3)} was at work" if stopped else ""
    before = tuple(f"Before that {cause.text} failed ({spoken(cause.failure.category)})." for cause in causes[:2])
    path = (Step("pipeline", facts.run.pipeline, facts.run.run_id), *_first_step(stopped))
    return Diagnosis(
        run=facts.about,
        outcome="cancelled",
        headline=f"{facts.label} was cancelled{during} ({facts.timing}).",
        root_cause_path=path,
        root_cause_category="cancelled",
        error_message=safe(facts.run.message, MAX_MESSAGE),
        confidence="high",
        confidence_reason="ADF reports it as cancelled",
        evidence=_evidence(path),
        evidence_gaps=(*facts.gaps, "who cancelled it: ADF's run records do not say, the Activity Log does"),
        contributing=(*before, *facts.contributing),
        impact=facts.impact,
        recommended_actions=(
            Action("Rerun it if its work is still wanted", "Nothing runs it again by itself", "medium"),
        ),
        notes=facts.notes,
    )


def unknown(facts: Facts) -> Diagnosis:
    status = facts.run.status or "no status"
    return Diagnosis(
        run=facts.about,
        outcome="unknown",
        headline=f"{facts.label} has a status this app does not know: {status!r} ({facts.timing}).",
        root_cause_category=INSUFFICIENT,
        error_message=safe(facts.run.message, MAX_MESSAGE),
        confidence_reason="the status is unknown",
        evidence=_with_run(facts),
        evidence_gaps=facts.gaps,
        notes=facts.notes,
    )


def _failed_headline(facts: Facts, main: Cause) -> str:
    """No text of the error itself: it comes from outside, and stays in `error_message`."""
    failure = main.failure
    where = main.text if len(main.path) > 1 else "before any activity could tell"
    kind = "the cause is not clear from the error" if failure.category == INSUFFICIENT else spoken(failure.category)
    side = f" on the {failure.side} side" if failure.side else ""
    codes = listed([code for code in (failure.code and f"error code {failure.code}", failure.numbers) if code])
    ended = f", ended {at(facts.run.end)}" if facts.run.end else ""
    cause = f" {failure.cause.rstrip('.')}." if failure.cause else ""
    return (
        f"{facts.label} failed ({facts.timing}{ended}) at {where}: {kind}{side}{f' ({codes})' if codes else ''}.{cause}"
    )


def _confidence(facts: Facts, main: Cause) -> tuple[Literal["high", "medium", "low"], str]:
    failure = main.failure
    if failure.category == INSUFFICIENT:
        return "low", failure.reason
    if not main.activity or facts.gaps:
        level: Literal["medium", "low"] = "low" if failure.confidence == "low" else "medium"
        why = "not all of the run could be read" if facts.gaps else "only the run's own message tells"
        return level, f"{failure.reason}; {why}"
    return failure.confidence, f"{failure.reason}, in the error of the activity that failed"


def _cause_gaps(main: Cause) -> tuple[str, ...]:
    gaps = []
    if main.activity is None:
        gaps.append("which activity failed: no failed activity run is to be found")
    if main.failure.category == INSUFFICIENT:
        gaps.append(f"the cause: {main.failure.reason}; see {where_to_look(main.activity)}")
    elif main.activity is not None and fields.text(main.activity.output, "runPageUrl"):
        gaps.append(f"the exception itself: it is only in {where_to_look(main.activity)}")
    return tuple(gaps)


def _retries(main: Cause) -> tuple[str, ...]:
    if not main.earlier_attempts:
        return ()
    return (f"Retries are used up: {count(main.earlier_attempts, 'earlier attempt')} failed too.",)


def _neighbours(history: History) -> tuple[str, ...]:
    found = []
    good, in_a_row = history.last_good, streak(history.runs) if history.reaches_now else 0
    if good is not None:
        found.append(f"Last good run before it: {at(good.start)}, run {good.run_id}.")
    elif history.runs and history.complete:
        found.append(f"No run of {history.run.pipeline} succeeded in the seven days before it.")
    if in_a_row > 1:
        found.append(f"The last {in_a_row} runs failed in a row.")
    if (rerun := history.rerun) is not None:
        found.append(f"It was rerun at {at(rerun.start)}: {rerun.status}, run {rerun.run_id}.")
    return tuple(found)


def _usual_duration(facts: Facts) -> tuple[str, ...]:
    usual = usual_ms(facts.history)
    if usual is None:
        return ()
    longer = " It has taken far longer than that already." if overdue(facts.history, facts.now) else ""
    return (f"It usually takes {lasted(round(usual))}.{longer}",)


def _kind(run: ActivityRun) -> str:
    return spoken(classify(run.error.message, run.error.code, run.type).category)


def _other(cause: Cause) -> OtherFailure:
    return OtherFailure(
        path=cause.text,
        category=cause.failure.category,
        error=_error_of(cause.failure),
        activity_run_id=cause.activity.id if cause.activity else "",
        count=cause.alike,
    )


def _error_of(failure: Failure) -> str:
    return safe(failure.message, 200) or failure.code or "no error text"


def _first_step(runs: Sequence[ActivityRun]) -> tuple[Step, ...]:
    return tuple(Step("activity", run.name, run.id) for run in runs[:1])


def _with_run(facts: Facts, *more: EvidenceId) -> tuple[EvidenceId, ...]:
    found = (EvidenceId("pipeline_run", facts.run.run_id), *more)
    return tuple(evidence for evidence in dict.fromkeys(found) if evidence.id)


def _evidence(*paths: Sequence[Step]) -> tuple[EvidenceId, ...]:
    steps = [step for path in paths for step in path]
    found = (EvidenceId(f"{step.kind}_run", step.id) for step in steps if step.id)
    return tuple(dict.fromkeys(found))
