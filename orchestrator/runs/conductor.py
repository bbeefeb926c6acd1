"""Serves a run: claims it, has the agents answer it, follows them, and ends it, whatever happens, by its deadline."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from core.errors import AppError, NotFound, UpstreamError, UpstreamThrottled
from core.telemetry import names
from core.telemetry.spans import Attributes, coded, span
from orchestrator import grounding
from orchestrator.actions.binding import Binder, Bound
from orchestrator.agents.lifecycle import Agents
from orchestrator.foundry.classic_errors import ConversationBusy
from orchestrator.foundry.port import AgentRef, AgentService, Call, Turn
from orchestrator.runs import progress
from orchestrator.runs.endings import Endings
from orchestrator.runs.log import RunLog
from orchestrator.runs.record import Event, Run, RunStatus
from orchestrator.runs.signals import Signals
from orchestrator.runs.stopping import stop_agents
from orchestrator.runs.tracing import following
from orchestrator.stores.rows import Changed
from orchestrator.stores.runs import RunStore

log = logging.getLogger("runs")
SILENT_HEARTBEATS = 4  # so many missed in a row, and a run counts as abandoned
CANCEL_LOOK_SECONDS = 2.5
BUSY_SECONDS = 0.5
THROTTLED_SECONDS = 5.0  # where the service does not say for how long


class Conductor:
    """One per process. `owner` names the process in the records it serves."""

    def __init__(
        self,
        store: RunStore,
        service: AgentService,
        agents: Agents,
        signals: Signals,
        now: Callable[[], datetime],
        heartbeat_seconds: float,
        endings: Endings | None = None,
        binder: Binder | None = None,
    ) -> None:
        self.endings, self.binder = endings or Endings(store), binder
        self.store, self.service, self.agents, self.signals, self.now = store, service, agents, signals, now
        self.heartbeat_seconds = heartbeat_seconds
        self.owner = secrets.token_hex(8)

    @property
    def silence(self) -> timedelta:
        return timedelta(seconds=self.heartbeat_seconds * SILENT_HEARTBEATS)

    async def serve(self, run_id: str) -> None:
        """Serve a run to its end, unless it has ended or another process serves it."""
        run = await self._claim(run_id)
        if run is None:
            return
        serving = _Serving(self, RunLog(run, self.store, self.signals, self.now, self.endings))
        with span(names.WORKFLOW, attributes=_about(run)) as traced:
            try:
                with self.signals.serving(run_id):
                    await serving.to_the_end()
            except Changed:
                log.warning("run=%s outcome=taken_over", run_id)
                traced.set({names.OUTCOME: "taken_over"})
                return
            ended = serving.log.run
            traced.set({names.OUTCOME: ended.status})
            if ended.status != "done":
                traced.failed(coded(ended.error_code or ended.status))
        log.info("run=%s outcome=%s seconds=%s", run_id, ended.status, ended.seconds)

    async def _claim(self, run_id: str) -> Run | None:
        try:
            run = await self.store.load(run_id)
        except NotFound:
            log.error("run=%s outcome=unknown", run_id)
            return None
        if run.ended:
            await self.endings.settle(run)
            return None
        if run.owner and not run.abandoned(self.now(), self.silence):
            return None
        again = "Taken up again after its process went away." if run.attempt else "Accepted."
        mine = replace(run, owner=self.owner, attempt=run.attempt + 1, status="working", heartbeat_at=self.now())
        try:
            return await self.store.save(mine, Event(self.now(), "working", again))
        except Changed:
            return None


class _Serving:
    """One attempt at one run."""

    def __init__(self, conductor: Conductor, log: RunLog) -> None:
        self.conductor, self.log = conductor, log
        self.service = conductor.service
        self.turn: Turn | None = None
        self.agent = ""
        self.continued = False  # the session had a conversation before
        self.followed = ""  # the conversation in which a turn may have been started: from then on look before starting

    async def to_the_end(self) -> None:
        left = (self.log.run.deadline_at - self.conductor.now()).total_seconds()
        work = asyncio.create_task(self._converse())
        watch = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({work, watch}, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                stopped = await self._conclude(work)
            elif watch.done():
                watch.result()  # raises Changed where another process took over
                stopped = await self._stop("cancelled", "Cancelled on request.", work)
            else:
                stopped = await self._stop("expired", "No answer by the deadline.", work)
            if stopped:  # else the run stays on the list of active ones, and the sweeper stops its agents
                await self.log.settle()
        finally:
            for task in (work, watch):
                task.cancel()
            await asyncio.gather(work, watch, return_exceptions=True)

    async def _watch(self) -> None:
        """Heartbeats, until somebody asks to cancel."""
        every = self.conductor.heartbeat_seconds
        looks = max(1, round(every / CANCEL_LOOK_SECONDS))
        while True:
            for _ in range(looks):
                await asyncio.sleep(every / looks)
                if await self._cancel_requested():
                    return
            await self._beat()

    async def _cancel_requested(self) -> bool:
        try:
            return await self.conductor.store.cancel_requested(self.log.run.id)
        except UpstreamError:
            return False  # storage hiccups end no question; the next look may see it

    async def _beat(self) -> None:
        try:
            await self.log.write()
        except UpstreamError:
            log.warning("run=%s outcome=heartbeat_failed", self.log.run.id)

    async def _conclude(self, work: asyncio.Task[Turn]) -> bool:
        """Whether no agent is at work any more; the same of `_stop`."""
        try:
            turn = work.result()
        except AppError as exc:
            stopped = await self._stop_agents()  # nobody will read what they still do
            await self._end("failed", str(exc), error_code=exc.code, error=str(exc))
            return stopped
        if turn.status == "done":
            await self._answer(turn)
        elif turn.status == "failed":
            words = turn.error or "The agent service gave no details."
            await self._end("failed", words, error_code=turn.error_code or "agent_failed", error=words, **_spent(turn))
        else:
            text = f"The agent run ended as {turn.status}."
            await self._end(
                turn.status if turn.status == "expired" else "cancelled", text, error_code=turn.status, error=text
            )
        return True

    async def _answer(self, turn: Turn) -> None:
        calls = list(turn.all_calls())
        if not turn.text.strip():
            text = "The agents ended without an answer. Ask again, or name the pipeline or run."
            await self._end("failed", text, error_code="empty_answer", error=text, **_spent(turn))
            return
        bound = await self._bound(calls)
        await self._end(
            "done",
            "Answered.",
            answer=f"{turn.text}\n\n{bound.text}" if bound.text else turn.text,
            actions=bound.ids,
            answered_by=self.conductor.agents.model,
            evidence=grounding.evidence(turn.text, calls),
            unsupported=grounding.unsupported(turn.text, self.log.run.question, calls),
            **_spent(turn),
        )

    async def _bound(self, calls: Sequence[Call]) -> Bound:
        """What the agents proposed becomes actions, or is told."""
        binder = self.conductor.binder
        return await binder.bind(self.log.run, calls) if binder else Bound()

    async def _end(self, state: RunStatus, text: str, **changes: Any) -> None:
        calls = list(self.turn.all_calls()) if self.turn is not None else []
        await self.log.end(state, text, calls, **changes)

    async def _stop(self, state: RunStatus, text: str, work: asyncio.Task[Turn]) -> bool:
        """End without an answer: stop listening, stop the agents, say so."""
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        stopped = await self._stop_agents()
        await self._end(state, text, error_code=state, error=text)
        return stopped

    async def _stop_agents(self) -> bool:
        run = self.log.run
        if self.turn is not None:  # seen, though its id may not have reached the record
            run = replace(run, agent_run=self.turn.ref.id)
        return await stop_agents(self.service, run, just_begun=self.turn is None and bool(self.followed))

    async def _converse(self) -> Turn:
        missing, anew = 0, False
        while True:
            try:
                if anew:
                    await self._open_anew()
                    anew = False
                return await self._turn()
            except ConversationBusy:  # an earlier question of this session is still being answered
                await asyncio.sleep(BUSY_SECONDS)
            except UpstreamThrottled as exc:
                await self.log.tell("working", "The agent service is throttling; waiting.")
                await asyncio.sleep(exc.retry_after_seconds or THROTTLED_SECONDS)
            except NotFound:
                # Somebody deleted our agents or this session's thread: find the agents anew, then open a new thread.
                missing += 1
                if missing > 2:
                    raise
                anew = missing == 2
                self.conductor.agents.forget()

    async def _open_anew(self) -> None:
        await self._enter_conversation(await self.conductor.agents.supervisor(), anew=True)

    async def _turn(self) -> Turn:
        agent = await self.conductor.agents.supervisor()
        self.agent = agent.name
        run = self.log.run
        if not run.conversation:
            run = await self._enter_conversation(agent, anew=False)
        resume = self.log.run.attempt > 1 or self.followed == run.conversation
        self.followed = run.conversation
        text = f"{run.question}\n\n(Factory: {run.factory})" if run.factory else run.question
        if self.continued and self.conductor.binder and (news := await self.conductor.binder.news(run.session_id)):
            text = f"{text}\n\n(What became of what was proposed before:\n{news})"
        with following(agent, self.conductor.agents.model, run.conversation) as seen:
            async with aclosing(self.service.follow(agent, run.conversation, text, run.id, resume=resume)) as turns:
                async for turn in turns:
                    seen(turn)
                    await self._note(turn)
        if self.turn is None:
            raise UpstreamError("The agent service ended the run without a word.", hint="Ask again.")
        return self.turn

    async def _enter_conversation(self, agent: AgentRef, *, anew: bool) -> Run:
        """Save the session's conversation in the run before anything is started on it. The first question opens it."""
        store = self.conductor.store
        session = await store.session(self.log.run.session_id)
        conversation = "" if anew else session.conversation
        self.continued = bool(conversation)
        if not conversation:
            conversation = await self.service.open_conversation(self.log.run.id)
            try:
                await store.save_session(replace(session, conversation=conversation))
            except Changed:  # a question asked at the same moment opened one first
                await self.service.forget_conversation(conversation)
                conversation = (await store.session(session.id)).conversation
        asked = Event(self.conductor.now(), "working", f"Asked {agent.name}.", agent=agent.name)
        return await self.log.write(asked, conversation=conversation)

    async def _note(self, turn: Turn) -> None:
        """Write down what is new. Nothing is written where nothing changed."""
        events = progress.told(self.turn, turn, self.agent, self.conductor.now())
        status: RunStatus = "waiting_tool" if turn.status == "waiting_tool" else "working"
        if events and not turn.ended:
            status = events[-1].state
        started = turn.ref.id and turn.ref.id != self.log.run.agent_run
        if turn.status == "needs_approval" and (self.turn is None or self.turn.status != "needs_approval"):
            await self.service.reject(turn.ref)
            text = "A documentation call asked for an approval nobody can give here; it was refused."
            events.append(Event(self.conductor.now(), "working", text, agent=self.agent))
        self.turn = turn
        if events or started:
            await self.log.write(*events, status=status, agent_run=turn.ref.id)


def _about(run: Run) -> Attributes:
    return {
        names.OPERATION: names.INVOKE_WORKFLOW,
        names.WORKFLOW_NAME: "question",
        names.RUN: run.id,
        names.ATTEMPT: run.attempt,
    }


def _spent(turn: Turn) -> dict[str, int]:
    return {
        "input_tokens": turn.usage.input_tokens,
        "output_tokens": turn.usage.output_tokens,
        "tool_calls": sum(call.kind in ("queue", "mcp") for call in turn.all_calls()),
    }
