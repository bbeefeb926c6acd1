"""Messages of an emulator's queue at the price of one small request.

The host and the agent service ask their queues all the time, mostly for nothing. Through the client library each time
costs a millisecond of a core, more than the emulator takes for its answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import aiohttp
from azure.core.exceptions import (
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueServiceClient

VERSION = "2021-12-02"
EMPTY_FIELDS = "\n" * 11  # Content-Encoding … Range, none of which is sent
TIMEOUT = aiohttp.ClientTimeout(total=20)


class Receiver:
    """Of one account. `key` is its shared key, in base64."""

    def __init__(self, account: str, key: str) -> None:
        self._account, self._key = account, base64.b64decode(key)
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, service: QueueServiceClient) -> Receiver | None:
        """For an emulator, which speaks plain http; None for any other account."""
        if not service.url.startswith("http://"):
            return None
        return cls(service.credential.account_name, service.credential.account_key)

    async def receive(self, queue_url: str, most: int, hidden_seconds: int) -> list[QueueMessage]:
        """Raises the same errors as the client library."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        url = f"{queue_url}/messages?numofmessages={most}&visibilitytimeout={hidden_seconds}"
        headers = self._headers(urlsplit(queue_url).path, most, hidden_seconds)
        try:
            async with self._session.get(url, headers=headers) as response:
                body, status = await response.read(), response.status
        except aiohttp.ClientConnectorError as exc:
            raise ServiceRequestError(str(exc)) from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ServiceResponseError(str(exc) or "The emulator does not answer.") from exc
        if status == 404:
            raise ResourceNotFoundError("The queue does not exist.")
        if status != 200:
            raise HttpResponseError(f"The emulator answered {status}: {body[:300]!r}")
        return messages_in(body)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _headers(self, path: str, most: int, hidden_seconds: int) -> dict[str, str]:
        date = format_datetime(datetime.now(UTC), usegmt=True)
        told = f"x-ms-date:{date}\nx-ms-version:{VERSION}\n"
        asked = f"/{self._account}{path}/messages\nnumofmessages:{most}\nvisibilitytimeout:{hidden_seconds}"
        digest = hmac.new(self._key, f"GET\n{EMPTY_FIELDS}{told}{asked}".encode(), hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        authorization = f"SharedKey {self._account}:{signature}"
        return {"x-ms-date": date, "x-ms-version": VERSION, "Authorization": authorization}


def messages_in(body: bytes) -> list[QueueMessage]:
    if b"<QueueMessage>" not in body:
        return []
    return [message_of(node) for node in ElementTree.fromstring(body).iter("QueueMessage")]


def message_of(node: ElementTree.Element) -> QueueMessage:
    message = QueueMessage(content=node.findtext("MessageText") or "")
    message.id = node.findtext("MessageId") or ""
    message.pop_receipt = node.findtext("PopReceipt") or ""
    message.dequeue_count = int(node.findtext("DequeueCount") or 0)
    message.inserted_on = parsedate_to_datetime(node.findtext("InsertionTime") or "")
    message.expires_on = parsedate_to_datetime(node.findtext("ExpirationTime") or "")
    message.next_visible_on = parsedate_to_datetime(node.findtext("TimeNextVisible") or "")
    return message
