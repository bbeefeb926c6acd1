"""Which thinker answers: a model endpoint where one is configured, else the planner the settings name."""

from __future__ import annotations

from localcloud.foundry.settings import Settings
from localcloud.foundry.thinking.endpoint import EndpointThinker
from localcloud.foundry.thinking.gullible import GulliblePlanner
from localcloud.foundry.thinking.planner import Planner
from localcloud.foundry.thinking.turns import Thinker


def choose_thinker(settings: Settings) -> Thinker:
    if settings.model:
        return EndpointThinker(settings.model)
    return GulliblePlanner() if settings.planner == "gullible" else Planner()
