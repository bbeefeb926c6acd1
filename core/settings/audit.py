"""How long the audit trail is kept where it can be searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.settings.problems import Problem
from core.settings.setting import Setting

SHORTEST, LONGEST = 30, 3650
AUDIT_DAYS = Setting(
    "AUDIT_DAYS",
    "audit",
    "how long the audit trail is kept where it can be searched; its exported days stay as long as their container "
    "keeps them ([audit](audit.md))",
    default="365",
    unit="days",
    bounds=(SHORTEST, LONGEST),
    example="730",
)
SETTINGS = (AUDIT_DAYS,)


def audit(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """A wrong one counts as the longest: nothing is dropped for a slip of the pen."""
    text = AUDIT_DAYS.of(env)
    if text.isascii() and text.isdecimal() and SHORTEST <= int(text) <= LONGEST:
        return {"audit_days": int(text)}
    told = f"{text!r} is no whole number of days from {SHORTEST} to {LONGEST}."
    problems.append(Problem("audit", AUDIT_DAYS.name, told))
    return {"audit_days": LONGEST}
