"""How every Azure client of the app is made: one credential, one transport setting, plain http for loopback only.

Imports of the SDKs stand inside the functions: importing this module costs nothing, and a worker pays only for the
clients it uses. Async clients belong to the event loop they are first used on.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from core.per_loop import PerLoop
from core.settings import Settings, is_loopback_http
from core.settings.surroundings import PROXIES

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.data.tables.aio import TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

# The SDKs wait minutes for a connection and begin storage retries at 15 s; a caller that waits deserves better.
TIMEOUTS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 20}
QUEUE_PATIENCE: dict[str, Any] = {"retry_total": 3, "initial_backoff": 0.2, "increment_base": 2, **TIMEOUTS}
BLOB_PATIENCE: dict[str, Any] = {**QUEUE_PATIENCE, "read_timeout": 60}  # a day of the audit trail is a large file
TABLE_PATIENCE: dict[str, Any] = {"retry_total": 3, "retry_backoff_factor": 0.2, **TIMEOUTS}
AGENT_PATIENCE: dict[str, Any] = {"retry_total": 3, "retry_backoff_factor": 0.3, **TIMEOUTS}


def transport() -> Any:
    """An aiohttp transport that does not look up netrc and proxies on every request (half the client's CPU)."""
    from azure.core.pipeline.transport import AioHttpTransport

    behind_proxy = any(each.of(os.environ) for each in PROXIES)
    return AioHttpTransport(use_env_settings=behind_proxy)


def loopback_policies(endpoint: str) -> list[Any]:
    """Policies for the vendors' clients: plain http is let through when the endpoint is on this machine, never else."""
    if not is_loopback_http(endpoint):
        return []
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    class AllowHttp(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            request.context.options.setdefault("enforce_https", False)

    return [AllowHttp()]


def credential(endpoint: str) -> AsyncTokenCredential:
    """The app's identity, one for all clients of an event loop, so that they share its tokens; for an http endpoint on
    this machine a fixed token, since no identity exists there."""
    return LoopbackCredential() if is_loopback_http(endpoint) else _identity.get()


def operator_credential(settings: Settings) -> AsyncTokenCredential:
    """The identity that changes factories: one assigned for it alone, else the app's own."""
    if not settings.adf_operator_client_id or is_loopback_http(settings.adf_endpoint):
        return credential(settings.adf_endpoint)
    known, client_id = _operators.get(), settings.adf_operator_client_id
    if client_id not in known:
        from azure.identity.aio import ManagedIdentityCredential

        known[client_id] = ManagedIdentityCredential(client_id=client_id)
    return known[client_id]


def _default_identity() -> AsyncTokenCredential:
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential()


_identity = PerLoop(_default_identity)
_operators: PerLoop[dict[str, AsyncTokenCredential]] = PerLoop(dict)


class LoopbackCredential:
    """A token for the local stand-ins, which ask for one and accept any."""

    async def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken("loopback", int(time.time()) + 3600)

    async def close(self) -> None: ...

    async def __aenter__(self) -> LoopbackCredential:
        return self

    async def __aexit__(self, *exc: object) -> None: ...


def queue_service(settings: Settings) -> QueueServiceClient:
    from azure.storage.queue.aio import QueueServiceClient

    options: dict[str, Any] = {"transport": transport(), **QUEUE_PATIENCE}
    if settings.storage_connection:
        return QueueServiceClient.from_connection_string(settings.storage_connection, **options)
    return QueueServiceClient(settings.storage_queue_uri, credential(settings.storage_queue_uri), **options)


def table_service(settings: Settings) -> TableServiceClient:
    from azure.data.tables.aio import TableServiceClient

    options: dict[str, Any] = {"transport": transport(), **TABLE_PATIENCE}
    if settings.storage_connection:
        return TableServiceClient.from_connection_string(settings.storage_connection, **options)
    return TableServiceClient(
        endpoint=settings.storage_table_uri, credential=credential(settings.storage_table_uri), **options
    )


def blob_service(settings: Settings) -> BlobServiceClient:
    from azure.storage.blob.aio import BlobServiceClient

    options: dict[str, Any] = {"transport": transport(), **BLOB_PATIENCE}
    if settings.storage_connection:
        return BlobServiceClient.from_connection_string(settings.storage_connection, **options)
    return BlobServiceClient(settings.storage_blob_uri, credential(settings.storage_blob_uri), **options)


def queue_endpoint(settings: Settings) -> str:
    """The address of the queue service as the agent service must know it, e.g. https://acct.queue.core.windows.net."""
    if settings.storage_queue_uri:
        return settings.storage_queue_uri.rstrip("/")
    parts = dict(part.split("=", 1) for part in settings.storage_connection.split(";") if "=" in part)
    if "QueueEndpoint" in parts:
        return parts["QueueEndpoint"].rstrip("/")
    suffix = parts.get("EndpointSuffix", "core.windows.net")
    return f"{parts.get('DefaultEndpointsProtocol', 'https')}://{parts.get('AccountName', '')}.queue.{suffix}"
