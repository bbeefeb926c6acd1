"""How long the audit trail is kept where it can be searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.settings.problems import Problem

AUDIT_DAYS = 365
SHORTEST, LONGEST = 30, 3650


def audit(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """A wrong one counts as the longest: nothing is dropped for a slip of the pen."""
    text = env.get("AUDIT_DAYS", "")
    if not text:
        return {}
    if text.isascii() and text.isdecimal() and SHORTEST <= int(text) <= LONGEST:
        return {"audit_days": int(text)}
    problems.append(
        Problem("audit", "AUDIT_DAYS", f"{text!r} is no whole number of days from {SHORTEST} to {LONGEST}.")
    )
    return {"audit_days": LONGEST}
