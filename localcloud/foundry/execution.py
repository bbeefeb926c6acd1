"""A run at work: it thinks, calls tools, waits for their answers and ends, outside of any request.

queued → in_progress → (requires_action) → completed | failed | incomplete | cancelled | expired
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass, field

from localcloud.foundry.errors import RunExpired, RunFailed, RunIncomplete
from localcloud.foundry.ids import unix_now
from localcloud.foundry.records import Assistant, Json, Message, Run, Step, Thread, ToolCall, Usage
from localcloud.foundry.service import Service
from localcloud.foundry.starting import make_run
from localcloud.foundry.stream import Events, text_pieces
from localcloud.foundry.thinking.turns import Call, Outcome, Prompt, Said, ThinkingFailed, Turn
from localcloud.foundry.tools.toolbox import Tool
from localcloud.foundry.tools.working import tools_of, work

log = logging.getLogger(__name__)

MAX_ROUNDS = 20
DEPTH_ERROR = "Assistant Tool Call Depth Error"
SORRY = "Sorry, something went wrong."


@dataclass
class Execution:
    service: Service
    run: Run
    events: Events = field(default_factory=Events)
    children: list[Execution] = field(default_factory=list)
    outputs: dict[str, asyncio.Future[str]] = field(default_factory=dict)  # calls the client must answer
    approvals: dict[str, asyncio.Future[bool]] = field(default_factory=dict)  # calls a person must allow
    task: asyncio.Task[None] | None = None
    step: Step | None = None  # the one that is open
    message: Message | None = None  # the one being written
    usage: Usage = field(default_factory=Usage)
    waiting: set[str] = field(default_factory=set)
    _deadline: asyncio.Timeout | None = None
    _began: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        self.tell_run("created")
        self.tell_run("queued")
        self.task = asyncio.create_task(self.work(), name=self.run.id)

    async def work(self) -> None:
        """The whole run. Whatever happens, it ends in a final state."""
        try:
            await self._within_deadline()
        except (RunExpired, TimeoutError):
            self.end("expired")
        except RunIncomplete as stop:
            self.run.incomplete_details = {"reason": stop.reason}
            self.end("incomplete")
        except (RunFailed, ThinkingFailed) as error:
            self.fail(error.code, error.message)
        except asyncio.CancelledError:
            self.end("cancelled")
        except Exception:  # a bug of the stand-in must end the run, as one of the service would
            log.exception("run %s failed", self.run.id)
            self.fail("server_error", SORRY)
        finally:
            await self._stop_children()

    async def _within_deadline(self) -> None:
        async with asyncio.timeout(self.service.settings.expires_seconds) as self._deadline:
            await self._begin()
            await self._converse()

    async def _begin(self) -> None:
        await asyncio.sleep(0)
        self.run.status, self.run.started_at = "in_progress", unix_now()
        self.tell_run("in_progress")
        faults = self.service.faults
        if self.run.depth and (slow := faults.take("slow_child", self.run.assistant_id)) is not None:
            await asyncio.sleep(float(slow.get("ms", 1000)) / 1000)
        if (failed := faults.take("run_failed")) is not None:
            raise RunFailed(failed.get("code", "server_error"), failed.get("message", SORRY))
        if faults.take("run_expired") is not None:
            raise RunExpired
        if faults.take("depth_error") is not None:
            raise RunFailed("server_error", DEPTH_ERROR)

    async def _converse(self) -> None:
        tools = await tools_of(self)
        rounds: list[tuple[Outcome, ...]] = []
        for _ in range(MAX_ROUNDS):
            turn = await self._think(tools, rounds)
            if not turn.calls:
                await self._say(turn)
                return
            rounds.append(await self._work_calls(turn, tools))
        raise RunFailed("server_error", f"The run did not come to an answer within {MAX_ROUNDS} rounds of tool calls.")

    async def _think(self, tools: dict[str, Tool], rounds: list[tuple[Outcome, ...]]) -> Turn:
        settings, stats, began = self.service.settings, self.service.stats, time.perf_counter()
        if settings.turn_ms:
            await asyncio.sleep(settings.turn_ms / 1000)
        stats.turns += 1
        turn = await self.service.thinker.think(self._prompt(tools, rounds))
        stats.thinking_seconds += time.perf_counter() - began
        self.usage += turn.usage
        return turn

    def _prompt(self, tools: dict[str, Tool], rounds: list[tuple[Outcome, ...]]) -> Prompt:
        offers = tuple(tool.offer for tool in tools.values())
        return Prompt(
            model=self.run.model,
            instructions=self.run.instructions,
            messages=tuple(self._messages()),
            offers=() if self.run.options.get("tool_choice") == "none" else offers,
            rounds=tuple(rounds),
            top_level=self.run.depth == 0,
            options=self.run.options,
        )

    def _messages(self) -> list[Said]:
        thread = self.service.store.messages.get(self.run.thread_id, {})
        said = [Said("assistant" if m.role == "assistant" else "user", m.text) for m in thread.values()]
        strategy = self.run.options.get("truncation_strategy") or {}
        last = strategy.get("last_messages") if strategy.get("type") == "last_messages" else None
        return said[-last:] if last else said

    async def _work_calls(self, turn: Turn, tools: dict[str, Tool]) -> tuple[Outcome, ...]:
        """One tool_calls step: all calls of a turn are worked together."""
        self.step = step = self.open_step("tool_calls")
        step.calls = [tool_call(call, tools) for call in turn.calls]
        for index, call in enumerate(step.calls):
            for delta in call.deltas(index):
                self.tell_step_delta(step, delta)
        try:
            async with asyncio.TaskGroup() as group:
                for call in step.calls:
                    group.create_task(work(self, call, tools.get(call.name)))
        except BaseExceptionGroup as errors:
            raise first(errors) from None
        self.resume()
        step.usage = turn.usage
        self.close_step("completed")
        return tuple(Outcome(call, done.output or "") for call, done in zip(turn.calls, step.calls, strict=True))

    def answered(self, call: ToolCall, output: str) -> None:
        """Note a call's output, and tell it to whoever listens."""
        call.output = output
        self.service.stats.tool_output_bytes += len(output.encode())
        if self.step:
            self.tell_step_delta(self.step, call.output_delta(self.step.calls.index(call)))

    def require_action(self) -> None:
        """Show requires_action with the calls now waited for. A first one lengthens the run's life."""
        calls = [call for call in self.step.calls if call.id in self.waiting] if self.step else []
        if self.approvals:
            calls = [call for call in calls if call.id in self.approvals]
        kind = "submit_tool_approval" if self.approvals else "submit_tool_outputs"
        self.run.status = "requires_action"
        self.run.required_action = {"type": kind, kind: {"tool_calls": [call.as_required() for call in calls]}}
        self._lengthen()

    def _lengthen(self) -> None:
        settings = self.service.settings
        self.run.expires_at = int(self.run.created_at + settings.action_expires_seconds)
        if self._deadline:
            left = self._began + settings.action_expires_seconds - time.monotonic()
            self._deadline.reschedule(asyncio.get_running_loop().time() + left)

    def ask_client(self) -> None:
        """Tell a listening client that it is its turn; its stream ends there."""
        self.tell_run("requires_action")
        self.events.done()

    def wait(self, call: ToolCall) -> None:
        """Count a call among those the run visibly waits for."""
        self.waiting.add(call.id)
        self.require_action()

    def arrived(self, call: ToolCall) -> None:
        self.waiting.discard(call.id)
        if not self.waiting:
            self.resume()

    def resume(self) -> None:
        """Back to in_progress. A stream hears of it only after the client's turn, not after a queue's reply."""
        if self.run.status in ("requires_action", "queued"):
            told = self.run.status == "queued"
            self.run.status, self.run.required_action = "in_progress", None
            if told:
                self.tell_run("in_progress")

    async def _say(self, turn: Turn) -> None:
        """The message_creation step: the answer, then the end of the run."""
        filtered = self.service.faults.take("content_filter") is not None
        message = self._open_message()
        await asyncio.sleep(0)
        text = turn.text[: len(turn.text) // 2] if filtered else turn.text
        for index, piece in enumerate(text_pieces(text)):
            self.events.tell("thread.message.delta", message_delta(message, piece, first=index == 0))
        message.content = [{"type": "text", "text": {"value": text, "annotations": []}}]
        cut_short = "content_filter" if filtered else turn.cut_short
        if self.step:
            self.step.usage = turn.usage
        self._close_message("incomplete" if cut_short else "completed")
        if cut_short:
            raise RunIncomplete(cut_short)
        self.end("completed")

    def _open_message(self) -> Message:
        run = self.run
        self.message = message = Message(
            run.thread_id, "assistant", [], assistant_id=run.assistant_id, run_id=run.id, status="in_progress"
        )
        details = {"message_creation": {"message_id": message.id}}
        self.step = self.open_step("message_creation", details)
        self.tell_message("created")
        self.tell_message("in_progress")
        return message

    def _close_message(self, status: str) -> None:
        message = self.message
        if message is None:
            return
        message.status = status
        message.completed_at = unix_now() if status == "completed" else None
        if self.run.thread_id in self.service.store.threads:
            self.service.store.add_message(message)
        self.tell_message(status)
        self.message = None
        self.close_step("completed")

    # Steps

    def open_step(self, kind: str, details: Json | None = None) -> Step:
        step = Step(self.run.thread_id, self.run.id, self.run.assistant_id, kind, details or {})
        self.service.store.add_step(step)
        self.tell_step("created", step)
        self.tell_step("in_progress", step)
        return step

    def close_step(self, status: str, error: Json | None = None) -> None:
        if self.step and self.step.status == "in_progress":
            self.step.end(status, error)
            self.tell_step(status, self.step)
        self.step = None

    # The end

    def fail(self, code: str, message: str) -> None:
        self.run.last_error = {"code": code, "message": message}
        self.end("failed")

    def end(self, status: str) -> None:
        run = self.run
        self.message = None
        self.close_step(status if status in ("failed", "cancelled", "expired") else "completed", run.last_error)
        run.status, run.required_action, run.usage = status, None, self.usage
        run.expires_at = run.expires_at if status == "expired" else None
        stamp = {"completed": "completed_at", "failed": "failed_at", "cancelled": "cancelled_at"}.get(status)
        if stamp:
            setattr(run, stamp, unix_now())
        self.service.stats.runs[status] += 1
        self.tell_run(status)
        self.events.done()

    def cancel(self) -> None:
        self.run.status, self.run.required_action = "cancelling", None
        self.tell_run("cancelling")
        if self.task:
            # Not at once: a task that is cancelled before its first step would never reach its end.
            asyncio.get_running_loop().call_soon(self.task.cancel)

    def spawn(self, assistant: Assistant, query: str) -> Execution:
        """Start a connected agent on a thread of its own, which is all it sees."""
        store = self.service.store
        thread = store.add_thread(Thread())
        content = [{"type": "text", "text": {"value": query, "annotations": []}}]
        store.add_message(Message(thread.id, "user", content))
        run = store.add_run(make_run(self.service.settings, thread, assistant, {}, depth=self.run.depth + 1))
        child = Execution(self.service, run)
        self.service.executions[run.id] = child
        self.children.append(child)
        child.start()
        return child

    async def _stop_children(self) -> None:
        tasks = [child.task for child in self.children if child.task and not child.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Telling

    def tell_run(self, name: str) -> None:
        self.events.tell(f"thread.run.{name}", self.run.as_json())

    def tell_step(self, name: str, step: Step) -> None:
        self.events.tell(f"thread.run.step.{name}", step.as_event(self.run.expires_at))

    def tell_step_delta(self, step: Step, call: Json) -> None:
        delta = {"step_details": {"type": "tool_calls", "tool_calls": [call]}}
        self.events.tell("thread.run.step.delta", {"id": step.id, "object": "thread.run.step.delta", "delta": delta})

    def tell_message(self, name: str) -> None:
        if self.message:
            self.events.tell(f"thread.message.{name}", self.message.as_event())


def tool_call(call: Call, tools: dict[str, Tool]) -> ToolCall:
    tool = tools.get(call.name)
    extra: Json = {"server_label": tool.definition["server_label"]} if tool and tool.kind == "mcp" else {}
    arguments = json.dumps(call.arguments, ensure_ascii=False, separators=(",", ":"))
    return ToolCall(tool.kind if tool else "function", call.name, arguments, extra=extra)


def message_delta(message: Message, piece: str, *, first: bool) -> Json:
    text = {"value": piece, "annotations": []} if first else {"value": piece}
    delta = {"content": [{"index": 0, "type": "text", "text": text}]}
    return {"id": message.id, "object": "thread.message.delta", "delta": delta}


def first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
