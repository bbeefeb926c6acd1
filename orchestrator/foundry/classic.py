"""The classic agent service (assistants, threads, runs) through azure-ai-agents 1.1.0.

A turn is followed by the service's event stream; when the stream breaks, by polling. A run is started with the app's
key in its metadata and never twice: after any doubt the thread's runs are listed and the one with the key is adopted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from azure.ai.agents.aio import AgentsClient
from azure.core.exceptions import HttpResponseError

from core import clients
from core.breaker import Breaker
from core.errors import NotFound, UpstreamError, UpstreamThrottled, UpstreamUnavailable
from orchestrator.foundry import wire
from orchestrator.foundry.classic_errors import BROKEN_CONNECTION, ConversationBusy, translated
from orchestrator.foundry.classic_stream import Body, RawEvents, RunSeen
from orchestrator.foundry.port import AgentRecord, AgentRef, AgentSpec, McpServer, Turn, TurnRef

log = logging.getLogger("foundry")

APP = "adf-ops-agent"  # in the metadata of all that we make, with the deployment: the rest of a project is not ours
START_ATTEMPTS = 3
SILENCE_SECONDS = 120.0  # a stream that says nothing for so long is given up for polling; a tool may take 100
POLL_SECONDS = (0.5, 3.0)  # first and longest wait between two polls


class ClassicAgentService:
    """See port.AgentService. One per event loop and process.

    `deployment` marks what is made here: two installations of this app in one project must not tidy up each other.
    """

    def __init__(self, endpoint: str, *, deployment: str = "", api_version: str = "") -> None:
        options: dict[str, Any] = {"api_version": api_version} if api_version else {}
        self._client = AgentsClient(
            endpoint,
            clients.credential(endpoint),
            transport=clients.transport(),
            per_call_policies=clients.loopback_policies(endpoint),
            **clients.AGENT_PATIENCE,
            **options,
        )
        self._breaker = Breaker("The agent service")
        self._mark = f"{APP}/{deployment}" if deployment else APP

    @contextmanager
    def _beginning(self) -> Iterator[None]:
        """Around what begins something new. What is under way is paid for, and keeps trying to its own deadline."""
        with self._breaker.guarding(), translated():
            yield

    def _ours(self, thing: Mapping[str, Any]) -> bool:
        return (thing.get("metadata") or {}).get("app") == self._mark

    async def close(self) -> None:
        await self._client.close()

    # Agents

    async def agents(self) -> list[AgentRecord]:
        with self._beginning():
            listed = [agent.as_dict() async for agent in self._client.list_agents(limit=100)]
        return [_record(agent) for agent in listed if self._ours(agent)]

    async def create_agent(self, spec: AgentSpec, sub_agents: Mapping[str, AgentRef]) -> AgentRef:
        labels = tuple(tool.label for tool in spec.tools if isinstance(tool, McpServer))
        fingerprint = spec.fingerprint([ref.id for ref in sub_agents.values()])
        metadata = {"app": self._mark, "fingerprint": fingerprint, "mcp": ",".join(labels)}
        with self._beginning():
            made = await self._client.create_agent(body=wire.agent_body(spec, sub_agents, metadata))
        return AgentRef(made.id, spec.name, fingerprint, labels)

    async def delete_agent(self, agent_id: str) -> None:
        try:
            with translated():
                await self._client.delete_agent(agent_id)
        except NotFound:
            return

    # Conversations

    async def open_conversation(self, key: str) -> str:
        with self._beginning():
            return str((await self._client.threads.create(metadata={"app": self._mark, "run": key})).id)

    async def conversations(self, since: datetime, until: datetime) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        with translated():
            async for thread in self._client.threads.list(limit=100):  # newest first
                plain = thread.as_dict()
                opened = _time(plain.get("created_at"))
                if opened < since:
                    break
                if self._ours(plain) and opened < until:
                    found.append((str(plain["id"]), str(plain["metadata"].get("run", ""))))
        return found

    async def forget_conversation(self, conversation: str) -> None:
        try:
            with translated():
                await self._client.threads.delete(conversation)
        except NotFound:
            return

    # Turns

    async def follow(
        self, agent: AgentRef, conversation: str, text: str, key: str, *, resume: bool = False
    ) -> AsyncGenerator[Turn, None]:
        ref = await self.find(conversation, key) if resume else None
        if ref is None:
            self._breaker.check()
            async for turn in self._start_and_stream(agent, conversation, text, key):
                ref = turn.ref
                self._breaker.succeeded()
                yield turn
                if turn.ended:
                    return
        if ref is None:
            self._breaker.failed()
            raise UpstreamUnavailable("The agent service did not start the run.", hint="Try again in a minute.")
        async for turn in self._poll(ref):
            yield turn

    async def find(self, conversation: str, key: str) -> TurnRef | None:
        with translated():
            async for run in self._client.runs.list(conversation, limit=100):
                if (run.metadata or {}).get("run") == key:
                    return TurnRef(conversation, str(run.id))
        return None

    async def reject(self, turn: TurnRef) -> None:
        with translated():
            run = (await self._client.runs.get(turn.conversation, turn.id)).as_dict()
            wanted = ((run.get("required_action") or {}).get("submit_tool_approval") or {}).get("tool_calls") or []
            answers = [{"tool_call_id": call["id"], "approve": False} for call in wanted]
            body: Any = {"tool_approvals": answers}
            await self._client.runs.submit_tool_outputs(turn.conversation, turn.id, body)

    async def cancel(self, turn: TurnRef) -> None:
        await self._cancel(turn)  # first: from here on it asks no sub-agent anew
        with translated():
            calls = wire.calls(await self._steps(turn))
        await asyncio.gather(*(self._cancel(call.turn) for call in calls if call.turn and call.output is None))

    async def _cancel(self, turn: TurnRef) -> None:
        try:
            with translated():
                await self._client.runs.cancel(turn.conversation, turn.id)
        except (NotFound, ConversationBusy):
            return
        except UpstreamError:
            # A run that has just ended, or is being cancelled, refuses with a 400 whose text is not documented.
            if not await self._is_ending(turn):
                raise

    async def _is_ending(self, turn: TurnRef) -> bool:
        with translated():
            run = (await self._client.runs.get(turn.conversation, turn.id)).as_dict()
        return run["status"] == "cancelling" or Turn(turn, wire.status(run)).ended

    async def _start_and_stream(self, agent: AgentRef, conversation: str, text: str, key: str) -> AsyncIterator[Turn]:
        """Start the run and yield it from its event stream for as long as that holds; may end before the run does."""
        body = wire.run_body(agent, text, {"app": self._mark, "run": key})
        for attempt in range(START_ATTEMPTS):
            progress = RunSeen(conversation)
            try:
                async for _ in self._events(conversation, body, progress):
                    await self._read_children(progress)
                    yield progress.turn()
                return
            except (*BROKEN_CONNECTION, HttpResponseError, ValueError) as exc:
                if progress.run:  # it runs, only the stream broke
                    log.warning("conversation=%s outcome=stream_broken error=%s", conversation, exc.__class__.__name__)
                    return
                if isinstance(exc, HttpResponseError) and (exc.status_code or 0) < 500:
                    with translated():
                        raise
                await asyncio.sleep(0.5 * 2**attempt)
            # Whether the service took the request before it failed is unknown: look before sending it again.
            if ref := await self.find(conversation, key):
                yield Turn(ref, "working")
                return

    async def _events(self, conversation: str, body: dict[str, Any], progress: RunSeen) -> AsyncIterator[str]:
        # retry_total=0: azure-core would repeat a POST that failed with 500, and a run would be started twice.
        stream = await self._client.runs.stream(
            conversation,
            body,
            stream=True,
            event_handler=RawEvents(),
            cls=Body,
            retry_total=0,
            read_timeout=SILENCE_SECONDS,
        )
        async with stream as events:
            async for name, data in events:
                if progress.apply(name, data):
                    yield name

    async def _poll(self, ref: TurnRef) -> AsyncIterator[Turn]:
        wait, longest = POLL_SECONDS
        failures = 0
        while True:
            try:
                turn = await self._look(ref)
                failures = 0
            except UpstreamThrottled as exc:
                await asyncio.sleep(exc.retry_after_seconds or longest)
            except UpstreamUnavailable:
                failures += 1
                if failures > 5:
                    raise
            else:
                yield turn
                if turn.ended:
                    return
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, longest)

    async def _look(self, ref: TurnRef) -> Turn:
        with translated():
            run = (await self._client.runs.get(ref.conversation, ref.id)).as_dict()
            steps = await self._steps(ref)
            progress = RunSeen(ref.conversation, run=run, steps={str(step["id"]): step for step in steps})
            if wire.status(run) == "done":
                messages = self._client.messages.list(ref.conversation, run_id=ref.id, order="asc", limit=100)
                progress.messages = {str(m.id): m.as_dict() async for m in messages}
        await self._read_children(progress)
        return progress.turn()

    async def _steps(self, ref: TurnRef) -> list[dict[str, Any]]:
        listed = self._client.run_steps.list(ref.conversation, ref.id, order="asc", limit=100)
        return [step.as_dict() async for step in listed]

    async def _read_children(self, progress: RunSeen) -> None:
        """Read the steps of sub-agents whose ids have come up, once each when they are complete."""
        for call in progress.calls():
            if call.turn and call.ended and call.turn not in progress.children:
                try:
                    with translated():
                        progress.children[call.turn] = await self._steps(call.turn)
                except UpstreamThrottled:
                    continue  # the next look reads them
                except (NotFound, UpstreamUnavailable):
                    # The answer does not depend on them; only evidence and token counts do.
                    log.warning("conversation=%s outcome=child_unreadable", call.turn.conversation)
                    progress.children[call.turn] = []


def _record(agent: Mapping[str, Any]) -> AgentRecord:
    metadata = agent["metadata"]
    labels = tuple(label for label in str(metadata.get("mcp", "")).split(",") if label)
    ref = AgentRef(str(agent["id"]), str(agent.get("name", "")), str(metadata.get("fingerprint", "")), labels)
    return AgentRecord(ref, _time(agent.get("created_at")))


def _time(value: Any) -> datetime:
    """The service writes unix seconds; the SDK's as_dict() keeps them."""
    return datetime.fromtimestamp(value if isinstance(value, int | float) else 0, UTC)
