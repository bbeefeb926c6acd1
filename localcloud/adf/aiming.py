"""Which runs a scenario means by "the last one": settled when the world begins, from the schedule of its triggers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from localcloud.adf.scenario import BadScenario, Fault, When
from localcloud.adf.scripted import Aim

Trial = Callable[[datetime], datetime | None]  # when the scheduled run of that moment would end; None: never


def aim(fault: Fault, target: Aim, moments: Sequence[datetime], anchor: datetime, trial: Trial) -> None:
    """Complete `target` for the fault; `moments` are the scheduled starts of its root pipeline, oldest first."""
    wanted = max([*fault.when.latest, fault.when.since_latest or 0])
    if fault.when.since_hours is not None:
        target.since = anchor - timedelta(hours=fault.when.since_hours)
    if not wanted:
        return
    ended = _ended(fault, target, moments, anchor, trial, wanted)
    target.origins.update((fault.root, ended[n - 1]) for n in fault.when.latest)
    if fault.when.since_latest:
        target.since = ended[fault.when.since_latest - 1]


def nth(when: When, moments: Sequence[datetime], what: str) -> list[datetime]:
    """The scheduled starts that a cancellation means."""
    if len(moments) < max(when.latest, default=0):
        raise BadScenario(f"{what}: the schedule has only {len(moments)} runs before the world begins.")
    return [moments[-n] for n in when.latest]


def _ended(
    fault: Fault, target: Aim, moments: Sequence[datetime], anchor: datetime, trial: Trial, wanted: int
) -> list[datetime]:
    """The latest scheduled starts, newest first, that had ended by the anchor although the fault struck them."""
    found: list[datetime] = []
    for moment in reversed(moments):
        struck = (fault.root, moment)
        target.origins.add(struck)
        end = trial(moment)
        target.origins.discard(struck)
        if fault.hangs or (end is not None and end <= anchor):
            found.append(moment)
        if len(found) == wanted:
            return found
    raise BadScenario(
        f"Fault {fault.id!r} wants the {wanted} latest runs of {fault.root!r}, the schedule has {len(found)}."
    )
