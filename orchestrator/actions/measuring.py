"""What telemetry tells of actions: which kind came to which end."""

from __future__ import annotations

from core.telemetry import metrics, names
from orchestrator.actions.record import Action


def ended(action: Action) -> None:
    """To be told once, when it has come to its end and that stands on record."""
    about = {names.ACTION_KIND: action.operation.kind, names.ACTION_STATE: action.state}
    metrics.count(names.ACTIONS, 1, about)
