"""Sealed files as blobs. That nobody overwrites or deletes them is the container's policy of immutability, not ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.errors import UpstreamRefused, UpstreamUnavailable

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobServiceClient

CONTAINER = "audit"


class BlobSealedFiles:
    """See SealedFiles."""

    def __init__(self, blobs: BlobServiceClient) -> None:
        self._container = blobs.get_container_client(CONTAINER)

    async def put(self, name: str, data: bytes) -> bool:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return await self._put(name, data)
        except ResourceNotFoundError:  # the first of an installation that was not made by its templates
            await self._create()
            return await self._put(name, data)

    async def _put(self, name: str, data: bytes) -> bool:
        from azure.core.exceptions import ResourceExistsError

        async with _storage():
            try:
                await self._container.upload_blob(name, data, overwrite=False)
            except ResourceExistsError:
                return False
        return True

    async def _create(self) -> None:
        from azure.core.exceptions import ResourceExistsError

        async with _storage():
            try:
                await self._container.create_container()
            except ResourceExistsError:
                return

    async def get(self, name: str) -> bytes | None:
        from azure.core.exceptions import ResourceNotFoundError

        async with _storage():
            try:
                return bytes(await (await self._container.download_blob(name)).readall())
            except ResourceNotFoundError:
                return None

    async def names(self, prefix: str) -> list[str]:
        from azure.core.exceptions import ResourceNotFoundError

        async with _storage():
            try:
                return [str(name) async for name in self._container.list_blob_names(name_starts_with=prefix)]
            except ResourceNotFoundError:
                return []


@asynccontextmanager
async def _storage() -> AsyncIterator[None]:
    from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

    try:
        yield
    except HttpResponseError as exc:
        if exc.status_code in (401, 403):
            hint = "Give the app's identity Storage Blob Data Contributor on the container 'audit'."
            raise UpstreamRefused("Blob storage refused the app's identity.", hint=hint) from exc
        if exc.status_code in (408, 429) or (exc.status_code or 0) >= 500:
            raise UpstreamUnavailable("Blob storage does not answer.", hint="Try again in a minute.") from exc
        raise
    except (ServiceRequestError, ServiceResponseError) as exc:
        raise UpstreamUnavailable("Blob storage cannot be reached.", hint="Try again in a minute.") from exc
