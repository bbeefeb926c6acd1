"""Running functions: context, outputs, time limit, threads for sync ones."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import logging
import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func

from localcloud.host.functions import Function

log = logging.getLogger("Function")


class FunctionFailed(Exception):
    """The function raised or ran out of time; the traceback is in the log."""


class Out(func.Out[Any]):
    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


@dataclass(frozen=True)
class TraceContext:
    trace_parent: str
    trace_state: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RetryContext:
    """Always a first try: queue triggers have redelivery instead."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: None = None


@dataclass(frozen=True)
class Context:
    """What `func.Context` promises."""

    function_name: str
    function_directory: str
    invocation_id: str
    thread_local_storage: threading.local
    trace_context: TraceContext
    retry_context: RetryContext = field(default_factory=RetryContext)


@dataclass(frozen=True)
class Returned:
    value: Any
    outputs: Mapping[str, Any]


def is_cancelled() -> bool:
    """Whether somebody ends this task, and not the function only let a CancelledError of its own out."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def new_trace_parent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


class Invocations:
    def __init__(self, timeout_seconds: float | None, threads: int | None = None) -> None:
        self._timeout_seconds = timeout_seconds
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._thread_local = threading.local()

    async def run(self, function: Function, argument: Any, trace_parent: str | None = None) -> Returned:
        """Raises FunctionFailed, with the traceback logged."""
        context = self._context(function, trace_parent)
        label = f"'Functions.{function.name}' (Id={context.invocation_id}"
        log.info("Executing %s)", label)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_seconds):  # a thread runs on, but is not waited for
                returned = await self._call(function, argument, context)
        except (Exception, asyncio.CancelledError) as exc:
            if is_cancelled():
                raise
            log.exception("Executed %s, Failed)", label)
            raise FunctionFailed(function.name) from exc
        log.info("Executed %s, Succeeded, Duration=%dms)", label, (time.monotonic() - started) * 1000)
        return returned

    def _context(self, function: Function, trace_parent: str | None) -> Context:
        return Context(
            function_name=function.name,
            function_directory=function.directory,
            invocation_id=str(uuid.uuid4()),
            thread_local_storage=self._thread_local,
            trace_context=TraceContext(trace_parent or new_trace_parent()),
        )

    async def _call(self, function: Function, argument: Any, context: Context) -> Returned:
        outs = {output.name: Out() for output in function.named_outputs}
        arguments = {function.trigger.name: argument, **outs}
        if function.wants_context:
            arguments["context"] = context
        value = await self._value(function, arguments, context)
        if value is not None and function.returns is None:
            raise RuntimeError(f"function {function.name!r} without a $return binding returned a value")
        return Returned(value, {name: out.get() for name, out in outs.items() if out.get() is not None})

    async def _value(self, function: Function, arguments: dict[str, Any], context: Context) -> Any:
        self._thread_local.invocation_id = context.invocation_id
        if function.is_async:
            return await function.call(**arguments)

        def call() -> Any:
            self._thread_local.invocation_id = context.invocation_id
            return function.call(**arguments)

        inherited = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, inherited.run, call)
