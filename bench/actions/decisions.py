"""Decisions at once: many persons, four processes, the same approvals. Each is decided once, and none is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.actions import workshop
from bench.actions.lane import Lane, lane
from bench.actions.people import ANA, APPROVERS, LAST, OPERATOR, READER, Person
from bench.actions.verdict import Answer, Decided

PROCESSES = 4
EACH = 10  # decisions on one approval
BLOCK = 5  # approvals that are decided on at the same time
WRONG = "0" * 64  # the digest of what nobody was shown


@dataclass(frozen=True, slots=True)
class Decision:
    """`may`: whether it may count at all: somebody with the role, not the proposer's own yes, about what was shown."""

    id: str
    who: str
    decision: str
    digest: str
    may: bool


async def run(approvals: int, seed: int) -> list[Decided]:
    failing = workshop.names(approvals)
    async with lane("decisions", failing, PROCESSES) as made:
        waiting = await proposed(made, failing)
        offered = mixed(waiting, random.Random(seed))
        answers = await offer(made, offered)
        left = await undecided(made, waiting)
        answers += await offer(made, [last for action in left for last in closing(action)])
        records, reruns = await executed(made), await rerun(made)
        return [
            Decided.of(
                records[action["id"]],
                [each for each in answers if each.id == action["id"]],
                reruns.get(action["pipeline"], []),
            )
            for action in waiting
        ]


async def proposed(made: Lane, failing: Sequence[str]) -> list[dict[str, Any]]:
    """By ana, who may therefore approve none of them. All processes propose, each its share."""
    failed = {run["pipelineName"]: run["runId"] for run in await made.standin.runs() if run["status"] == "Failed"}
    given = {name: {"run_id": failed[name], "mode": "from_failure"} for name in failing}
    jobs = [{"kind": "rerun", "arguments": arguments, "key": name} for name, arguments in given.items()]
    shares = [jobs[n :: len(made.instances)] for n in range(len(made.instances))]
    found = await asyncio.gather(
        *(
            instance.tell({"job": "propose", "proposals": share})
            for instance, share in zip(made.instances, shares, strict=True)
        )
    )
    actions = [action for told in found if told for action in told["actions"]]
    if any(action["state"] != "waiting" for action in actions) or len(actions) != len(failing):
        raise RuntimeError(f"All proposals should wait: {[each['state'] for each in actions]}")
    return actions


def mixed(waiting: Sequence[dict[str, Any]], dice: random.Random) -> list[Decision]:
    """EACH on every approval: most in earnest, some about something else, some by persons who have no say. Those on the
    same approval come close together, so that they meet."""
    found: list[Decision] = []
    for number, action in enumerate(waiting):
        if number % BLOCK == 0:
            _shuffle_last(found, BLOCK * EACH, dice)
        for _ in range(EACH):
            who, decision, digest = _one(action["digest"], dice)
            own_yes = decision == "approve" and who is ANA
            decides = "approver" in who.roles or (decision == "withdraw" and who is ANA)
            shown = digest == action["digest"] or decision == "withdraw"  # which names no plan: it undoes
            found.append(Decision(action["id"], who.name, decision, digest, decides and shown and not own_yes))
    _shuffle_last(found, (len(waiting) % BLOCK or BLOCK) * EACH, dice)
    return found


def _shuffle_last(found: list[Decision], count: int, dice: random.Random) -> None:
    last = found[-count:]
    dice.shuffle(last)
    found[-count:] = last


def _one(digest: str, dice: random.Random) -> tuple[Person, str, str]:
    chance = dice.random()
    if chance < 0.45:
        return dice.choice(APPROVERS), "approve", digest
    if chance < 0.55:
        return dice.choice(APPROVERS), "decline", digest
    if chance < 0.60:
        return ANA, "withdraw", digest
    if chance < 0.70:
        return dice.choice(APPROVERS), "withdraw", digest
    if chance < 0.80:
        return dice.choice((*APPROVERS, LAST)), dice.choice(("approve", "decline")), WRONG
    if chance < 0.90:
        return dice.choice((READER, OPERATOR)), dice.choice(("approve", "decline")), digest
    return ANA, "approve", digest


def closing(action: dict[str, Any]) -> list[Decision]:
    """For what nobody has decided in the end, as where a yes was taken back."""
    told = {each["by"] for each in action["approvals"]}
    people = [person for person in (LAST, *APPROVERS) if person.address not in told]
    needed = action["approvals_needed"] - len(told)
    return [Decision(action["id"], person.name, "approve", action["digest"], True) for person in people[:needed]]


async def offer(made: Lane, decisions: Sequence[Decision]) -> list[Answer]:
    """To the processes in turn, all at once."""
    shares = [decisions[n :: len(made.instances)] for n in range(len(made.instances))]
    told = await asyncio.gather(
        *(
            instance.tell({"job": "decide", "decisions": [_job(each) for each in share]})
            for instance, share in zip(made.instances, shares, strict=True)
        )
    )
    return [
        Answer(each.id, each.who, each.decision, each.may, answer["status"], answer["state"])
        for share, answered in zip(shares, told, strict=True)
        for each, answer in zip(share, answered["answers"] if answered else (), strict=True)
    ]


def _job(decision: Decision) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in ("id", "who", "decision", "digest")}


async def undecided(made: Lane, waiting: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    told = await made.instances[0].tell({"job": "list"})
    known = {each["id"]: each for each in (told or {})["records"]}
    return [known[each["id"]] for each in waiting if known[each["id"]]["state"] == "waiting"]


async def executed(made: Lane) -> dict[str, Any]:
    """By all processes at once, each with the same queue and the same timer."""
    await asyncio.gather(*(instance.tell({"job": "work"}) for instance in made.instances))
    told = await made.instances[0].tell({"job": "list"})
    return {each["id"]: each for each in (told or {})["records"]}


async def rerun(made: Lane) -> dict[str, list[str]]:
    """What Data Factory shows: by pipeline, the runs that were started since."""
    found: dict[str, list[str]] = {}
    for run in await made.standin.runs():
        if run["runId"] != run["runGroupId"]:
            found.setdefault(run["pipelineName"], []).append(run["runId"])
    return found
