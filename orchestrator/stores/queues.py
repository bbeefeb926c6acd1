"""Messages of our own on storage queues: JSON in base64, as the Functions host reads them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import UpstreamUnavailable

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient


async def send(queue: QueueClient, content: Mapping[str, Any], delay_seconds: int = 0) -> None:
    """Makes the queue with the first message of an installation. Raises UpstreamUnavailable."""
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
