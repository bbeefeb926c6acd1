"""How bad is it? By what the pipeline means to people, and by how much one cause stops."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.incidents.record import Incident

Severity = tuple[int, str]  # 0, the worst, to 4; and the reason
Judge = Callable[[Incident], Severity]
USUAL = 3


def plain(incident: Incident) -> Severity:
    """Without policy data: a cause that stops many pipelines is worse than one that stops one."""
    if len(incident.pipelines) >= 3:
        return USUAL - 1, f"{len(incident.pipelines)} pipelines are stopped by one cause"
    if incident.parents:
        return USUAL - 1, "it stops the pipelines above it"
    return USUAL, "nothing says that it matters more"
