"""How long things may take, and in which order they must give up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.settings.problems import Problem

RUN_DEADLINE_SECONDS, TOOL_DEADLINE_SECONDS, ADF_TIMEOUT_SECONDS = 300.0, 100.0, 30.0  # where nothing else is set

# The host ends a function after ten minutes (functionTimeout in host.json): what is longer would be cut off by it.
LIMITS = {  # setting: (field, smallest, largest)
    "RUN_DEADLINE_SECONDS": ("run_deadline_seconds", 1, 580),
    "TOOL_DEADLINE_SECONDS": ("tool_deadline_seconds", 1, 570),
    "ADF_TIMEOUT_SECONDS": ("adf_timeout_seconds", 0.1, 600),
    "ADF_CACHE_SECONDS": ("adf_cache_seconds", 0, 60),
    "HEARTBEAT_SECONDS": ("heartbeat_seconds", 0.1, 60),
}


def limits(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    found: dict[str, float] = {}
    for name, (attribute, smallest, largest) in LIMITS.items():
        text = env.get(name, "")
        if not text:
            continue
        try:
            value = float(text)
        except ValueError:
            problems.append(Problem("limits", name, f"{text!r} is not a number of seconds."))
            continue
        if smallest <= value <= largest:
            found[attribute] = value
        else:
            problems.append(Problem("limits", name, f"{value:g} is outside {smallest} to {largest} seconds."))
    _check_order(found, problems)
    return found


def _check_order(found: Mapping[str, float], problems: list[Problem]) -> None:
    """A call must end before the tool that makes it, and a tool before the run that waits for it."""
    adf = found.get("adf_timeout_seconds", ADF_TIMEOUT_SECONDS)
    tool = found.get("tool_deadline_seconds", TOOL_DEADLINE_SECONDS)
    run = found.get("run_deadline_seconds", RUN_DEADLINE_SECONDS)
    if not adf < tool < run:
        text = (
            f"must grow: ADF_TIMEOUT_SECONDS {adf:g} < TOOL_DEADLINE_SECONDS {tool:g} < RUN_DEADLINE_SECONDS {run:g}."
        )
        problems.append(Problem("limits", "RUN_DEADLINE_SECONDS", text))
