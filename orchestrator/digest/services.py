"""What makes and sends digests, built once per event loop, on first use: it needs storage and Data Factory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from tools_worker.runtime import worker
from tools_worker.runtime.worker import utc_now

if TYPE_CHECKING:
    from orchestrator.digest.editor import Editor
    from orchestrator.digest.sending import Sender


@dataclass(frozen=True)
class DigestServices:
    editor: Editor
    sender: Sender


def current() -> DigestServices:
    """This event loop's. Raises NotConfigured where settings are missing."""
    return _services.get()


def configured() -> DigestServices | None:
    """`current`, or None where settings are missing."""
    return _services.configured()


async def provided() -> DigestServices:
    """`current`, as the API's routes ask for it."""
    return current()


def build(settings: Settings) -> DigestServices:
    from orchestrator.digest.delivery_tables import TableDeliveryStore
    from orchestrator.digest.editions import Timetable
    from orchestrator.digest.editor import Editor
    from orchestrator.digest.sending import Sender
    from orchestrator.notify.channel import channel
    from orchestrator.policy.reading import PolicyFile
    from orchestrator.stores.incident_tables import TableIncidentStore

    settings.require("storage", "adf")
    tables = clients.table_service(settings)
    factories = worker.current().factories
    editor = Editor(factories, TableIncidentStore(tables), PolicyFile.of(os.environ).current, utc_now)
    sender = Sender(Timetable.of(settings), editor, TableDeliveryStore(tables), channel(settings), utc_now)
    return DigestServices(editor, sender)


_services = PerLoop(lambda: build(Settings.load(os.environ)))
