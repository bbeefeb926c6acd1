"""From what was read to what is said of a run that has ended. `unfinished.py` speaks of the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from tools_worker.datafactory.activity_log import who
from tools_worker.datafactory.diagnosis.actions import recommend, told_elsewhere, where_to_look
from tools_worker.datafactory.diagnosis.causes import Cause, followed, handled_failures, lossy_copies, passed_over
from tools_worker.datafactory.diagnosis.facts import MAX_MESSAGE, Facts, ids_of
from tools_worker.datafactory.diagnosis.history import History, streak
from tools_worker.datafactory.diagnosis.impact import impact
from tools_worker.datafactory.diagnosis.record import Action, Diagnosis, EvidenceId, OtherFailure, Step
from tools_worker.datafactory.diagnosis.surroundings import around, ids, started_by
from tools_worker.datafactory.failures import INSUFFICIENT, Failure
from tools_worker.datafactory.models import CANCELLED, ActivityRun, Change
from tools_worker.datafactory.wording import at, count, lasted, listed, safe, spoken

MAX_OTHERS = 5
MAX_READ = 20_000
HOST = re.compile(
    r"\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}"
    r"(?:windows\.net|azure\.net|azure\.com|azuredatabricks\.net|snowflakecomputing\.com|salesforce\.com|sharepoint\.com)\b",
    re.IGNORECASE,
)


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
        evidence=(*ids_of(main.path, *(cause.path for cause in others[:MAX_OTHERS])), *ids(facts, main)),
        evidence_gaps=(*_cause_gaps(main), *facts.all_gaps),
        contributing=(
            *_places(main),
            *_retries(main),
            *followed(facts.tree, facts.estate.definitions),
            *around(facts, main),
            *_neighbours(facts.history),
            *started_by(facts),
        ),
        recurrence=facts.history.recurrence(failure.signature),
        impact=impact(facts, main),
        recommended_actions=recommend(main, facts.history, facts.factory, gone=facts.gone),
        masked_failures=(
            *passed_over(facts.tree, facts.estate.definitions),
            *lossy_copies(facts.tree),
            *facts.fewer_rows,
        ),
        other_failures=tuple(_other(cause) for cause in others[:MAX_OTHERS]),
        docs=failure.docs,
    )


def _transience(failure: Failure, history: History) -> str | None:
    """What usually stays cannot have stayed where a later run succeeded: it passed, or somebody mended it."""
    if failure.transience == "permanent" and history.since_good is not None:
        return "intermittent"
    return failure.transience


def succeeded(facts: Facts) -> Diagnosis:
    hidden = (*handled_failures(facts.tree, facts.estate.definitions), *lossy_copies(facts.tree), *facts.fewer_rows)
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
        evidence=facts.evidence(*(EvidenceId("activity_run", masked.activity_run_id) for masked in hidden)),
        evidence_gaps=facts.all_gaps,
        contributing=around(facts),
        recommended_actions=actions,
        masked_failures=hidden,
    )


def cancelled(facts: Facts, causes: Sequence[Cause]) -> Diagnosis:
    """`causes`: what had failed before it was cancelled, if anything."""
    stopped = [group.last for group in facts.tree.groups if group.last.status in CANCELLED]
    during = f" while {listed([run.name for run in stopped], 3)} was at work" if stopped else ""
    before = tuple(f"Before that {cause.text} failed ({spoken(cause.failure.category)})." for cause in causes[:2])
    path = (Step("pipeline", facts.run.pipeline, facts.run.run_id), *_first_step(stopped))
    asked = facts.cancel
    by = f" by {who(asked)}" if asked is not None else ""
    return Diagnosis(
        run=facts.about,
        outcome="cancelled",
        headline=f"{facts.label} was cancelled{by}{during} ({facts.timing}).",
        root_cause_path=path,
        root_cause_category="cancelled",
        error_message=safe(facts.run.message, MAX_MESSAGE),
        confidence="high",
        confidence_reason="ADF reports it as cancelled" + (", the Activity Log by whom" if asked else ""),
        evidence=facts.evidence(*ids_of(path), *((EvidenceId("activity_log", asked.id),) if asked else ())),
        evidence_gaps=(*facts.all_gaps, *_by_whom(facts)),
        contributing=(*_asked(asked), *before, *_with_parent(facts), *around(facts), *started_by(facts)),
        impact=impact(facts),
        recommended_actions=(
            Action("Rerun it if its work is still wanted", "Nothing runs it again by itself", "medium"),
        ),
    )


def _asked(cancel: Change | None) -> tuple[str, ...]:
    return (f"{who(cancel)} asked to cancel it at {at(cancel.at)}.",) if cancel is not None else ()


def _by_whom(facts: Facts) -> tuple[str, ...]:
    if facts.cancel is not None or facts.changes.gap:  # the gap says it already
        return ()
    return ("who cancelled it: the Activity Log has no request to cancel this run or one above it",)


def _with_parent(facts: Facts) -> tuple[str, ...]:
    above = [parent for parent in facts.parents if parent.status in CANCELLED]
    return tuple(f"Its parent {parent.pipeline} was cancelled too (run {parent.run_id})." for parent in above[-1:])


def unknown(facts: Facts) -> Diagnosis:
    status = facts.run.status or "no status"
    return Diagnosis(
        run=facts.about,
        outcome="unknown",
        headline=f"{facts.label} has a status this app does not know: {status!r} ({facts.timing}).",
        root_cause_category=INSUFFICIENT,
        error_message=safe(facts.run.message, MAX_MESSAGE),
        confidence_reason="the status is unknown",
        evidence=facts.evidence(),
        evidence_gaps=facts.all_gaps,
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
    elif main.activity is not None and told_elsewhere(main.activity, main.failure.category):
        gaps.append(f"the exception itself: it is only in {where_to_look(main.activity)}")
    return tuple(gaps)


def _places(main: Cause) -> tuple[str, ...]:
    """Which server, account or vault the error speaks of. Names of hosts only: no other words of it."""
    hosts = list(dict.fromkeys(found.lower() for found in HOST.findall(main.failure.message[:MAX_READ])))
    return (f"The error is about {listed(hosts, 2)}.",) if hosts else ()


def _retries(main: Cause) -> tuple[str, ...]:
    if not main.earlier_attempts:
        return ()
    how = f" otherwise: {listed(main.earlier_errors)}" if main.earlier_errors else " in the same way"
    name = main.activity.name if main.activity and main.activity.name else "the activity"
    earlier = count(main.earlier_attempts, "earlier attempt")
    return (f"Retries are used up: all {main.earlier_attempts + 1} attempts of {name} failed; the {earlier}{how}.",)


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
