"""What follows from a category: who mends it, and whether trying again by itself may help."""

from __future__ import annotations

from typing import Literal

Transience = Literal["transient", "permanent", "intermittent"]
Owner = Literal["pipeline author", "source owner", "platform team", "Azure"]
OWNERS: dict[str, Owner] = {
    "authentication": "platform team",
    "authorization": "platform team",
    "cancelled": "pipeline author",
    "compute_resources": "platform team",
    "concurrency_lock": "pipeline author",
    "configuration": "pipeline author",
    "constraint_violation": "source owner",
    "data_conversion": "source owner",
    "expression_parameter": "pipeline author",
    "integration_runtime": "platform team",
    "network": "platform team",
    "not_found": "pipeline author",
    "schema_mapping": "pipeline author",
    "throttling_quota": "platform team",
    "timeout": "pipeline author",
    "transient_platform": "Azure",
    "trigger": "pipeline author",
    "upstream_dependency": "pipeline author",
    "user_code": "pipeline author",
}
# An intermittent failure of these comes back with the same data, code or settings.
_COMES_BACK = frozenset({"authentication", "authorization", "configuration", "expression_parameter", "schema_mapping"})


def owner_of(category: str, side: str = "") -> Owner | None:
    """None when the category tells nobody: an unknown cause has no owner yet."""
    if category in ("not_found", "throttling_quota") and side == "source":
        return "source owner"
    return OWNERS.get(category)


def retry_may_help(category: str, transience: Transience | None) -> bool | None:
    """Whether the same run, unchanged, may pass later. Not whether a second run is safe for the sink. None: unknown."""
    if transience is None:
        return None
    return transience == "transient" or (transience == "intermittent" and category not in _COMES_BACK)
