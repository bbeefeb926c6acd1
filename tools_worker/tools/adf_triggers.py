"""adf_triggers: what starts what and when: state, recurrence, pipelines, next due times, last runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from core.errors import AppError, not_found
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.lateness import pipelines_of
from tools_worker.datafactory.models import Trigger, TriggerRun
from tools_worker.datafactory.schedules import Recurrence, Tumbling
from tools_worker.datafactory.schedules.words import described
from tools_worker.datafactory.survey import survey
from tools_worker.datafactory.wording import at, count, listed, safe, sentences, stamp
from tools_worker.runtime.tables import table
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

MAX_TOLD = 5  # triggers in the summary with all that is known; the others have a short row in the data
FEW = 3  # up to so many have their parameters and further due times in the data
EVENTS = frozenset({"BlobEventsTrigger", "CustomEventsTrigger"})


class TriggersArguments(Arguments):
    trigger: str | None = Field(default=None, max_length=260, description="Name of one trigger, in any case.")
    pipeline: str | None = Field(default=None, max_length=260, description="Only triggers that start this pipeline.")
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")
    days: int = Field(default=7, ge=1, le=45, description="How many days back to look for the last runs.")
    limit: int = Field(default=20, ge=1, le=100, description="How many triggers to list. The counts are of all.")


@dataclass(frozen=True, slots=True)
class Known:
    factory: str
    trigger: Trigger
    next: tuple[datetime, ...]
    last: TriggerRun | None
    subscription: str = ""  # of an event trigger; "unknown" when it could not be asked

    @property
    def started(self) -> bool:
        return self.trigger.state == "Started"


async def adf_triggers(context: ToolContext, args: TriggersArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    asked = await survey(factories, lambda factory: _known(factory, args, context.now))
    found = [each for _, each_factory in asked.answers for each in each_factory]
    if args.trigger and not found and not asked.silent:
        names = [trigger.name for factory in factories for trigger in await factory.triggers()]
        raise not_found("trigger", args.trigger, names, factories[0].name if len(factories) == 1 else "")
    found.sort(key=lambda each: (each.started, each.factory, each.trigger.name))
    return Reply(
        summary=sentences(_summary(found, args, [factory.name for factory, _ in asked.answers]), asked.caveat),
        data={
            "total": len(found),
            "triggers": [_shown(each) for each in found[: args.limit]] if len(found) <= FEW else [],
            "more_triggers": table([_short(each) for each in found[MAX_TOLD : args.limit]], few=0),
            "left_out": max(0, len(found) - max(args.limit, MAX_TOLD)),
        },
        evidence=[
            Evidence("trigger_run", each.last.id, each.factory)
            for each in found[:MAX_TOLD]
            if each.last and each.last.id
        ],
        truncated=len(found) > max(args.limit, MAX_TOLD),
        next=["adf_missed_runs"],
    )


async def _known(factory: DataFactory, args: TriggersArguments, now: datetime) -> list[Known]:
    triggers, fired = await asyncio.gather(factory.triggers(), factory.trigger_runs(now - timedelta(days=args.days)))
    last: dict[str, TriggerRun] = {}
    for run in fired:  # newest first
        last.setdefault(run.trigger, run)
    chosen = [trigger for trigger in triggers if _chosen(trigger, args)]
    states = await asyncio.gather(*(_subscription(factory, trigger) for trigger in chosen))
    return [
        Known(factory.name, trigger, _next(trigger, now), last.get(trigger.name), state)
        for trigger, state in zip(chosen, states, strict=True)
    ]


async def _subscription(factory: DataFactory, trigger: Trigger) -> str:
    if trigger.type not in EVENTS:
        return ""
    try:
        return await factory.event_subscription(trigger.name) or "unknown"
    except AppError:  # one trigger that cannot be asked does not spoil the list
        return "unknown"


def _chosen(trigger: Trigger, args: TriggersArguments) -> bool:
    if args.trigger and trigger.name.casefold() != args.trigger.casefold():
        return False
    return not args.pipeline or args.pipeline.casefold() in {name.casefold() for name in pipelines_of(trigger)}


def _next(trigger: Trigger, now: datetime) -> tuple[datetime, ...]:
    """The next due times. A stopped trigger has none."""
    if trigger.state != "Started":
        return ()
    recurrence = Recurrence.of(trigger.definition) if trigger.type == "ScheduleTrigger" else None
    if recurrence is not None:
        return tuple(due.at for due in recurrence.next(now))
    tumbling = Tumbling.of(trigger.definition) if trigger.type == "TumblingWindowTrigger" else None
    if tumbling is None:
        return ()
    ahead = tumbling.windows(now, now + timedelta(days=62))
    return tuple(end + tumbling.delay for (_, end), _ in zip(ahead, range(3), strict=False))


def _summary(found: Sequence[Known], args: TriggersArguments, factories: Sequence[str]) -> str:
    where = listed([repr(name) for name in factories])
    verb = "starts" if len(found) == 1 else "start"
    starting = f" that {verb} {args.pipeline!r}" if args.pipeline else ""
    if not found:
        return f"No triggers{starting} in {where}."
    stopped = [each.trigger.name for each in found if not each.started]
    idle = [each.trigger.name for each in found if not pipelines_of(each.trigger)]
    deaf = [each.trigger.name for each in found if each.subscription not in ("", "Enabled")]
    return sentences(
        f"{count(len(found), 'trigger')}{starting} in {where}: {len(found) - len(stopped)} started.",
        f"Not started, so they fire nothing: {listed(stopped, MAX_TOLD)}." if stopped else "",
        f"Without a pipeline, so they start nothing: {listed(idle, MAX_TOLD)}." if idle else "",
        f"Event subscription not known to be enabled: {listed(deaf, MAX_TOLD)}." if deaf else "",
        *(_told(each) for each in found[:MAX_TOLD]),
        _more(len(found), args.limit),
    )


def _more(found: int, limit: int) -> str:
    in_data, nowhere = min(found, limit) - MAX_TOLD, found - max(limit, MAX_TOLD)
    rest = f"{nowhere} not listed (limit={found} lists all)." if nowhere > 0 else ""
    return sentences(f"{in_data} more in the data." if in_data > 0 else "", rest)


def _told(each: Known) -> str:
    starts = listed(list(pipelines_of(each.trigger))) or "no pipeline"
    coming = f", next at {at(each.next[0])}" if each.next else ""
    last = _last(each.last)
    events = f", event subscription {each.subscription}" if each.subscription else ""
    state = each.trigger.state or "state unknown"
    return (
        f"{each.trigger.name} in {each.factory} ({state}) starts {starts} {described(each.trigger)}{events}{coming}"
        f"{last}."
    )


def _last(run: TriggerRun | None) -> str:
    if run is None:
        return ", no run in the days looked at"
    return f", last fired {at(run.at)} ({run.status or 'status unknown'}, trigger run {run.id})"


def _short(each: Known) -> dict[str, Any]:
    return {
        "factory": each.factory,
        "trigger": each.trigger.name,
        "state": each.trigger.state or None,
        "when": described(each.trigger),
        "pipelines": listed(list(pipelines_of(each.trigger))),
        "next": stamp(each.next[0]) if each.next else None,
        "last": stamp(each.last.at) if each.last else None,
        "last_status": each.last.status if each.last else None,
    }


def _shown(each: Known) -> dict[str, Any]:
    return {
        "factory": each.factory,
        "trigger": each.trigger.name,
        "type": each.trigger.type or None,
        "state": each.trigger.state or None,
        "when": described(each.trigger),
        "pipelines": dict(list(pipelines_of(each.trigger).items())[:10]),
        "next": [stamp(when) for when in each.next],
        "event_subscription": each.subscription or None,
        "last_run": {
            "id": each.last.id,
            "at": stamp(each.last.at),
            "status": each.last.status,
            "message": safe(each.last.message) or None,
        }
        if each.last
        else None,
    }


TOOL = ToolSpec(
    name="adf_triggers",
    description=(
        "Lists Azure Data Factory triggers: state (started, stopped), type, schedule in words with its time zone, "
        "pipelines and parameters, next due times, event subscription status and last run. Use it for 'when does it "
        "run', 'what starts it' and 'is the trigger on'."
    ),
    arguments=TriggersArguments,
    run=adf_triggers,
)
