"""What is examined: the settings, the app's folder, and clients to its upstreams, opened when a check first asks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from core import clients
from core.settings import AZURE_MANAGEMENT, Settings
from core.settings.surroundings import (
    APP_IDENTITY_PRINCIPAL_ID,
    EXECUTOR_OFF,
    OPERATOR_IDENTITY_PRINCIPAL_ID,
    SERVICE_APP_URI,
    WEBSITE_HOSTNAME,
)
from orchestrator.doctor.rest import Rest
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import FactoryId

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.data.tables.aio import TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

    from tools_worker.datafactory.arm import Arm

_Client = TypeVar("_Client", bound=Any)
ROOT = Path(__file__).resolve().parents[2]
AUDIENCES = {"storage": "https://storage.azure.com", "foundry": "https://ai.azure.com", "adf": AZURE_MANAGEMENT}
ADF_SECONDS = 8.0  # for one request with its repetitions: a person waits for the answer
EXECUTE = "actions_execute"  # the function that changes factories
AT_ONCE = 16  # requests to storage
UNSERVED_SECONDS = 60.0  # a message that nobody has taken for so long waits for somebody who cannot take it
AGAIN_SECONDS = 4.0  # twice the pause between two looks of the host: one that came back just now is gone by then


@dataclass
class Patient:
    """Use it as an async context manager: it closes what was opened."""

    settings: Settings
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    root: Path = ROOT
    unserved_seconds: float = UNSERVED_SECONDS
    again_seconds: float = AGAIN_SECONDS
    _arms: dict[str, Arm] = field(default_factory=dict)
    _tokens: dict[str, asyncio.Future[AccessToken]] = field(default_factory=dict)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Patient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for asked in self._tokens.values():
            asked.cancel()
        await asyncio.gather(*self._tokens.values(), return_exceptions=True)
        await self._open.aclose()

    @cached_property
    def queues(self) -> QueueServiceClient:
        return self._kept(clients.queue_service(self.settings))

    @cached_property
    def tables(self) -> TableServiceClient:
        return self._kept(clients.table_service(self.settings))

    @cached_property
    def blobs(self) -> BlobServiceClient:
        return self._kept(clients.blob_service(self.settings))

    @cached_property
    def turns(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(AT_ONCE)

    async def token(self, area: str) -> AccessToken | None:
        """For what is behind these settings; None where none is needed. Asked for once: a refusal takes its time.

        Raises ClientAuthenticationError."""
        if area not in AUDIENCES or (area == "storage" and self.settings.storage_connection):
            return None
        if area not in self._tokens:
            endpoint = {
                "storage": self.settings.storage_queue_uri,
                "foundry": self.settings.foundry_endpoint,
                "adf": self.settings.adf_endpoint,
            }[area]
            asking = clients.credential(endpoint).get_token(f"{AUDIENCES[area]}/.default")
            self._tokens[area] = asyncio.ensure_future(asking)
        return await asyncio.shield(self._tokens[area])

    async def unsigned(self, areas: Sequence[str]) -> list[str]:
        """Those of which no token is to be had. Each client would try for itself, again and again."""
        from azure.core.exceptions import ClientAuthenticationError

        found = await asyncio.gather(*map(self.token, areas), return_exceptions=True)
        return [area for area, token in zip(areas, found, strict=True) if isinstance(token, ClientAuthenticationError)]

    @cached_property
    def project(self) -> Rest:
        """The Foundry project."""
        endpoint = self.settings.foundry_endpoint
        return self._kept(Rest(endpoint, clients.credential(endpoint), AUDIENCES["foundry"]))

    @cached_property
    def arm(self) -> Rest:
        """Azure Resource Manager, as the app's own identity."""
        endpoint = self.settings.adf_endpoint
        return self._kept(Rest(endpoint, clients.credential(endpoint), AZURE_MANAGEMENT))

    @cached_property
    def arm_as_operator(self) -> Rest:
        """The same, as the identity that changes factories."""
        return self._kept(
            Rest(self.settings.adf_endpoint, clients.operator_credential(self.settings), AZURE_MANAGEMENT)
        )

    @cached_property
    def factories(self) -> Factories:
        """As the tools see them, with less patience."""
        from tools_worker.datafactory.sdk import SdkDataFactory, discover

        named = [found for each in self.settings.adf_factories if (found := FactoryId.read(each))]
        if named:
            return Factories([SdkDataFactory(self._asking(each.subscription), each) for each in named])
        return Factories(lambda: discover(self._asking(self.settings.adf_subscription), self.settings.adf_subscription))

    def _asking(self, subscription: str) -> Arm:
        from tools_worker.datafactory.arm import Arm, Patience

        if subscription not in self._arms:
            endpoint = self.settings.adf_endpoint
            patience = Patience(deadline=min(self.settings.adf_timeout_seconds, ADF_SECONDS))
            self._arms[subscription] = Arm(
                clients.credential(endpoint), subscription, endpoint=endpoint, patience=patience
            )
            self._open.push_async_callback(self._arms[subscription].close)
        return self._arms[subscription]

    @cached_property
    def account(self) -> str:
        """The name of the storage account."""
        parts = urlsplit(clients.queue_endpoint(self.settings))
        host = parts.hostname or ""
        return parts.path.strip("/") if host.replace(".", "").isdigit() else host.partition(".")[0]

    @property
    def address(self) -> str:
        """The host under which alerts reach the app; empty where it is not known here."""
        deployed = urlsplit(SERVICE_APP_URI.of(self.env)).netloc  # an output of the templates
        return urlsplit(self.settings.public_url).netloc or WEBSITE_HOSTNAME.of(self.env) or deployed

    @property
    def app_identity(self) -> str:
        """Its object id, as commands want it; an output of the templates too."""
        return APP_IDENTITY_PRINCIPAL_ID.of(self.env) or "<object id of the app's identity>"

    @property
    def operator_identity(self) -> str:
        """The object id of the one that changes factories; empty where it is not known here."""
        return OPERATOR_IDENTITY_PRINCIPAL_ID.of(self.env)

    @property
    def acts(self) -> bool:
        """Whether this app carries out what is approved: the templates let another one do it, as another identity."""
        return EXECUTOR_OFF.of(self.env).lower() not in ("1", "true")

    @property
    def subscription(self) -> str:
        """The one that the factories are in."""
        named = [found for each in self.settings.adf_factories if (found := FactoryId.read(each))]
        return named[0].subscription if named else self.settings.adf_subscription

    def _kept(self, client: _Client) -> _Client:
        self._open.push_async_exit(client)
        return client
