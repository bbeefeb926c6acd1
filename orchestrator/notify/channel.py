"""Which channel this installation has."""

from __future__ import annotations

from core.settings import Settings
from orchestrator.notify.console import ConsoleNotifier
from orchestrator.notify.port import Notifier
from orchestrator.notify.teams import TeamsNotifier


def channel(settings: Settings) -> Notifier:
    """Teams where its flow is configured, else the log. One per event loop."""
    return TeamsNotifier(settings.teams_webhook_url) if settings.teams_webhook_url else ConsoleNotifier()
