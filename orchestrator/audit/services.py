"""The audit trail of this process, built once per event loop, on first use: it needs storage, for its anchors blobs."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from orchestrator.audit.trail import Audit, Standing
from tools_worker.runtime.worker import utc_now

LOADED = ("azure.data.tables.aio", "azure.storage.blob.aio", "orchestrator.audit.configuration")  # take the longest

if TYPE_CHECKING:
    from orchestrator.audit.keeping import Keeper
    from orchestrator.stores.audit import AuditStore
    from orchestrator.stores.sealed import SealedFiles


@dataclass(frozen=True)
class AuditServices:
    """`keeper` is None where no blob service is set: then nothing is anchored, exported or dropped."""

    audit: Audit
    store: AuditStore
    sealed: SealedFiles | None
    keeper: Keeper | None


def complete() -> AuditServices:
    """All of it. Raises NotConfigured where settings are missing."""
    return _services.get()


async def ready() -> AuditServices:
    """`complete`, loaded beside what this loop does meanwhile: it is first needed while an answer is on its way out."""
    if _services.built() is None:
        for module in LOADED:
            await asyncio.to_thread(import_module, module)
    return complete()


def current() -> Audit:
    """This event loop's. Raises NotConfigured where settings are missing."""
    return complete().audit


def configured() -> AuditServices | None:
    """`complete`, or None where settings are missing."""
    return _services.configured()


async def provided() -> AuditStore:
    """What is read, as the API's routes ask for it."""
    return complete().store


def standing() -> Standing:
    """Of what this process recorded by now. Builds nothing."""
    built = _services.built()
    return built.audit.standing if built else Standing()


def build(settings: Settings) -> AuditServices:
    from orchestrator.audit.configuration import PolicyNote
    from orchestrator.audit.keeping import Keeper
    from orchestrator.stores.audit_tables import TableAuditStore
    from orchestrator.stores.sealed_blobs import BlobSealedFiles

    settings.require("storage")
    store = TableAuditStore(clients.table_service(settings))
    sealed = BlobSealedFiles(clients.blob_service(settings)) if settings.has_blobs else None
    audit = Audit(store, sealed, utc_now, PolicyNote.of(os.environ))
    keeper = Keeper(store, sealed, timedelta(days=settings.audit_days), utc_now) if sealed else None
    return AuditServices(audit, store, sealed, keeper)


_services = PerLoop(lambda: build(Settings.load(os.environ)))
