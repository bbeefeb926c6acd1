"""Which channel this installation has."""

from __future__ import annotations

import os

from core.per_loop import PerLoop
from core.settings import Settings
from orchestrator.notify.console import ConsoleNotifier
from orchestrator.notify.port import Notifier
from orchestrator.notify.teams import TeamsNotifier


async def provided() -> Notifier:
    """This event loop's channel, as the API's routes ask for it."""
    return _channels.get()


def channel(settings: Settings) -> Notifier:
    """Teams where its flow is configured, else the log. One per event loop."""
    return TeamsNotifier(settings.teams_webhook_url) if settings.teams_webhook_url else ConsoleNotifier()


_channels = PerLoop(lambda: channel(Settings.load(os.environ)))
