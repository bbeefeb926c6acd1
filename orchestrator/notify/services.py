"""What tells of ended runs, built once per event loop, on first use: it needs storage, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from tools_worker.runtime.worker import utc_now

if TYPE_CHECKING:
    from orchestrator.runs.endings import Teller
    from orchestrator.runs.record import Run


def current() -> Teller:
    """This event loop's. Raises NotConfigured where settings are missing."""
    return _teller.get()


def build(settings: Settings) -> Teller:
    from orchestrator.api.views import RunView
    from orchestrator.links import Links, own_origin
    from orchestrator.notify.addresses import is_here
    from orchestrator.notify.callbacks import HttpCallbacks
    from orchestrator.notify.channel import channel
    from orchestrator.runs.endings import StorageEndingQueue, Teller
    from orchestrator.stores.run_tables import TableRunStore
    from orchestrator.teams.posting import post_promised

    settings.require("storage")
    store = TableRunStore(clients.table_service(settings))
    notifier = channel(settings)
    links = Links(own_origin(settings, os.environ), settings.link_signing_key)

    async def post(run: Run) -> None:
        await post_promised(run, store, notifier, links.run(run) if links.key and links.origin else "")

    return Teller(
        store,
        HttpCallbacks(settings.callback_signing_key, settings.callback_hosts, is_here(os.environ)),
        StorageEndingQueue(clients.queue_service(settings)),
        RunView.body,
        utc_now,
        post,
    )


_teller = PerLoop(lambda: build(Settings.load(os.environ)))
