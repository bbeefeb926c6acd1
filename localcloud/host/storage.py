"""Storage queues by the name of a connection setting, as bindings name them; made on first use, closed together."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Sequence
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from localcloud.azurite import ACCOUNT, KEY
from localcloud.host.settings import LoadError, Settings
from localcloud.receiving import Receiver

DEFAULT = "AzureWebJobsStorage"
DEVELOPMENT = (
    f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
    f"QueueEndpoint=http://127.0.0.1:10001/{ACCOUNT};"
)


class Queue:
    """A queue that comes into being when it is needed."""

    def __init__(self, client: QueueClient, receiver: Receiver | None = None) -> None:
        self._client, self._receiver = client, receiver
        self.name = client.queue_name

    async def create(self) -> None:
        with contextlib.suppress(ResourceExistsError):
            await self._client.create_queue()

    async def send(self, content: str) -> None:
        try:
            await self._client.send_message(content)
        except ResourceNotFoundError:
            await self.create()
            await self._client.send_message(content)

    async def receive(self, most: int, hidden_seconds: int) -> list[QueueMessage]:
        try:
            if self._receiver:
                return await self._receiver.receive(self._client.url, most, hidden_seconds)
            return await self._first_page(most, hidden_seconds)
        except ResourceNotFoundError:
            await self.create()
            return []

    async def _first_page(self, most: int, hidden_seconds: int) -> list[QueueMessage]:
        """The next page would cost another request for nothing."""
        pages = self._client.receive_messages(messages_per_page=most, visibility_timeout=hidden_seconds).by_page()
        page = await anext(pages, None)  # an empty answer counts as no page
        return [message async for message in page] if page else []

    async def hide(self, message: QueueMessage, seconds: int) -> str:
        """The new pop receipt."""
        changed = await self._client.update_message(message, visibility_timeout=seconds)
        return str(changed.pop_receipt)

    async def delete(self, message: QueueMessage) -> None:
        with contextlib.suppress(ResourceNotFoundError):  # it ran out of its hiding: whoever has it now will delete it
            await self._client.delete_message(message)


class Storage:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._services: dict[str, QueueServiceClient] = {}
        self._receivers: dict[str, Receiver] = {}
        self._closing = contextlib.AsyncExitStack()

    async def queue(self, connection: str, name: str) -> Queue:
        connection = connection or DEFAULT
        service = self._services.get(connection)
        if service is None:
            service = self._services[connection] = await self._open(connection)
        client = service.get_queue_client(self._settings.resolve(name))
        return Queue(client, self._receivers.get(connection))

    async def close(self) -> None:
        await self._closing.aclose()

    async def _open(self, connection: str) -> QueueServiceClient:
        text = self._setting(connection)
        if text is None:
            return await self._open_with_identity(connection)
        text = DEVELOPMENT if text.strip().lower().startswith("usedevelopmentstorage=true") else text
        client = QueueServiceClient.from_connection_string(text, **client_options(text))
        if receiver := Receiver.of(client):
            self._receivers[connection] = receiver
            self._closing.push_async_callback(receiver.close)
        return await self._closing.enter_async_context(client)

    async def _open_with_identity(self, connection: str) -> QueueServiceClient:
        from azure.identity.aio import DefaultAzureCredential  # slow to import, and seldom needed on a laptop

        uri = self._queue_uri(connection)
        client_id = self._setting(f"{connection}__clientId")
        credential = DefaultAzureCredential(**({"managed_identity_client_id": client_id} if client_id else {}))
        await self._closing.enter_async_context(credential)
        client = QueueServiceClient(uri, credential=credential, **client_options(uri))
        return await self._closing.enter_async_context(client)

    def _queue_uri(self, connection: str) -> str:
        uri = self._setting(f"{connection}__queueServiceUri")
        account = self._setting(f"{connection}__accountName")
        if not uri and not account:
            raise LoadError(
                f"The connection {connection!r} is not set. Set {connection} to a connection string "
                f"or {connection}__queueServiceUri to the address of the queue service."
            )
        return uri or f"https://{account}.queue.core.windows.net"

    def _setting(self, name: str) -> str | None:
        """The real host looks for the name with its own prefix first."""
        return self._settings.get(f"AzureWebJobs{name}") or self._settings.get(name)


def client_options(endpoint: str) -> dict[str, Any]:
    # Looking up proxies in the environment on each request costs more than the request; an emulator has none.
    transport = AioHttpTransport(use_env_settings="https" in endpoint.lower())
    # The defaults would wait 15 s before the first retry.
    return {
        "transport": transport,
        "initial_backoff": 1,
        "increment_base": 2,
        "random_jitter_range": 1,
        "retry_total": 2,
    }


def encode(body: str | bytes, as_base64: bool) -> str:
    data = body.encode() if isinstance(body, str) else bytes(body)
    return base64.b64encode(data).decode() if as_base64 else data.decode()


def decode(content: str, as_base64: bool) -> bytes | None:
    """None for what is not base64."""
    if not as_base64:
        return content.encode()
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def messages_of(value: object) -> Sequence[str | bytes]:
    """What an output binding was given, as single messages: text, bytes, a queue message, or a list of these."""
    if isinstance(value, str | bytes):
        return [value]
    if hasattr(value, "get_body"):
        return [value.get_body()]
    if isinstance(value, list | tuple):
        return [message for item in value for message in messages_of(item)]
    raise TypeError(f"a queue output takes text, bytes, a QueueMessage or a list of these, not {type(value).__name__}")
