"""The behaviour of a factory under a scenario: profiles for what is normal, faults for what is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from localcloud.adf import dice, outputs, profile
from localcloud.adf.behaviour import Cancellation, Mishap, Spot
from localcloud.adf.branches import usual_branch
from localcloud.adf.definitions import Activity, Pipeline
from localcloud.adf.factory import Factory
from localcloud.adf.scenario import BadScenario, Congestion, Fault, Profile, Scenario
from localcloud.adf.simulated import Origin
from localcloud.adf.wording import failure_of, timed_out

WEEKEND = 0.55  # of a weekday's rows
DEFAULT_TIMEOUT_SECONDS = 12 * 3600.0


@dataclass(slots=True)
class Aim:
    """Which runs a fault hits, once the schedule is known."""

    origins: set[tuple[str, datetime]] = field(default_factory=set)
    since: datetime | None = None
    label: str | None = None
    always: bool = False

    def first(self, otherwise: datetime) -> datetime:
        """When the first run begins that it hits."""
        return min([*(moment for _, moment in self.origins), *([self.since] if self.since else [])], default=otherwise)

    def hits(self, fault: Fault, origin: Origin) -> bool:
        if origin.label is not None and origin.label == self.label:
            return True
        if origin.label is None and (origin.pipeline, origin.moment) in self.origins:
            return True
        if origin.pipeline != fault.root:
            return False
        if self.since is not None:
            return self.since <= origin.moment
        return self.always


class Scripted:
    """Implements Behaviour for one factory."""

    def __init__(self, factory: Factory, scenario: Scenario, anchor: datetime, seed: int, speed: float = 1.0) -> None:
        self._factory = factory
        self._profiles = {key[1:]: value for key, value in scenario.profiles.items() if key[0] == factory.name}
        self._anchor, self._seed, self._speed = anchor, seed, speed
        self._began = anchor - timedelta(days=scenario.days)
        self._congestion = [each for each in scenario.congestion if each.factory == factory.name]
        for crowd in self._congestion:
            if factory.get("integrationruntimes", crowd.runtime) is None:
                raise BadScenario(f"The scenario crowds {crowd.runtime!r}, which {factory.name!r} does not have.")
        self._faults: dict[tuple[str, str], list[Fault]] = {}
        self.aims: dict[str, Aim] = {}
        self.cancellations: dict[str, Cancellation] = {}
        for fault in scenario.faults:
            if fault.factory == factory.name:
                self.add(fault, Aim(label=fault.when.label, always=fault.when.always))

    def add(self, fault: Fault, aim: Aim) -> None:
        self._faults.setdefault((fault.pipeline, fault.activity), []).append(fault)
        self.aims[fault.id] = aim

    def faults(self) -> Iterable[Fault]:
        return [fault for faults in self._faults.values() for fault in faults]

    def pipeline(self, name: str) -> Pipeline | None:
        return self._factory.pipeline(name)

    def cancellation(self, run_id: str) -> Cancellation | None:
        return self.cancellations.get(run_id)

    def mishap(self, spot: Spot) -> Mishap | None:
        fault = self._fault(spot)
        return _mishap(fault, spot) if fault is not None else None

    def seconds(self, spot: Spot) -> float:
        wanted = self._profile(spot)
        middle = wanted.seconds if wanted.seconds is not None else profile.typical_seconds(spot.activity)
        if spot.activity.type != "Wait":
            days = max(0.0, (spot.start - self._began).total_seconds() / 86400)
            middle *= (1 + wanted.growth_per_day) ** days
            middle = dice.spread(middle, 0.12, self._seed, "seconds", spot.run_id, spot.activity.name, spot.rounds)
        return max(0.05, middle / self._speed_at(spot.start))

    def queue_seconds(self, spot: Spot) -> float:
        crowd = self._crowd(spot)
        if crowd is None or outputs.runtime_of(spot.activity, self._factory) != crowd.runtime:
            return 0.0
        wanted = dice.spread(
            crowd.minutes * 60, 0.15, self._seed, "crowd", spot.run_id, spot.activity.name, spot.rounds
        )
        return wanted / self._speed_at(spot.start)

    def rows(self, spot: Spot) -> int:
        wanted = self._profile(spot)
        middle = wanted.rows if wanted.rows is not None else profile.TYPICAL_ROWS
        quiet = WEEKEND if spot.start.weekday() >= 5 else 1.0
        return round(
            dice.spread(middle * quiet, 0.06, self._seed, "rows", spot.run_id, spot.activity.name, spot.rounds)
        )

    def rounds(self, spot: Spot) -> int:
        wanted = self._profile(spot).rounds
        return wanted if wanted is not None else _rounds(spot.activity)

    def branch(self, spot: Spot) -> str:
        fault = self._fault(spot)
        wanted = fault.branch if fault is not None else self._profile(spot).branch
        return wanted if wanted is not None else usual_branch(spot.activity, self._factory.pipeline)

    def _crowd(self, spot: Spot) -> Congestion | None:
        """Control activities run nowhere, so they wait for nobody."""
        if spot.activity.type in outputs.CONTROL:
            return None
        return next((each for each in self._congestion if each.lasts_at(spot.start, self._anchor)), None)

    def _fault(self, spot: Spot) -> Fault | None:
        for fault in self._faults.get((spot.pipeline, spot.activity.name), ()):
            here = fault.iteration is None or spot.rounds[:1] == (fault.iteration,)
            if here and self.aims[fault.id].hits(fault, spot.origin):
                return fault
        return None

    def _speed_at(self, moment: datetime) -> float:
        """History keeps its real durations; what happens while one looks on may be hurried."""
        return self._speed if moment >= self._anchor else 1.0

    def _profile(self, spot: Spot) -> Profile:
        return self._profiles.get((spot.pipeline, spot.activity.name), Profile())


def _mishap(fault: Fault, spot: Spot) -> Mishap:
    if fault.times_out:
        limit = spot.activity.timeout_seconds or DEFAULT_TIMEOUT_SECONDS
        return Mishap(timed_out(spot.activity), fault.attempts, limit)
    failure = failure_of(spot.activity, fault.error, spot.run_id) if fault.error is not None else None
    earlier = tuple(failure_of(spot.activity, error, spot.run_id) for error in fault.earlier_errors)
    return Mishap(failure, fault.attempts, fault.seconds, fault.hangs, fault.slower, fault.rows, fault.notes, earlier)


def _rounds(activity: Activity) -> int:
    items = activity.settings.get("items")
    if isinstance(items, list):
        return len(items)
    return 2 if activity.type == "Until" else profile.TYPICAL_ROUNDS
