"""Queue triggers: poll, keep a message hidden while its function works, then delete it, free it or poison it."""

from __future__ import annotations

import asyncio
import logging

import azure.functions as func
from azure.core.exceptions import AzureError
from azure.functions.queue import QueueMessage
from azure.storage.queue import QueueMessage as StoredMessage

from localcloud.host.functions import Function
from localcloud.host.host_json import QueueSettings
from localcloud.host.invocations import FunctionFailed
from localcloud.host.pace import Pace
from localcloud.host.runner import Runner
from localcloud.host.storage import Queue, decode

log = logging.getLogger("localcloud.host.queues")
REST_AFTER_ERROR_SECONDS = 1.0
LONGEST_HIDING = 7 * 24 * 3600  # of the storage service


class Hiding:
    """Keeps a message invisible to others for as long as a `with` block lasts, renewing at half time."""

    def __init__(self, queue: Queue, message: StoredMessage, seconds: int) -> None:
        self._queue, self._message, self._seconds = queue, message, seconds
        self._over = asyncio.Event()

    async def __aenter__(self) -> None:
        self._renewing = asyncio.create_task(self._renew())

    async def __aexit__(self, *_: object) -> None:
        # Told, not cancelled: a renewal that is cut off may have changed the pop receipt already.
        self._over.set()
        await self._renewing

    async def _renew(self) -> None:
        while not await self._is_over_within(self._seconds / 2):
            try:
                self._message.pop_receipt = await self._queue.hide(self._message, self._seconds)
            except AzureError as exc:
                log.warning("Message %s of %s could not be kept hidden: %s", self._message.id, self._queue.name, exc)

    async def _is_over_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            return False
        return True


class QueueTrigger:
    """One function on one queue. Several hosts may work the same queue."""

    def __init__(
        self,
        function: Function,
        queue: Queue,
        poison: Queue,
        runner: Runner,
        settings: QueueSettings,
        hidden_seconds: int,
        pace: Pace,
    ) -> None:
        self._function, self._queue, self._poison, self._runner = function, queue, poison, runner
        self._settings, self._hidden_seconds, self._pace = settings, hidden_seconds, pace
        self._working: set[asyncio.Task[None]] = set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; then until the functions that run have finished."""
        while not stopping.is_set():
            try:
                await self._poll(stopping)
            except AzureError as exc:
                log.warning("Queue %s cannot be read: %s", self._queue.name, str(exc).splitlines()[0])
                await asyncio.sleep(REST_AFTER_ERROR_SECONDS)
        if self._working:
            await asyncio.wait(self._working)

    async def _poll(self, stopping: asyncio.Event) -> None:
        while len(self._working) > self._settings.new_batch_threshold:
            await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            return
        messages = await self._queue.receive(self._settings.batch_size, self._hidden_seconds)
        for message in messages:
            task = asyncio.create_task(self._work(message))
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        await self._pace.rest(found=bool(messages))

    async def _work(self, message: StoredMessage) -> None:
        try:
            await self._handle(message)
        except AzureError as exc:
            log.warning("Message %s of %s will come again: %s", message.id, self._queue.name, exc)

    async def _handle(self, message: StoredMessage) -> None:
        body = decode(message.content, self._settings.base64)
        if body is None:
            log.error("Message %s of %s is not base64: to the poison queue unread.", message.id, self._queue.name)
            return await self._give_up(message)
        if (message.dequeue_count or 0) > self._settings.max_dequeue_count:  # its hosts died each time
            return await self._give_up(message)
        try:
            async with Hiding(self._queue, message, self._hidden_seconds):
                await self._runner.run(self._function, queue_message(message, body))
        except FunctionFailed:
            return await self._fail(message)
        return await self._queue.delete(message)

    async def _fail(self, message: StoredMessage) -> None:
        if (message.dequeue_count or 0) >= self._settings.max_dequeue_count:
            await self._give_up(message)
        else:
            await self._queue.hide(message, min(int(self._settings.visibility_seconds), LONGEST_HIDING))

    async def _give_up(self, message: StoredMessage) -> None:
        log.warning("Message %s moves to %s.", message.id, self._poison.name)
        await self._poison.send(message.content)
        await self._queue.delete(message)


def queue_message(message: StoredMessage, body: bytes) -> func.QueueMessage:
    return QueueMessage(
        id=message.id,
        body=body,
        dequeue_count=message.dequeue_count,
        insertion_time=message.inserted_on,
        expiration_time=message.expires_on,
        time_next_visible=message.next_visible_on,
        pop_receipt=message.pop_receipt,
    )
