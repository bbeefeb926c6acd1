"""From a definition to a simulated run: order, branches, iterations, retries, child runs, and how failure travels up.

Only leaves are told to fail. Everything above follows: the container's "inner activity failed", the skipped, the
"Operation on target ... failed" of each parent, the status and the message of every run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from localcloud.adf import dice
from localcloud.adf.behaviour import Behaviour, Mishap, Rounds, Spot
from localcloud.adf.cancelling import cut
from localcloud.adf.definitions import Activity, child_name
from localcloud.adf.scopes import FAILED, SUCCEEDED, UNFINISHED, Outcome, begins, failed, in_order, verdict
from localcloud.adf.simulated import ActivityRun, Failure, Invoker, Order, PipelineRun

HANDOVER = timedelta(milliseconds=310)  # between one activity and the next
CONTAINER_SECONDS = 0.6
DEEPEST = 12  # pipelines may call each other in a circle; the service refuses at deployment, we stop here
PARALLEL_ROUNDS, MOST_PARALLEL = 20, 50
MOVES_ROWS = frozenset({"Copy", "ExecuteDataFlow"})


@dataclass(slots=True)
class _Frame:
    """One pipeline run while it is being simulated."""

    order: Order
    runs: list[ActivityRun] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _ScopeEnd:
    end: datetime | None
    failures: tuple[tuple[str, Failure], ...]


class Engine:
    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def run(self, order: Order, start: datetime | None) -> PipelineRun:
        """Simulate the run that begins at `start`; None: it waits in the queue for ever."""
        run = PipelineRun(order, None, None, SUCCEEDED) if start is None else self._simulate(order, start)
        cancelled = self._behaviour.cancellation(order.run_id)
        if cancelled is None or (run.end is not None and run.end <= cancelled.moment):
            return run
        return cut(run, cancelled)

    def _simulate(self, order: Order, start: datetime) -> PipelineRun:
        frame = _Frame(order)
        chosen = [a for a in order.pipeline.activities if order.only is None or a.name in order.only]
        scope = self._scope(frame, chosen, start + HANDOVER, ())
        status = FAILED if scope.failures else SUCCEEDED
        message = "\r\n".join(f"Operation on target {name} failed: {f.message}" for name, f in scope.failures)
        frame.runs.sort(key=lambda run: (run.start, run.id))
        end = None if scope.end is None else scope.end + HANDOVER
        return PipelineRun(order, start, end, status, message, tuple(frame.runs))

    def _scope(self, frame: _Frame, activities: Iterable[Activity], start: datetime, iteration: Rounds) -> _ScopeEnd:
        activities = list(activities)
        outcomes: dict[str, Outcome] = {}
        for activity in in_order(activities):
            begin = begins(activity, outcomes, start)
            allowed = verdict(activity, outcomes)
            if allowed == SUCCEEDED:
                outcomes[activity.name] = self._activity(frame, activity, begin + HANDOVER, iteration)
            else:
                outcomes[activity.name] = Outcome(allowed, None if allowed == UNFINISHED else begin)
        ends = [outcome.end for outcome in outcomes.values()]
        end = None if None in ends else max([start, *(e for e in ends if e is not None)])
        failures = [(name, outcomes[name].failure) for name in failed(activities, outcomes)]
        return _ScopeEnd(end, tuple((name, failure) for name, failure in failures if failure is not None))

    def _activity(self, frame: _Frame, activity: Activity, start: datetime, iteration: Rounds) -> Outcome:
        order = frame.order
        spot = Spot(order.origin, order.run_id, order.pipeline.name, activity, iteration, start)
        if activity.inactive_as is not None:
            return self._inactive(frame, spot)
        mishap = self._behaviour.mishap(spot)
        if mishap is not None and (mishap.failure is not None or mishap.hangs):
            return self._attempts(frame, spot, mishap)
        if activity.type == "ForEach":
            return self._for_each(frame, spot)
        if activity.type == "Until":
            return self._until(frame, spot)
        if activity.branches:
            return self._branch(frame, spot)
        if activity.type == "ExecutePipeline":
            return self._call(frame, spot)
        return self._attempts(frame, spot, mishap or Mishap())

    def _inactive(self, frame: _Frame, spot: Spot) -> Outcome:
        self._record(frame, spot, spot.start, "Inactive")
        status = str(spot.activity.inactive_as)
        failure = Failure("Inactive", "The activity is inactive and marked as failed.") if status == FAILED else None
        return Outcome(status, spot.start, failure)

    def _attempts(self, frame: _Frame, spot: Spot, mishap: Mishap) -> Outcome:
        """A leaf, as often as its retry policy allows."""
        start = spot.start
        for attempt in range(spot.activity.retries + 1):
            strikes = mishap.strikes(attempt)
            queued = timedelta(seconds=round(self._behaviour.queue_seconds(replace(spot, start=start)), 3))
            end = self._leaf_end(replace(spot, start=start + queued), mishap, strikes)
            failure = mishap.failure_at(attempt) if strikes else _own_failure(spot.activity)
            run = self._record(
                frame,
                spot,
                end,
                FAILED if failure else SUCCEEDED,
                start=start,
                failure=failure,
                attempt=attempt,
                mishap=mishap,
                queued=queued,
            )
            if end is None:
                return Outcome(UNFINISHED, None)
            if not strikes or attempt == spot.activity.retries:
                break
            start = end + timedelta(seconds=spot.activity.retry_seconds)
        return Outcome(run.status, run.end, run.failure)

    def _leaf_end(self, spot: Spot, mishap: Mishap, strikes: bool) -> datetime | None:
        if mishap.hangs:
            return None
        seconds = self._behaviour.seconds(spot) * mishap.slower
        if strikes and mishap.seconds is not None:
            seconds = mishap.seconds
        return spot.start + timedelta(seconds=round(seconds, 3))

    def _call(self, frame: _Frame, spot: Spot) -> Outcome:
        """ExecutePipeline: a child run of its own; its message becomes the error here."""
        name = child_name(spot.activity)
        pipeline = self._behaviour.pipeline(name) if name else None
        if pipeline is None or frame.order.depth >= DEEPEST:
            missing = Failure(
                "BadRequest", f"The pipeline '{name}' referenced by '{spot.activity.name}' does not exist."
            )
            return self._attempts(frame, spot, Mishap(failure=missing, seconds=1))
        child = self.run(self._child_order(frame, spot, name or ""), spot.start + HANDOVER)
        end, failure = self._returned(spot, child)
        status = FAILED if failure else SUCCEEDED
        self._record(frame, spot, end, status, failure=failure, child=child)
        return Outcome(UNFINISHED if end is None else status, end, failure)

    def _child_order(self, frame: _Frame, spot: Spot, name: str) -> Order:
        pipeline = self._behaviour.pipeline(name)
        assert pipeline is not None
        run_id = dice.identifier("child", frame.order.run_id, spot.activity.name, spot.rounds)
        given = spot.activity.settings.get("parameters")
        return Order(
            run_id=run_id,
            group_id=run_id,
            pipeline=pipeline,
            queued_at=spot.start + HANDOVER,
            invoker=Invoker(
                spot.activity.name, _activity_id(spot, 0), "PipelineActivity", spot.pipeline, frame.order.run_id
            ),
            origin=frame.order.origin,
            parameters={**pipeline.defaults, **(given if isinstance(given, dict) else {})},
            depth=frame.order.depth + 1,
        )

    def _returned(self, spot: Spot, child: PipelineRun) -> tuple[datetime | None, Failure | None]:
        if spot.activity.settings.get("waitOnCompletion", True) is False:
            return spot.start + 2 * HANDOVER, None
        end = None if child.end is None else child.end + HANDOVER
        if child.status == SUCCEEDED:
            return end, None
        message = child.message or f"The pipeline run '{child.id}' was cancelled."
        return end, Failure("BadRequest", message)

    def _branch(self, frame: _Frame, spot: Spot) -> Outcome:
        taken = self._behaviour.branch(spot)
        begin = spot.start + timedelta(seconds=CONTAINER_SECONDS)
        scope = self._scope(frame, spot.activity.branches.get(taken, ()), begin, spot.rounds)
        return self._contained(frame, spot, scope)

    def _until(self, frame: _Frame, spot: Spot) -> Outcome:
        end: datetime | None = spot.start
        failures: list[tuple[str, Failure]] = []
        for index in range(self._behaviour.rounds(spot)):
            if end is None or failures:
                break
            scope = self._scope(frame, spot.activity.branches[""], end, (*spot.rounds, index))
            end = scope.end
            failures += scope.failures
        return self._contained(frame, spot, _ScopeEnd(end, tuple(failures)))

    def _for_each(self, frame: _Frame, spot: Spot) -> Outcome:
        """Items are dealt to the lanes up front, so one slow item holds up its own lane only."""
        begin = spot.start + timedelta(seconds=CONTAINER_SECONDS)
        lanes: list[datetime | None] = [begin] * _lanes(spot.activity)
        failures: list[tuple[str, Failure]] = []
        for index in range(self._behaviour.rounds(spot)):
            lane = index % len(lanes)
            free = lanes[lane]
            if free is None:
                continue
            scope = self._scope(frame, spot.activity.branches[""], free, (*spot.rounds, index))
            lanes[lane] = scope.end
            failures += scope.failures
        end = None if None in lanes else max(lane for lane in lanes if lane is not None)
        return self._contained(frame, spot, _ScopeEnd(end, tuple(failures)))

    def _contained(self, frame: _Frame, spot: Spot, scope: _ScopeEnd) -> Outcome:
        end = None if scope.end is None else scope.end + timedelta(seconds=CONTAINER_SECONDS)
        failure = _inner_failed(*scope.failures[0]) if scope.failures else None
        status = FAILED if failure else SUCCEEDED
        self._record(frame, spot, end, status, failure=failure)
        return Outcome(UNFINISHED if end is None else status, end, failure)

    def _record(
        self,
        frame: _Frame,
        spot: Spot,
        end: datetime | None,
        status: str,
        *,
        start: datetime | None = None,
        failure: Failure | None = None,
        attempt: int = 0,
        child: PipelineRun | None = None,
        mishap: Mishap | None = None,
        queued: timedelta = timedelta(),
    ) -> ActivityRun:
        run = ActivityRun(
            id=_activity_id(spot, attempt),
            activity=spot.activity,
            start=start or spot.start,
            end=end,
            status=status,
            failure=failure,
            attempt=attempt,
            iteration=spot.rounds[0] if spot.rounds else None,
            iteration_hash=dice.token("round", spot.run_id, spot.rounds) if spot.rounds else "",
            child=child,
            rows=self._rows(spot, mishap),
            notes=mishap.notes if mishap else {},
            queued=queued,
        )
        frame.runs.append(run)
        return run

    def _rows(self, spot: Spot, mishap: Mishap | None) -> int | None:
        if spot.activity.type not in MOVES_ROWS:
            return None
        return mishap.rows if mishap and mishap.rows is not None else self._behaviour.rows(spot)


def _activity_id(spot: Spot, attempt: int) -> str:
    return dice.identifier("activity", spot.run_id, spot.activity.name, spot.rounds, attempt)


def _lanes(activity: Activity) -> int:
    if activity.settings.get("isSequential") is True:
        return 1
    asked = activity.settings.get("batchCount")
    return min(asked, MOST_PARALLEL) if isinstance(asked, int) and asked > 0 else PARALLEL_ROUNDS


def _inner_failed(name: str, failure: Failure) -> Failure:
    told = f"Activity failed because an inner activity failed; Inner activity name: {name}, Error: {failure.message}"
    return Failure("ActionFailed", told, failure.type)


def _own_failure(activity: Activity) -> Failure | None:
    """The Fail activity fails because that is its work."""
    if activity.type != "Fail":
        return None
    message, code = activity.settings.get("message"), activity.settings.get("errorCode")
    return Failure(_text(code, "Fail"), _text(message, "The pipeline was failed by its definition."))


def _text(value: object, otherwise: str) -> str:
    return str(value.get("value", otherwise)) if isinstance(value, dict) else str(value or otherwise)
