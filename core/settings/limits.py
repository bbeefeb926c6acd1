"""How long things may take, and in which order they must give up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.settings.problems import Problem
from core.settings.setting import Setting

# The host ends a function after ten minutes (functionTimeout in host.json): what is longer would be cut off by it.
RUN_DEADLINE = Setting(
    "RUN_DEADLINE_SECONDS",
    "limits",
    "a question ends by then, answered or not; the host ends what takes ten minutes",
    default="300",
    unit="seconds",
    bounds=(1, 580),
    example="240",
)
TOOL_DEADLINE = Setting(
    "TOOL_DEADLINE_SECONDS",
    "limits",
    "a tool call is answered by then; counted from the message's insertion",
    default="100",
    unit="seconds",
    bounds=(1, 570),
    example="60",
)
ADF_TIMEOUT = Setting(
    "ADF_TIMEOUT_SECONDS",
    "limits",
    "one request to Data Factory, with its repetitions",
    default="30",
    unit="seconds",
    bounds=(0.1, 600),
    example="20",
)
ADF_CACHE = Setting(
    "ADF_CACHE_SECONDS",
    "limits",
    "an answer about runs is used again for so long by this process, one about definitions six times as long; 0 for "
    "never",
    default="5",
    unit="seconds",
    bounds=(0, 60),
    example="0",
)
HEARTBEAT = Setting(
    "HEARTBEAT_SECONDS",
    "limits",
    "how often a run's owner writes a sign of life; four missed, and another process takes over",
    default="5",
    unit="seconds",
    bounds=(0.1, 60),
    example="10",
)
SETTINGS = (RUN_DEADLINE, TOOL_DEADLINE, ADF_TIMEOUT, ADF_CACHE, HEARTBEAT)


def limits(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    found: dict[str, float] = {}
    for setting in SETTINGS:
        found[setting.name.lower()] = _seconds(setting, env, problems)
    _check_order(found, problems)
    return found


def _seconds(setting: Setting, env: Mapping[str, str], problems: list[Problem]) -> float:
    """A wrong one counts as none."""
    text, (smallest, largest) = setting.of(env), setting.bounds or (0, 0)
    try:
        value = float(text)
    except ValueError:
        problems.append(Problem("limits", setting.name, f"{text!r} is not a number of seconds."))
        return float(setting.default)
    if smallest <= value <= largest:
        return value
    problems.append(Problem("limits", setting.name, f"{value:g} is outside {smallest} to {largest} seconds."))
    return float(setting.default)


def _check_order(found: Mapping[str, float], problems: list[Problem]) -> None:
    """A call must end before the tool that makes it, and a tool before the run that waits for it."""
    adf, tool, run = (found[each.name.lower()] for each in (ADF_TIMEOUT, TOOL_DEADLINE, RUN_DEADLINE))
    if not adf < tool < run:
        text = (
            f"must grow: ADF_TIMEOUT_SECONDS {adf:g} < TOOL_DEADLINE_SECONDS {tool:g} < RUN_DEADLINE_SECONDS {run:g}."
        )
        problems.append(Problem("limits", RUN_DEADLINE.name, text))
