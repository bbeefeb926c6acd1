"""Where traces and metrics go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.settings.problems import Problem

OFF, CONSOLE, AZURE_MONITOR = "off", "console", "azure-monitor"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"  # the platform's own setting


def where(env: Mapping[str, str]) -> str:
    """As it is told, in lower case; empty where nothing is."""
    return env.get("TELEMETRY", "").strip().lower()


def telemetry(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    told = where(env)
    if told not in ("", OFF, CONSOLE, AZURE_MONITOR):
        text = f"{told!r} is none of {OFF}, {CONSOLE} and {AZURE_MONITOR}."
        problems.append(Problem("telemetry", "TELEMETRY", text))
        told = ""
    if told == AZURE_MONITOR and not env.get(CONNECTION, ""):
        problems.append(Problem("telemetry", "TELEMETRY", f"{AZURE_MONITOR} needs {CONNECTION}."))
    return {"telemetry": told}
