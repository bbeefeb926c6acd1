"""Where traces and metrics go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.settings.problems import Problem
from core.settings.setting import Setting
from core.settings.surroundings import INSIGHTS

OFF, CONSOLE, AZURE_MONITOR = "off", "console", "azure-monitor"
TELEMETRY = Setting(
    "TELEMETRY",
    "telemetry",
    f"where traces and metrics go: `{CONSOLE}` (lines on standard error), `{AZURE_MONITOR}`, or `{OFF}`, which keeps "
    "ours out of what others have set up too ([telemetry](telemetry.md))",
    otherwise="nowhere, but where the Functions host or an agent has it set up",
    example=CONSOLE,
)
SETTINGS = (TELEMETRY,)


def where(env: Mapping[str, str]) -> str:
    """As it is told, in lower case; empty where nothing is."""
    return TELEMETRY.of(env).lower()


def telemetry(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    told = where(env)
    if told not in ("", OFF, CONSOLE, AZURE_MONITOR):
        text = f"{told!r} is none of {OFF}, {CONSOLE} and {AZURE_MONITOR}."
        problems.append(Problem("telemetry", TELEMETRY.name, text))
        told = ""
    if told == AZURE_MONITOR and not INSIGHTS.of(env):
        problems.append(Problem("telemetry", TELEMETRY.name, f"{AZURE_MONITOR} needs {INSIGHTS.name}."))
    return {"telemetry": told}
