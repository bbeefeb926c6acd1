"""Follows a playbook for an incident, one step at a time; all that it knows stands on the incident.

A rerun is proposed like everybody's: rules, approvals and the executor decide what becomes of it. What did not help is
not tried beyond its limit, and then people hear of it with everything that is known.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import AppError, RequestError, UpstreamError
from core.telemetry import names
from core.telemetry.spans import span
from orchestrator.actions.proposing import Origin, Proposer
from orchestrator.actions.record import Action, Requester
from orchestrator.healing import mapping, waits
from orchestrator.incidents.changes import change
from orchestrator.incidents.record import Entry, Incident, Repair
from orchestrator.notify.cards.incident import incident_card
from orchestrator.notify.port import Notifier
from orchestrator.policy.model import Policy
from orchestrator.policy.playbooks import Mode, Playbook, Step
from orchestrator.stores.actions import ActionStore
from orchestrator.stores.incidents import IncidentStore
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.operations.model import Operation
from tools_worker.datafactory.wording import at, count

log = logging.getLogger("healing")
MAX_RUNS = 5  # of one incident, run again at once; where more failed people look first
REFUSED_SECONDS = (30, 60, 120, 300, 600)  # between proposals of what is refused for now; then people look
LOOK_SECONDS = 5  # at actions that are being done
WAIT_SECONDS = (10, 30, 60)  # between looks at what is waited for
WHO = Requester("playbook", "a playbook", channel="playbook")


@dataclass(frozen=True)
class Healer:
    """`later` has `advance` called for an incident in so many seconds; `look` has its factory looked at."""

    incidents: IncidentStore
    actions: ActionStore
    proposer: Proposer
    factories: Factories
    policy: Callable[[], Policy]
    notifier: Notifier
    later: Callable[[str, int], Awaitable[None]]
    look: Callable[[str], Awaitable[None]]
    now: Callable[[], datetime]
    link: Callable[[str], str] = lambda _: ""

    async def advance(self, incident_id: str) -> None:
        """As far as it goes now. Raises the Upstream family: whoever called comes again."""
        incident = await self.incidents.load(incident_id)
        mode = self.policy().mode_of(incident.factory)
        if not wanted(incident) or mode == "off":
            return
        if incident.repair is None:
            incident = await self._chosen(incident)
        repair = incident.repair
        if repair is None or repair.over:
            return
        if repair.next_at is not None and self.now() < repair.next_at and not await self._done(repair):
            return  # whoever set the time has sent a message for it; were each wake to send one, they would only grow
        playbook = next((each for each in self.policy().playbooks if each.name == repair.playbook), None)
        if playbook is None:
            await self._give_up(incident, f"the playbook {repair.playbook!r} is no more")
        else:
            with span(names.REPAIR, attributes={names.INCIDENT: incident.id}):
                await self._step(incident, repair, playbook, mode)

    async def _done(self, repair: Repair) -> bool:
        """Whether what was begun has ended, so that nothing is waited for."""
        return bool(repair.actions) and all([(await self.actions.load(each)).ended for each in repair.actions])

    async def _chosen(self, incident: Incident) -> Incident:
        found = (incident.category, incident.transience, incident.confidence, incident.pipelines)
        playbook = next((each for each in self.policy().playbooks if each.when.holds(*found)), None)
        if playbook is None:
            text = "No playbook is for such a failure: it is left to people."
            return await self._noted(incident, Repair("", over=True, outcome=text), "left_to_people", text)
        text = f"The playbook {playbook.name!r} is followed."
        return await self._noted(incident, Repair(playbook.name, since=self.now()), "repairing", text)

    async def _step(self, incident: Incident, repair: Repair, playbook: Playbook, mode: Mode) -> None:
        if repair.step >= len(playbook.steps):
            await self._finished(incident, repair)
            return
        step = playbook.steps[repair.step]
        try:
            if step.wait_for is not None:
                await self._wait(incident, repair, step)
            elif step.suggest is not None:
                await self._suggest(incident, repair)
            elif repair.actions:
                await self._see(incident, repair, playbook)
            else:
                await self._rerun(incident, repair, step, mode)
        except RequestError as exc:  # what it is about is gone, or is not what it seemed
            if repair == Repair(repair.playbook, since=repair.since):
                await self._leave(incident, repair, str(exc))
            else:
                await self._give_up(incident, str(exc))

    # What a step does

    async def _wait(self, incident: Incident, repair: Repair, step: Step) -> None:
        begun = repair.since or self.now()
        waited = self.now() - begun
        until = timedelta(minutes=step.minutes or 0)
        if step.wait_for == "time":
            met, told = waited >= until, f"{count(step.minutes or 0, 'minute')} have passed"
        else:
            met, told = await waits.met(step.wait_for or "", await self._factory(incident), incident, begun)
        if met:
            await self._next(incident, repair, f"{told[:1].upper()}{told[1:]}.")
        elif waited >= until:
            await self._give_up(incident, f"after {count(step.minutes or 0, 'minute')} still {told}")
        else:
            pause = next((each for each in WAIT_SECONDS if each * 4 > waited.total_seconds()), WAIT_SECONDS[-1])
            await self._put_off(incident, repair, pause, f"Waiting, at most until {at(begun + until)}: {told}.")

    async def _suggest(self, incident: Incident, repair: Repair) -> None:
        suggestion = await mapping.suggested(await self._factory(incident), incident)
        text = suggestion.told if suggestion else "What to change could not be worked out from the error."
        patch = suggestion.as_data() if suggestion else {}
        ended = replace(repair, over=True, outcome=text, suggestion=patch)
        await self._noted(incident, ended, "suggested" if suggestion else "left_to_people", text)

    async def _rerun(self, incident: Incident, repair: Repair, step: Step, mode: Mode) -> None:
        factory = await self._factory(incident)
        runs = await runs_to_repeat(factory, incident, repair)
        if not runs:
            await self._give_up(incident, "which run to run again is not known")
            return
        if len(runs) > MAX_RUNS:
            await self._give_up(incident, f"{len(runs)} runs failed of it, and that many are not run again unasked")
            return
        proposed = [await self._propose(factory, incident, repair, step, run_id, mode) for run_id in runs]
        titles = "; ".join(f"{each.plan.title} ({each.id})" for each in proposed)
        doing = replace(
            repair,
            actions=tuple(each.id for each in proposed),
            next_at=self.now() + timedelta(seconds=LOOK_SECONDS),
        )
        await self._noted(incident, doing, "proposed", f"Proposed: {titles}.")
        await self.later(incident.id, LOOK_SECONDS)

    async def _propose(
        self, factory: DataFactory, incident: Incident, repair: Repair, step: Step, run_id: str, mode: Mode
    ) -> Action:
        operation = Operation("rerun", factory.id.path, {"run_id": run_id, "mode": step.rerun})
        key = f"{incident.id} {repair.playbook} {repair.step} {repair.attempts} {repair.refusals} {run_id}"
        why = f"Playbook {repair.playbook!r}, for {incident.title}"
        origin = Origin(key, why, incident.id, review=mode == "review")
        return await self.proposer.propose(operation, WHO, origin)

    async def _see(self, incident: Incident, repair: Repair, playbook: Playbook) -> None:
        """What became of the reruns."""
        actions = [await self.actions.load(action_id) for action_id in repair.actions]
        if any(not action.ended for action in actions):
            waiting = all(action.state == "waiting" for action in actions if not action.ended)
            await self._put_off(incident, repair, 60 if waiting else LOOK_SECONDS, "")
            return
        if all(_helped(action) for action in actions):
            await self._next(incident, repair, "What was run again went well.")
            return
        undone = next((action for action in actions if action.state != "done"), None)
        if undone is not None and undone.state == "refused" and repair.refusals < len(REFUSED_SECONDS):
            await self._refused(incident, repair, undone)
            return
        if undone is not None:
            await self._give_up(incident, f"{undone.plan.title} ({undone.id}): {undone.outcome}")
            return
        attempts = repair.attempts + 1
        if attempts >= playbook.attempts:
            await self._give_up(incident, f"it failed again after {count(attempts, 'attempt')}")
            return
        failed = tuple(action.started_run for action in actions if not _helped(action) and action.started_run)
        pause = playbook.pause(attempts)
        again = replace(
            repair,
            attempts=attempts,
            actions=(),
            failed=failed,
            next_at=self.now() + timedelta(minutes=pause),
        )
        await self._noted(incident, again, "repairing", f"It failed again; once more in {count(pause, 'minute')}.")
        await self.later(incident.id, pause * 60)

    async def _refused(self, incident: Incident, repair: Repair, refused: Action) -> None:
        """The state of things may change soon: who called what failed may still be running."""
        pause = REFUSED_SECONDS[repair.refusals]
        again = replace(repair, refusals=repair.refusals + 1, actions=())
        await self._put_off(incident, again, pause, f"Not yet: {refused.outcome}")

    # The record

    async def _next(self, incident: Incident, repair: Repair, text: str) -> None:
        moved = replace(repair, step=repair.step + 1, since=self.now(), actions=(), next_at=None)
        await self._noted(incident, moved, "repairing", text)
        await self.advance(incident.id)

    async def _finished(self, incident: Incident, repair: Repair) -> None:
        text = f"The playbook {repair.playbook!r} came to its end."
        await self._noted(incident, replace(repair, over=True, outcome=text), "repaired", text)
        await self.look(incident.factory)  # which sees the good runs, and closes it

    async def _put_off(self, incident: Incident, repair: Repair, seconds: int, text: str) -> None:
        due = replace(repair, next_at=self.now() + timedelta(seconds=seconds))
        said = not text or any(entry.text == text for entry in incident.timeline)
        await (self._kept(incident, due) if said else self._noted(incident, due, "waiting", text))
        await self.later(incident.id, seconds)

    async def _leave(self, incident: Incident, repair: Repair, why: str) -> None:
        """The playbook does not fit after all, and nothing was done: people know of the incident as it is."""
        text = f"The playbook {repair.playbook!r} cannot be followed: {why.rstrip('.')}. It is left to people."
        await self._noted(incident, replace(repair, over=True, outcome=text), "left_to_people", text)

    async def _give_up(self, incident: Incident, why: str) -> None:
        """People hear of it, with everything that is known."""
        text = f"The app gives up: {why.rstrip('.')}. It is left to people."
        over = replace(incident.repair or Repair(""), over=True, outcome=text)

        def decide(known: Incident) -> Incident:
            if known.ended or (known.repair is not None and known.repair.over):
                return known
            return known.told(Entry(self.now(), "given_up", text), repair=over, status="escalated")

        given_up = await change(self.incidents, incident.id, decide)
        if given_up.repair is not None and given_up.repair.outcome == text and not given_up.ended:
            try:
                await self.notifier.send(incident_card(given_up, "escalated", link=self.link(incident.id)))
            except UpstreamError as exc:  # the escalation path tells of it again
                log.warning("incident=%s outcome=people_not_told error=%s", incident.id, exc)

    async def _kept(self, incident: Incident, repair: Repair) -> Incident:
        return await change(self.incidents, incident.id, lambda known: _with(known, incident, repair))

    async def _noted(self, incident: Incident, repair: Repair, what: str, text: str) -> Incident:
        entry = Entry(self.now(), what, text)
        return await change(self.incidents, incident.id, lambda known: _with(known, incident, repair, entry))

    async def _factory(self, incident: Incident) -> DataFactory:
        return (await self.factories.get(incident.factory)).fresh()


def wanted(incident: Incident) -> bool:
    """Whether there is anything to mend by a playbook, or left of one."""
    over = incident.repair is not None and incident.repair.over
    return incident.kind == "failure" and bool(incident.diagnosis) and not incident.ended and not over


async def runs_to_repeat(factory: DataFactory, incident: Incident, repair: Repair) -> Sequence[str]:
    """After an attempt what failed in it; at first the newest failed run of each pipeline, from the outermost run above
    it, since what it called is called again from there."""
    if repair.attempts:
        return repair.failed
    parents = {ref.run_id for ref in incident.parents}
    newest = {ref.pipeline: ref.run_id for ref in reversed(incident.runs)}  # they are the newest first
    found: dict[str, None] = {}
    for run_id in newest.values():
        run = await factory.pipeline_run(run_id)
        seen = {run.run_id}
        while run.invoked_by.run_id in parents - seen:
            run = await factory.pipeline_run(run.invoked_by.run_id)
            seen.add(run.run_id)
        found[run.run_id] = None
    return list(found)


def _with(known: Incident, seen: Incident, repair: Repair, *entries: Entry) -> Incident:
    """Nothing where somebody went on from the same state meanwhile."""
    if known.ended or known.repair != seen.repair:
        return known
    return known.told(*entries, repair=repair)


def _helped(action: Action) -> bool:
    return action.state == "done" and action.started_status == "Succeeded"


async def advance_all(healer: Healer) -> int:
    """Of all incidents, what no message came for. How many there were."""
    found = [incident for incident in await healer.incidents.active() if wanted(incident)]
    for incident in found:
        try:
            await healer.advance(incident.id)
        except AppError as exc:  # of this one; at the next minute it is tried again
            log.warning("incident=%s outcome=not_advanced error=%s", incident.id, exc)
    return len(found)
