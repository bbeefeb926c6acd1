"""What agents proposed in answering a question becomes actions of whoever asked, or is told as what it is: a proposal.

The agents' own calls are read from the agent service's record of the turn, never from the answer's text. What a call
proposes is planned anew on live state. It is bound only where the caller allowed actions with the question, and the
caller's own words ask for it; so a text in an error message can make a model propose, and nothing more.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, get_args

from core.errors import AppError
from orchestrator.actions.intent import asked_for, own_words
from orchestrator.actions.proposing import Origin, Proposer
from orchestrator.actions.record import Action, Requester, proposal_digest
from orchestrator.foundry.port import Call
from orchestrator.runs.progress import reply_of
from orchestrator.runs.record import Run
from orchestrator.stores.actions import ActionStore
from orchestrator.teams.activity import asked_in_teams
from tools_worker.datafactory.operations.model import Operation, OperationKind
from tools_worker.datafactory.wording import at, count
from tools_worker.runtime.catalogue import BY_NAME

MAX_BOUND = 10  # of one question
BIND_SECONDS = 30.0  # for all of them: the answer waits for it
LOOK_SECONDS = 5.0  # then for finding out whether the one that was begun is kept already
NEWS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bound:
    """`text` tells people, below the answer, what became of each proposal."""

    ids: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Binder:
    proposer: Proposer
    store: ActionStore
    now: Callable[[], datetime]
    link: Callable[[str], str] = lambda _: ""
    seconds: float = BIND_SECONDS

    async def bind(self, run: Run, calls: Iterable[Call]) -> Bound:
        """Never raises for what cannot be proposed, nor for what takes too long: it is told.

        What was proposed twice in a turn is one action."""
        found = list({proposal_digest(operation): operation for operation in proposals(calls)}.values())
        looked_at: list[tuple[str, str]] = []
        wanted = found[:MAX_BOUND]
        with suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                for operation in wanted:
                    looked_at.append(await self._one(run, operation))
        if len(looked_at) < len(wanted) and (begun := await self._begun(run, wanted[len(looked_at)])):
            looked_at.append(begun)
        ids, lines = [each for each, _ in looked_at if each], [line for _, line in looked_at]
        if late := len(wanted) - len(looked_at):
            lines.append(
                f"{count(late, 'more proposal')} of the agents: there was no time to look. GET /api/actions has what "
                "became of them all the same; nothing else was done."
            )
        if len(found) > MAX_BOUND:
            lines.append(
                f"{count(len(found) - MAX_BOUND, 'more proposal')} of the agents: nothing was done about them."
            )
        return Bound(tuple(dict.fromkeys(ids)), "\n".join(dict.fromkeys(lines)))

    async def _begun(self, run: Run, operation: Operation) -> tuple[str, str] | None:
        """The one in hand when time was up may be kept already, and is done then whether it is told or not."""
        with suppress(TimeoutError, AppError):
            async with asyncio.timeout(LOOK_SECONDS):
                action = await self.proposer.made(requester_of(run), _origin(run, operation))
            return (action.id, _told(action, self.link(action.id))) if action else None
        return None

    async def news(self, session_id: str) -> str:
        """What became of a session's actions since yesterday, for the next question in it."""
        known = await self.store.listed(self.now() - NEWS, limit=500)
        mine = [action for action in reversed(known) if action.session_id == session_id]
        return "\n".join(_told(action, "") for action in mine)

    async def _one(self, run: Run, operation: Operation) -> tuple[str, str]:
        requester = requester_of(run)
        try:
            considered = await self.proposer.consider(operation, requester)
            if not run.allow_actions:
                return "", _only_told(considered.plan.title, "the question did not allow actions (allow_actions)")
            if not asked_for(run.question, considered.plan):
                return "", _only_told(considered.plan.title, "the question did not ask for it in so many words")
            if run.factory and run.factory.casefold() != considered.plan.factory_name.casefold():
                return "", _only_told(considered.plan.title, f"the question was about {run.factory}")
            review = not _all_named(run.question, considered.plan.operation)
            origin = replace(_origin(run, operation), review=review)
            action = await self.proposer.propose(operation, requester, origin)
        except AppError as exc:
            return "", f"Not proposed: {operation.kind.replace('_', ' ')}. {exc}"
        return action.id, _told(action, self.link(action.id))


def proposals(calls: Iterable[Call]) -> Iterator[Operation]:
    """Of our own write tools only, as they replied."""
    for call in calls:
        tool = BY_NAME.get(call.name)
        if call.kind != "queue" or tool is None or not tool.writes:
            continue
        reply = reply_of(call)
        if reply.get("ok") is True and (operation := _operation(reply.get("data"))):
            yield operation


def _operation(data: Any) -> Operation | None:
    told = data.get("proposal") if isinstance(data, dict) else None
    if not isinstance(told, dict) or told.get("kind") not in get_args(OperationKind):
        return None
    factory, arguments = told.get("factory"), told.get("arguments")
    if not isinstance(factory, str) or not isinstance(arguments, dict):
        return None
    return Operation(told["kind"], factory, arguments)


def _all_named(question: str, operation: Operation) -> bool:
    """Whether whoever asked gave the values with which a pipeline is to run. A model may have them from anywhere: then
    a person looks at them first."""
    given = operation.arguments.get("parameters")
    words = own_words(question).casefold()
    values = given.values() if isinstance(given, Mapping) else ()
    return all(re.search(rf"(?<!\w){re.escape(_said(value))}(?!\w)", words) is not None for value in values)


def _said(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).casefold()


def _origin(run: Run, operation: Operation) -> Origin:
    return Origin(f"{run.id} {proposal_digest(operation)}", run.question, "", run.id, run.session_id)


def requester_of(run: Run) -> Requester:
    if asked_in_teams(run):
        return Requester("teams", "somebody in Teams", channel="question", agent=True)
    return Requester("key", "somebody with the function key", channel="question", agent=True)


def _only_told(title: str, why: str) -> str:
    return f"Proposed by the agents, and nothing was done: {title}; {why}."


def _told(action: Action, link: str) -> str:
    title = action.plan.title
    if action.state == "waiting":
        until = f", expires {at(action.terms.expires_at)}" if action.terms.expires_at else ""
        where = f" Decide: {link}" if link else ""
        return f"{title}: waiting for approval {action.id}{until}.{where}"
    if action.ended:
        return f"{title} ({action.id}): {action.state.replace('_', ' ')}. {action.outcome}"
    return f"{title} ({action.id}): allowed, being done."
