"""A factory that lives: triggers fire as the clock goes; runs queue, progress, end, are cancelled and run again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from localcloud.adf import dice, orders, windows
from localcloud.adf.activity_log import Deed
from localcloud.adf.aiming import aim, nth
from localcloud.adf.behaviour import Cancellation
from localcloud.adf.definitions import Json, Pipeline
from localcloud.adf.engine import Engine
from localcloud.adf.factory import Factory, Resource
from localcloud.adf.ledger import Ledger, TriggerRun
from localcloud.adf.pauses import Pauses
from localcloud.adf.scenario import BadScenario, Cancel, Change, Fault, ManualRun, Scenario
from localcloud.adf.schedule import Firing, firings
from localcloud.adf.scripted import Aim, Scripted
from localcloud.adf.simulated import Order, PipelineRun

Fired = tuple[Resource, Firing]
LATEST_START = timedelta(seconds=3)  # so long after a trigger was due its runs have begun


class LivingFactory:
    def __init__(self, factory: Factory, scenario: Scenario, anchor: datetime, seed: int, speed: float = 1.0) -> None:
        self.factory, self.anchor, self.seed = factory, anchor, seed
        self.ledger = Ledger()
        self.script = Scripted(factory, scenario, anchor, seed, speed)
        self._engine = Engine(self.script)
        self._scenario = scenario
        self._asked = 0
        self.switching: dict[str, datetime] = {}  # triggers being started or stopped, and until when
        self.deeds: list[Deed] = []  # what people did, for the Activity Log
        self._waiting = windows.Waiting()
        self._pauses = Pauses(factory, scenario, anchor)
        self._horizon = anchor - timedelta(days=scenario.days)
        self._begin()

    def _begin(self) -> None:
        """The history up to the anchor."""
        fired = list(self._firings(self.anchor))
        moments = _moments(fired)
        for fault in self.script.faults():
            self._aim(fault, moments)
        for cancel in self._scenario.cancels:
            if cancel.factory == self.factory.name:
                self._foresee(cancel, fired)
        placed = [*self._manual_orders(), *(order for one in fired for order in self._orders(*one))]
        for order in sorted(placed, key=lambda order: (order.queued_at, order.run_id)):
            self.place(order)
        self._release(self.anchor)
        for rerun in self._scenario.reruns:
            fault_of = next(f for f in self._scenario.faults if f.id == rerun.fault)
            if fault_of.factory == self.factory.name:
                self._rerun(fault_of, rerun.minutes_after, rerun.activity, rerun.from_failure)
        self.deeds += [*self._pauses.settle(), *map(self._changed, self._changes())]
        self._delete()
        self._horizon = self.anchor

    def advance(self, now: datetime) -> None:
        """Let the triggers fire that are due by now."""
        if now <= self._horizon:
            return
        due = [order for one in self._firings(now) for order in self._orders(*one)]
        self._horizon = now
        for order in sorted(due, key=lambda order: (order.queued_at, order.run_id)):
            self.place(order)
        self._release(now)

    def place(self, order: Order) -> PipelineRun:
        run = self._engine.run(order, self._admitted(order))
        self.ledger.put(run)
        return run

    def create_run(self, pipeline: Pipeline, given: Json, now: datetime) -> PipelineRun:
        return self.place(orders.by_hand(self._next_id(), pipeline, now, given, "asked"))

    def rerun(self, reference: PipelineRun, now: datetime, only: frozenset[str] | None = None) -> PipelineRun:
        """A new run in the group of the old one."""
        pipeline = self.factory.pipeline(reference.order.pipeline.name) or reference.order.pipeline
        order = orders.by_hand(self._next_id(), pipeline, now, reference.order.parameters, "rerun")
        return self.place(replace(order, group_id=reference.order.group_id, only=only))

    def cancel(self, run: PipelineRun, now: datetime, recursive: bool) -> None:
        """Parents, children and whoever waits in the queue behind it are worked out anew."""
        self.script.cancellations[run.id] = Cancellation(now, recursive)
        root = self.ledger.root_of(run.id)
        self.ledger.put(self._engine.run(root.order, root.start))
        for later in self.ledger.roots(root.order.pipeline.name):
            if later.start is None or later.start > now:
                self.ledger.put(self._engine.run(later.order, self._admitted(later.order)))

    def rerun_window(self, old: TriggerRun, trigger: Resource, now: datetime) -> TriggerRun:
        """A tumbling window once more."""
        self._asked += 1
        firing = Firing(old.scheduled_at, old.window_start)
        new_id = orders.trigger_run_id(self.seed, self.factory.name, trigger.name, old.scheduled_at, self._asked)
        run_ids = {}
        for name, given in orders.pipelines_of(trigger.properties):
            pipeline = self.factory.pipeline(name)
            if pipeline is not None:
                fired = (new_id, firing, now)
                order = orders.by_trigger(self._next_id(), pipeline, trigger.name, old.type, fired, given)
                order = replace(order, origin=replace(order.origin, moment=now, label="rerun"))
                run_ids[name] = self.place(order).id
        new = replace(old, id=new_id, fired_at=now, run_ids=run_ids, cancelled=False)
        self.ledger.trigger_runs[new_id] = new
        self._release(now)
        return new

    def _next_id(self) -> str:
        self._asked += 1
        return dice.identifier("asked", self.seed, self.factory.name, self._asked)

    def _firings(self, until: datetime) -> Iterator[Fired]:
        for trigger in self.factory.all("triggers"):
            if trigger.properties.get("runtimeState") == "Started":
                source = (self.seed, self.factory.name, trigger.name)
                moments = firings(trigger.properties, self._horizon, until, source)
                yield from ((trigger, f) for f in moments if not self._pauses.hold(trigger.name, f.moment))

    def _orders(self, trigger: Resource, firing: Firing) -> Iterator[Order]:
        """The runs a firing starts, within a second or two; the trigger's own run is written down."""
        run_id = orders.trigger_run_id(self.seed, self.factory.name, trigger.name, firing.moment)
        if windows.dependencies(trigger.name, trigger.properties):
            self.ledger.trigger_runs[run_id] = self._waiting.add(run_id, trigger, firing)
            return
        yield from self._started(run_id, trigger, firing, firing.moment)

    def _started(self, run_id: str, trigger: Resource, firing: Firing, due: datetime) -> Iterator[Order]:
        kind = str(trigger.properties.get("type"))
        begins = due + timedelta(milliseconds=dice.whole(300, 2400, "late", run_id))
        run_ids: dict[str, str] = {}
        for name, given in orders.pipelines_of(trigger.properties):
            pipeline = self.factory.pipeline(name)
            if pipeline is not None:
                run_ids[name] = self._scheduled_id(trigger, name, firing.moment)
                yield orders.by_trigger(run_ids[name], pipeline, trigger.name, kind, (run_id, firing, begins), given)
        self.ledger.trigger_runs[run_id] = TriggerRun(
            run_id, trigger.name, kind, begins, firing.moment, run_ids, firing.window_start
        )

    def _release(self, now: datetime) -> None:
        """Start the windows whose dependencies have succeeded by now, one after the other as they free each other."""
        for window, ready in self._waiting.freed(self.ledger, now - LATEST_START):
            for order in list(self._started(window.run_id, window.trigger, window.firing, ready)):
                self.place(order)

    def _scheduled_id(self, trigger: Resource, pipeline: str, moment: datetime) -> str:
        return orders.scheduled_run_id(self.seed, self.factory.name, trigger.name, pipeline, moment)

    def _manual_orders(self) -> Iterator[Order]:
        for run in self._scenario.runs:
            if run.factory == self.factory.name:
                order = self._manual_order(run)
                deed = ("pipelines/createrun/action", f"pipelines/{run.pipeline}", run.by)
                self.deeds.append(Deed(order.queued_at, *deed))
                yield order

    def _manual_order(self, run: ManualRun) -> Order:
        begins = self.anchor - timedelta(minutes=run.minutes_ago)
        run_id = dice.identifier("manual", self.seed, run.factory, run.label)
        return orders.by_hand(run_id, self._existing(run.pipeline), begins, run.parameters, run.label)

    def _admitted(self, order: Order) -> datetime | None:
        """When the run leaves the queue: at once, unless as many runs of its pipeline as are allowed are going on."""
        limit = order.pipeline.concurrency
        if limit is None:
            return order.queued_at
        earlier = [r for r in self.ledger.roots(order.pipeline.name) if _before(r.order, order)]
        busy = [r for r in earlier if r.end is None or r.end > order.queued_at]
        if len(busy) < limit:
            return order.queued_at
        frees = sorted(run.end for run in busy if run.end is not None)
        turn = len(busy) - limit
        return frees[turn] if turn < len(frees) else None

    def _aim(self, fault: Fault, moments: dict[str, list[datetime]]) -> None:
        pipeline = self._existing(fault.root)

        def trial(moment: datetime) -> datetime | None:
            run_id = next(self._ids_at(pipeline.name, moment))
            order = orders.by_hand(run_id, pipeline, moment, {}, "")
            order = replace(order, origin=replace(order.origin, label=None))
            return self._engine.run(order, moment + timedelta(seconds=3)).end

        target: Aim = self.script.aims[fault.id]
        aim(fault, target, moments.get(fault.root, []), self.anchor, trial)

    def _ids_at(self, pipeline: str, moment: datetime) -> Iterator[str]:
        for trigger in self.factory.all("triggers"):
            if pipeline in [name for name, _ in orders.pipelines_of(trigger.properties)]:
                yield self._scheduled_id(trigger, pipeline, moment)

    def _foresee(self, cancel: Cancel, fired: list[Fired]) -> None:
        """A cancellation of the scenario must be known before its run is simulated."""
        if cancel.when.label is not None:
            run = next(r for r in self._scenario.runs if r.label == cancel.when.label)
            order = self._manual_order(run)
            run_id = self._called(order, cancel.called) if cancel.called else order.run_id
            self._cancel_at(run_id, order.queued_at, cancel)
        starts = [(f.moment, t) for t, f in fired if cancel.pipeline in dict(orders.pipelines_of(t.properties))]
        by_moment = dict(starts)
        for moment in nth(cancel.when, sorted(by_moment), f"Cancelling {cancel.pipeline!r}"):
            self._cancel_at(self._scheduled_id(by_moment[moment], cancel.pipeline, moment), moment, cancel)

    def _called(self, order: Order, pipeline: str) -> str:
        """The id of the run that the ordered one will call."""
        for run in self._engine.run(order, order.queued_at).family():
            if run.order.pipeline.name == pipeline:
                return run.id
        raise BadScenario(f"{order.pipeline.name!r} does not call {pipeline!r}, which is to be cancelled.")

    def _cancel_at(self, run_id: str, begins: datetime, cancel: Cancel) -> None:
        moment = begins + timedelta(minutes=cancel.minutes_after)
        self.script.cancellations[run_id] = Cancellation(moment, cancel.recursive, cancel.end_unrecorded)
        self.deeds.append(Deed(moment, "pipelineruns/cancel/action", f"pipelineruns/{run_id}", cancel.by))

    def _changes(self) -> list[Change]:
        return [change for change in self._scenario.changes if change.factory == self.factory.name]

    def _delete(self) -> None:
        """What somebody deleted is gone, the runs it had stay."""
        for change in self._changes():
            kind, name = change.resource.split("/")
            if change.operation != "delete":
                continue
            if self.factory.get(kind, name) is None:
                raise BadScenario(
                    f"The scenario deletes {change.resource!r}, which {self.factory.name!r} does not have."
                )
            self.factory.delete(kind, name)

    def _changed(self, change: Change) -> Deed:
        if change.fault is None:
            moment = self.anchor - timedelta(hours=change.hours_ago or 0)
        else:
            struck = self.script.aims[change.fault].first(self.anchor)
            moment = struck - timedelta(minutes=change.minutes_before)
        return Deed(moment, f"{change.resource.split('/')[0]}/{change.operation}", change.resource, change.by)

    def _rerun(self, fault: Fault, minutes: float, activity: str | None, from_failure: bool) -> None:
        hit = self.script.aims[fault.id]
        for run in self.ledger.roots(fault.root):
            if run.end is not None and hit.hits(fault, run.order.origin) and run.order.origin.label is None:
                begins = run.end + timedelta(minutes=minutes)
                if begins < self.anchor:
                    self.rerun(run, begins, self._only(run, activity, from_failure))

    def _only(self, run: PipelineRun, activity: str | None, from_failure: bool) -> frozenset[str] | None:
        if activity is not None:
            return orders.only_from(run.order.pipeline, activity)
        return orders.only_failed(run.order.pipeline, run) if from_failure else None

    def _existing(self, name: str) -> Pipeline:
        pipeline = self.factory.pipeline(name)
        if pipeline is None:
            raise BadScenario(f"The scenario speaks of pipeline {name!r}, which {self.factory.name!r} does not have.")
        return pipeline


def _before(one: Order, other: Order) -> bool:
    return (one.queued_at, one.run_id) < (other.queued_at, other.run_id)


def _moments(fired: list[Fired]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {}
    for trigger, firing in fired:
        for name, _ in orders.pipelines_of(trigger.properties):
            found.setdefault(name, []).append(firing.moment)
    return {name: sorted(moments) for name, moments in found.items()}
