"""Tool calls over storage queues: one reader per output queue for the whole process, replies matched by CorrelationId.

The first reply wins. Replies that are late, repeated, unknown or not readable are deleted and counted.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from localcloud.foundry.errors import RunFailed
from localcloud.foundry.faults import Faults
from localcloud.foundry.journal import Journal
from localcloud.foundry.records import Json
from localcloud.foundry.settings import Settings
from localcloud.foundry.stats import Stats
from localcloud.receiving import Receiver
from localcloud.storage_log import StorageLog

BATCH, HIDDEN_SECONDS = 32, 60
REMEMBERED = 10_000  # closed correlation ids, to tell a late or repeated reply from a stranger's
STORAGE_ERRORS = (HttpResponseError, ServiceRequestError, ServiceResponseError)


@dataclass(frozen=True)
class Binding:
    """A queue as a tool definition names it."""

    endpoint: str
    queue: str

    @classmethod
    def of(cls, definition: Json) -> Binding:
        queue = definition["storage_queue"]
        return cls(queue["queue_service_endpoint"], queue["queue_name"])


@dataclass
class Pending:
    reply: asyncio.Future[str]
    run_id: str
    tool: str


@dataclass
class Reader:
    """What one output queue is waiting for."""

    queue: QueueClient
    receiver: Receiver | None = None  # of an emulator's account
    waiting: dict[str, Pending] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Exchange:
    """Sends calls and waits for their replies."""

    def __init__(self, settings: Settings, stats: Stats, faults: Faults, journal: Journal) -> None:
        self._settings, self._stats, self._faults, self._journal = settings, stats, faults, journal
        self._accounts: dict[str, QueueServiceClient] = {}
        self._receivers: dict[str, Receiver] = {}
        self._senders: dict[Binding, QueueClient] = {}
        self._readers: dict[Binding, Reader] = {}
        self._opening: asyncio.Lock = asyncio.Lock()
        self._closed: OrderedDict[str, Literal["answered", "given up"]] = OrderedDict()
        self._log = StorageLog(settings.storage_log) if settings.storage_log else None
        self._listening: asyncio.Task[None] | None = None

    def open(self) -> None:
        if self._log:
            self._listening = asyncio.create_task(self._log.follow(), name="storage log")
        for text in self._settings.queues:
            account = open_account(text)
            self._accounts[address(account.url)] = account
            if receiver := Receiver.of(account):
                self._receivers[address(account.url)] = receiver

    async def close(self) -> None:
        tasks = [task for task in (self._listening, *(reader.task for reader in self._readers.values())) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(account.close() for account in self._accounts.values()))
        await asyncio.gather(*(receiver.close() for receiver in self._receivers.values()))

    async def ask(self, tool: str, arguments: Json, source: Binding, target: Binding, run_id: str) -> str:
        """Send one call and wait for its reply, for ever: the caller owns the deadline."""
        sender, reader = await self._sender(source), await self._reader(target)
        correlation_id = str(uuid.uuid4())
        pending = Pending(asyncio.get_running_loop().create_future(), run_id, tool)
        reader.waiting[correlation_id] = pending
        try:
            text = encode(envelope(self._settings.message_shape, tool, arguments, correlation_id))
            for _ in range(2 if self._faults.strikes("duplicate_call", tool) else 1):
                await self._send(sender, text, run_id, correlation_id)
            reader.wake.set()
            return await pending.reply
        finally:
            reader.waiting.pop(correlation_id, None)
            self._remember(correlation_id, answered=pending.reply.done() and not pending.reply.cancelled())

    async def _send(self, queue: QueueClient, text: str, run_id: str, correlation_id: str) -> None:
        try:
            sent = await queue.send_message(text)
        except STORAGE_ERRORS as error:
            raise RunFailed("server_error", f"Queue '{queue.queue_name}' refused a tool call: {error}") from error
        self._stats.queues["sent"] += 1
        self._journal.write("sent", queue=queue.queue_name, message=sent.id, run=run_id, correlation=correlation_id)

    def _remember(self, correlation_id: str, *, answered: bool) -> None:
        self._closed[correlation_id] = "answered" if answered else "given up"
        if len(self._closed) > REMEMBERED:
            self._closed.popitem(last=False)

    async def _sender(self, binding: Binding) -> QueueClient:
        async with self._opening:
            if binding not in self._senders:
                self._senders[binding] = await self._queue(binding)
        return self._senders[binding]

    async def _reader(self, binding: Binding) -> Reader:
        async with self._opening:
            if binding not in self._readers:
                reader = Reader(await self._queue(binding), self._receivers.get(address(binding.endpoint)))
                if self._log:
                    self._log.when_put(binding.queue, reader.wake.set)
                reader.task = asyncio.create_task(self._read(reader), name=f"reader {binding.queue}")
                self._readers[binding] = reader
        return self._readers[binding]

    async def _queue(self, binding: Binding) -> QueueClient:
        account = self._accounts.get(address(binding.endpoint))
        if account is None:
            known = ", ".join(self._accounts) or "none"
            raise RunFailed(
                "server_error", f"No credential for the queue endpoint '{binding.endpoint}'. Known endpoints: {known}."
            )
        queue = account.get_queue_client(binding.queue)
        try:
            await queue.create_queue()
        except ResourceExistsError:  # answered with 204 when it exists in the same form, else with 409
            return queue
        except HttpResponseError as error:
            raise RunFailed("server_error", f"Queue '{binding.queue}' cannot be used: {error.message}") from error
        return queue

    async def _read(self, reader: Reader) -> None:
        """Poll fast while a call is outstanding, slowly otherwise (late replies must not pile up)."""
        while True:
            reader.wake.clear()  # before the look: what comes during it is looked for once more
            messages = await self._receive(reader)
            if not messages:
                await self._pause(reader)

    async def _pause(self, reader: Reader) -> None:
        if reader.waiting and not self._log:
            await asyncio.sleep(self._settings.output_poll_ms / 1000)
            return
        try:
            await asyncio.wait_for(reader.wake.wait(), self._settings.idle_poll_ms / 1000)
        except TimeoutError:
            return

    async def _receive(self, reader: Reader) -> list[QueueMessage]:
        try:
            messages = await first_page(reader.queue, reader.receiver)
            for message in messages:
                self._accept(reader, message)
            await asyncio.gather(*(delete(reader.queue, message) for message in messages))
        except STORAGE_ERRORS:
            self._stats.queues["read_errors"] += 1
            await asyncio.sleep(0.2)
            return []
        return messages

    def _accept(self, reader: Reader, message: QueueMessage) -> None:
        reply = decode(message.content)
        correlation_id = reply.get("CorrelationId") if reply else None
        pending = reader.waiting.get(correlation_id) if isinstance(correlation_id, str) else None
        tool = pending.tool if pending else ""
        if self._faults.strikes("malformed_reply", tool):
            reply = None
        if reply is None or not isinstance(correlation_id, str) or "Value" not in reply:
            self._count("malformed", reader, message, pending)
            self._fail_if_strict(pending)
        elif pending is None or pending.reply.done():
            self._count(self._why_unwanted(correlation_id, pending), reader, message, pending)
        elif self._faults.strikes("no_reply", tool):
            self._count("dropped", reader, message, pending)
        else:
            self._count("received", reader, message, pending)
            self._deliver(pending, text_of(reply["Value"]))
            if self._faults.strikes("duplicate_reply", tool):
                self._count("duplicate", reader, message, pending)

    def _why_unwanted(self, correlation_id: str, pending: Pending | None) -> str:
        if pending or self._closed.get(correlation_id) == "answered":
            return "duplicate"
        return "late" if correlation_id in self._closed else "unknown"

    def _fail_if_strict(self, pending: Pending | None) -> None:
        if self._settings.strict_replies and pending and not pending.reply.done():
            pending.reply.set_exception(RunFailed("server_error", "Sorry, something went wrong."))

    def _deliver(self, pending: Pending, text: str) -> None:
        def deliver() -> None:
            if not pending.reply.done():
                pending.reply.set_result(text)

        late = self._faults.take("late_reply", pending.tool)
        if late is None:
            deliver()
        else:
            asyncio.get_running_loop().call_later(float(late.get("ms", 1000)) / 1000, deliver)

    def _count(self, kind: str, reader: Reader, message: QueueMessage, pending: Pending | None) -> None:
        self._stats.queues[kind] += 1
        run = pending.run_id if pending else None
        reply = decode(message.content) or {}
        self._journal.write(
            kind, queue=reader.queue.queue_name, message=message.id, run=run, correlation=reply.get("CorrelationId")
        )


def open_account(connection_string: str) -> QueueServiceClient:
    # The default transport looks up netrc and proxies in threads on every request; the default retry begins at 15 s.
    return QueueServiceClient.from_connection_string(
        connection_string,
        transport=AioHttpTransport(use_env_settings=False),
        initial_backoff=1,
        increment_base=2,
        retry_total=2,
    )


async def first_page(queue: QueueClient, receiver: Receiver | None = None) -> list[QueueMessage]:
    """The first page only: asking for more costs a request that finds nothing."""
    if receiver:
        return await receiver.receive(queue.url, BATCH, HIDDEN_SECONDS)
    async for page in queue.receive_messages(messages_per_page=BATCH, visibility_timeout=HIDDEN_SECONDS).by_page():
        return [message async for message in page]
    return []


async def delete(queue: QueueClient, message: QueueMessage) -> None:
    try:
        await queue.delete_message(message)
    except ResourceNotFoundError:
        return


def address(url: str) -> str:
    """An endpoint as a key: host, port and account path, without scheme or trailing slash."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return f"{host}:{parts.port}{parts.path.rstrip('/')}" if parts.port else f"{host}{parts.path.rstrip('/')}"


def envelope(shape: Literal["flat", "wrapped"], tool: str, arguments: Json, correlation_id: str) -> Json:
    """The input message. The service's CorrelationId wins over an argument of that name."""
    if shape == "wrapped":
        return {"function_name": tool, "function_args": arguments, "CorrelationId": correlation_id}
    return {**arguments, "CorrelationId": correlation_id}


def encode(body: Json) -> str:
    return base64.b64encode(json.dumps(body, ensure_ascii=False).encode()).decode()


def decode(content: object) -> Json | None:
    """The reply as an object, or None when it is none."""
    try:
        body = json.loads(base64.b64decode(str(content), validate=True))
    except (binascii.Error, ValueError):
        return None
    return body if isinstance(body, dict) else None


def text_of(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
