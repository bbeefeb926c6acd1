"""Messages of our own on storage queues: JSON in base64, as the Functions host reads them."""

from __future__ import annotations

import binascii
import json
import logging
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import UpstreamUnavailable
from core.telemetry import metrics, names
from core.telemetry.messages import sending

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient, QueueServiceClient

log = logging.getLogger("queues")
MAX_POISON, HIDDEN_SECONDS = 32, 60


class Wishes:
    """A queue of wishes about things by their id. The things stand on record: a wish that is lost is made again."""

    def __init__(self, queues: QueueServiceClient, name: str) -> None:
        self._queue = queues.get_queue_client(name)
        self._poison = queues.get_queue_client(f"{name}-poison")

    async def send(self, about: str, delay_seconds: int = 0) -> None:
        """Raises UpstreamUnavailable."""
        await send(self._queue, {"id": about}, delay_seconds)

    async def drain(self) -> int:
        """Put away what the host gave up on."""
        return len([message async for message in poisoned(self._poison)])

    @staticmethod
    def read(body: bytes) -> str:
        """Of a message: what it is about."""
        return str(json.loads(body)["id"])


async def poisoned(queue: QueueClient) -> AsyncIterator[bytes]:
    """Messages that the host gave up on, one page of them. Each is in the log, and deleted once it was dealt with; one
    that is not base64 is empty."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        async for message in queue.receive_messages(
            messages_per_page=MAX_POISON, max_messages=MAX_POISON, visibility_timeout=HIDDEN_SECONDS
        ):
            metrics.count(names.POISONED, 1, {names.QUEUE: queue.queue_name.removesuffix("-poison")})
            log.error("queue=%s message=%s content=%s", queue.queue_name, message.id, str(message.content)[:200])
            yield _decoded(str(message.content))
            await queue.delete_message(message)
    except ResourceNotFoundError:  # nothing was ever poisoned
        return


def _decoded(content: str) -> bytes:
    try:
        return b64decode(content, validate=True)
    except binascii.Error:
        return b""


async def send(queue: QueueClient, content: Mapping[str, Any], delay_seconds: int = 0) -> None:
    """Makes the queue with the first message of an installation. Raises UpstreamUnavailable. The message carries the
    trace that is current, where there is one."""
    with sending(queue.queue_name, content, delay_seconds) as envelope:
        await _put(queue, envelope, delay_seconds)


async def _put(queue: QueueClient, content: Mapping[str, Any], delay_seconds: int) -> None:
    from azure.core.exceptions import (
        HttpResponseError,
        ResourceExistsError,
        ResourceNotFoundError,
        ServiceRequestError,
        ServiceResponseError,
    )

    message = b64encode(json.dumps(content).encode()).decode()
    try:
        try:
            await queue.send_message(message, visibility_timeout=delay_seconds)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                await queue.create_queue()
            await queue.send_message(message, visibility_timeout=delay_seconds)
    except (HttpResponseError, ServiceRequestError, ServiceResponseError) as exc:
        raise UpstreamUnavailable("Queue storage does not answer.", hint="Try again in a minute.") from exc
